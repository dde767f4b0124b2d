// What the page asks of the gateway by HTTP. One interface: `http.ts` has it over the network, tests have one of their own.

import type { ListedCall } from '../conference/reducer';

/** What an invitation says. */
export interface Invitation {
    readonly room: string;
    readonly name: string;
    readonly host: boolean;
}

/** What being in the room takes. */
export interface Admitted extends Invitation {
    readonly user: string;
    readonly password: string;
    /** `sip:USER@DOMAIN`. */
    readonly uri: string;
    /** Where SIP is spoken. */
    readonly websocket: string;
    /** Whom to call. */
    readonly call: string;
    /** A scenario holds the conference: the gateway does not mix browsers, who hear each other by calls of their own. */
    readonly byScenario: boolean;
    readonly iceServers: RTCIceServer[];
    /** How telephones get in; empty: not known. */
    readonly accessNumber: string;
    readonly pin: string;
}

export interface Room {
    readonly name: string;
    readonly locked: boolean;
    readonly calls: number;
}

/** A room that was made, and what opens it to telephones. */
export interface MadeRoom {
    readonly room: string;
    readonly pin: string;
}

/** How it goes with a telephone that is called. */
export type DialEvent =
    | { readonly type: 'progress'; readonly call: string; readonly what: string }
    /** It is in the room. */
    | { readonly type: 'done' }
    | { readonly type: 'failed'; readonly rule: string; readonly detail: string };

/** What whoever has an invitation may do. */
export interface Guest {
    look(): Promise<Invitation>;
    join(): Promise<Admitted>;
}

/** What whoever has a token of the API may do. */
export interface Host {
    rooms(): Promise<Room[]>;
    makeRoom(room: MadeRoom): Promise<void>;
    /** Gives the invitation's URL. */
    invite(room: string, name: string, host: boolean): Promise<string>;
    calls(room: string): Promise<{ calls: ListedCall[]; locked: boolean }>;
    /** Calls a telephone into the room; kept when all has been told. */
    dial(room: string, number: string, told: (event: DialEvent) => void): Promise<void>;
    digits(call: string, digits: string): Promise<void>;
    mute(call: string, muted: boolean): Promise<void>;
    remove(call: string): Promise<void>;
    lock(room: string, locked: boolean): Promise<void>;
    /** Hangs up all calls in the room. */
    end(room: string): Promise<void>;
}

/** Why the gateway refused (RFC 9457), or was not reached: `rule` is then `unreachable`. */
export class Problem extends Error {
    constructor(readonly status: number, readonly rule: string, readonly detail: string) {
        super(`${rule}: ${detail}`);
    }
}
