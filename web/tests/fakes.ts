// A gateway, a telephone and a browser that are none: what a conference does with them can be looked at.

import type { ListedCall } from '../src/conference/reducer';
import { Meeting } from '../src/conference/meeting';
import { beginning, type Conference } from '../src/conference/state';
import { Store } from '../src/conference/store';
import type { Clock, Media } from '../src/conference/world';
import { type Admitted, type DialEvent, type Guest, type Host, Problem } from '../src/gateway/gateway';
import type { Account, Call, CallEvents, Incoming, Phone, PhoneEvents } from '../src/signalling/phone';

/** A clock that goes when it is told to. */
export class FakeClock implements Clock {
    private time = 1_000_000;
    private timers: { at: number; run: () => void }[] = [];

    now(): number {
        return this.time;
    }

    after(milliseconds: number, run: () => void): () => void {
        const timer = { at: this.time + milliseconds, run };
        this.timers.push(timer);
        return () => { this.timers = this.timers.filter(one => one !== timer); };
    }

    /** Lets that many milliseconds pass. */
    async pass(milliseconds: number): Promise<void> {
        const end = this.time + milliseconds;
        await turn();
        for (;;) {
            const next = this.timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
            if (next === undefined) break;
            this.timers = this.timers.filter(one => one !== next);
            this.time = next.at;
            next.run();
            await turn();
        }
        this.time = end;
        await turn();
    }

    get waiting(): number {
        return this.timers.length;
    }
}

/** Lets what was promised happen. */
export async function turn(): Promise<void> {
    for (let n = 0; n < 20; n++) await Promise.resolve();
}

/** As much of a peer connection as is looked at. */
export class FakeConnection extends EventTarget {
    connectionState = 'new';

    becomes(state: string): void {
        this.connectionState = state;
        this.dispatchEvent(new Event('connectionstatechange'));
    }
}

export class FakeCall implements Call {
    isOver = false;
    isEstablished = false;
    readonly informed: string[] = [];
    readonly messages: string[] = [];
    readonly wire = new FakeConnection();

    constructor(readonly target: string, readonly stream: unknown, readonly events: CallEvents, readonly headers: Record<string, string> = {}) {
        events.connection?.(this.wire as unknown as RTCPeerConnection);
    }

    connection(): RTCPeerConnection {
        return this.wire as unknown as RTCPeerConnection;
    }

    inform(text: string): void {
        this.informed.push(text);
    }

    message(text: string): void {
        this.messages.push(text);
    }

    hangUp(): void {
        if (this.isOver) return;
        this.end(0, true);
    }

    answers(): void {
        this.isEstablished = true;
        this.events.answered?.();
    }

    /** Answered, and sound and pictures flow. */
    connects(): void {
        this.answers();
        this.wire.becomes('connected');
    }

    end(status: number, byUs = false): void {
        [this.isOver, this.isEstablished] = [true, false];
        // As JsSIP does it, before it says so.
        this.wire.connectionState = 'closed';
        this.events.over?.(status, 'over', byUs);
    }
}

export class FakePhone implements Phone {
    readonly calls: FakeCall[] = [];
    isStopped = false;

    constructor(readonly account: Account, readonly events: PhoneEvents) {}

    call(target: string, stream: MediaStream, _video: boolean, events: CallEvents, headers: Record<string, string> = {}): Call {
        const call = new FakeCall(target, stream, events, headers);
        this.calls.push(call);
        return call;
    }

    stop(): void {
        this.isStopped = true;
    }

    /** The latest call to that target. */
    callTo(target: string): FakeCall {
        const call = this.calls.findLast(call => call.target === target);
        if (call === undefined) throw new Error(`no call to ${target}: ${this.calls.map(({ target }) => target)}`);
        return call;
    }
}

export class FakeIncoming implements Incoming {
    refused = false;
    isOver = false;
    answered: FakeCall | null = null;

    constructor(readonly from: string, readonly name = '') {}

    answer(stream: MediaStream, events: CallEvents): Call {
        if (this.isOver) throw new Error('it is over');
        this.answered = new FakeCall(this.from, stream, events);
        return this.answered;
    }

    refuse(): void {
        if (this.isOver) throw new Error('it is over');
        this.refused = true;
    }
}

/** What a browser would show and play. */
export class FakeMedia implements Media {
    readonly shown = new Set<string>();
    readonly audible = new Map<string, boolean>();
    readonly sending = new Map<string, boolean>();
    heard: unknown = null;

    outgoing(audio: boolean, video: boolean): MediaStream {
        return { audio, video } as unknown as MediaStream;
    }

    hearGateway(connection: RTCPeerConnection): void {
        this.heard = connection;
    }

    show(id: string): void {
        this.shown.add(id);
    }

    unshow(id: string): void {
        this.shown.delete(id);
        this.audible.delete(id);
    }

    playsSound(id: string, plays: boolean): void {
        if (this.shown.has(id)) this.audible.set(id, plays);
    }

    sendsPicture(id: string, sends: boolean): void {
        this.sending.set(id, sends);
    }
}

export class FakeHost implements Host {
    listed: ListedCall[] = [];
    locked = false;
    readonly done: string[] = [];
    /** Tells how it goes with the telephone that was called. */
    tell: (event: DialEvent) => void = () => {};

    private async note(what: string): Promise<void> {
        this.done.push(what);
    }

    async rooms() { return []; }
    async makeRoom() {}
    async invite(room: string, name: string) { return `https://gateway.example/join/${room}/${name}`; }
    async calls() { return { calls: this.listed, locked: this.locked }; }
    async dial(_room: string, number: string, told: (event: DialEvent) => void) {
        await this.note(`dial ${number}`);
        told({ type: 'progress', call: 'call-1-9', what: 'calling by trunk carrier' });
        this.tell = told;
    }
    digits(call: string, digits: string) { return this.note(`digits ${call} ${digits}`); }
    mute(call: string, muted: boolean) { return this.note(`mute ${call} ${muted}`); }
    remove(call: string) { return this.note(`remove ${call}`); }
    lock(_room: string, locked: boolean) { return this.note(`lock ${locked}`); }
    end(room: string) { return this.note(`end ${room}`); }
}

export const admitted = (change: Partial<Admitted> = {}): Admitted => ({
    room: 'board', name: 'Mia', host: false, user: 'mia', password: 'secret', uri: 'sip:mia@sip.example.com',
    websocket: 'wss://gateway.example/sip', call: 'sip:joinconf@sip.example.com', byScenario: true, iceServers: [], accessNumber: '', pin: '',
    ...change,
});

/** A conference with all of these. */
export function conference(change: Partial<Admitted> = {}, host: FakeHost | null = null) {
    const clock = new FakeClock();
    const media = new FakeMedia();
    const phones: FakePhone[] = [];
    const guest: Guest & { joins: number; refuses: Problem | null } = {
        joins: 0,
        refuses: null,
        look: async () => ({ room: 'board', name: 'Mia', host: false }),
        join: async () => {
            guest.joins += 1;
            if (guest.refuses !== null) throw guest.refuses;
            return admitted({ ...change, user: 'mia-2', uri: 'sip:mia-2@sip.example.com' });
        },
    };
    const given = admitted(change);
    const store = new Store(beginning(given.room, { user: given.user, name: given.name, host: given.host, muted: false, camera: true }, !given.byScenario));
    const startPhone = (account: Account, events: PhoneEvents) => {
        const phone = new FakePhone(account, events);
        phones.push(phone);
        return phone;
    };
    const meeting = new Meeting({ store, media, clock, startPhone, guest, host }, given);
    const phone = () => phones.at(-1)!;
    const state = (): Conference => store.state;
    /** Registered, and in the conference. */
    const join = () => {
        phone().events.registered();
        phone().callTo(given.call).connects();
        return phone().callTo(given.call);
    };
    /** The conference tells who is here. */
    const tell = (...ids: string[]) => {
        const peers = ids.map(id => ({ callerid: id, displayName: id.toUpperCase() }));
        phone().callTo(given.call).events.message?.(JSON.stringify({ peers, pstnCalls: [] }));
    };
    return { clock, media, phones, phone, guest, store, meeting, state, join, tell };
}
