// What the page knows of a conference. Plain values: reducer.ts changes them, views show them.

/** How a peer's picture, and where the gateway does not mix browsers its sound, reach us. */
export type Link =
    /** No call between us yet. */
    | 'waiting'
    | 'calling'
    /** Directly. */
    | 'direct'
    /** Directly, but nothing comes for the moment: where the gateway can pass its sound on, it does. */
    | 'interrupted'
    /** It could not be reached directly, and is tried once more. */
    | 'retrying'
    /** It cannot be reached directly: its sound comes through the gateway, without a picture. */
    | 'gateway';

/** Somebody else in a browser. */
export interface Peer {
    /** The user's name: who is called. */
    readonly id: string;
    readonly name: string;
    readonly link: Link;
    /** Direct calls that failed for want of a way through. */
    readonly failures: number;
    readonly muted: boolean;
    readonly hand: boolean;
    readonly camera: boolean;
    readonly sharing: boolean;
    /** The name of its call in the gateway, as far as we are told: what a host acts upon. */
    readonly call: string | null;
}

export type TelephoneState = 'calling' | 'ringing' | 'in' | 'left' | 'failed';

/** Somebody on a telephone. */
export interface Telephone {
    /** The name of its call, or its number where that is all we are told. */
    readonly id: string;
    /** The number as it came; shown by `masked`. Empty: withheld. */
    readonly number: string;
    readonly state: TelephoneState;
    /** Why it failed, as the gateway said; empty: it did not say. */
    readonly reason: string;
    readonly inbound: boolean;
    /** The user who has had it called, as far as we are told; empty: nobody, or not told. */
    readonly caller: string;
    /** The name of its call in the gateway, as far as we are told. */
    readonly call: string | null;
    /** When its state began, milliseconds. */
    readonly since: number;
}

/** How somebody disturbs the others, as the gateway names it. */
export const DISTURBANCES = ['echo', 'noise', 'music'] as const;
export type Disturbance = (typeof DISTURBANCES)[number];
/** By what ids of peers and telephones disturb; who does not is not in it. */
export type Disturbing = ReadonlyMap<string, readonly Disturbance[]>;

/** A line of the chat. `id` is the same for all who have it. */
export interface ChatLine {
    readonly id: string;
    readonly from: string;
    readonly text: string;
    /** When it was written, milliseconds since 1970. */
    readonly at: number;
}

/** Ourselves. */
export interface Me {
    readonly user: string;
    readonly name: string;
    readonly host: boolean;
    readonly muted: boolean;
    readonly camera: boolean;
    readonly sharing: boolean;
    readonly hand: boolean;
}

/** Why the conference is over for us; `hung-up`: nobody said why. */
export type Over = 'left' | 'hung-up' | 'removed' | 'ended' | 'elsewhere' | 'refused';

/** What a scenario's conference takes us for; `none`: it knows neither hosts nor keys, and calls telephones alone. */
export type Role = 'none' | 'guest' | 'host';

export type Phase =
    | { readonly name: 'joining' }
    | { readonly name: 'in' }
    /** The connection was lost; `tries` have been made to get it back. */
    | { readonly name: 'reconnecting'; readonly tries: number }
    | { readonly name: 'over'; readonly why: Over; readonly detail: string };

/** Something the person is told: a key of the texts, and what stands in its gaps. */
export interface Notice {
    readonly id: number;
    readonly text: string;
    readonly gaps: Readonly<Record<string, string | number>>;
    readonly kind: 'told' | 'wrong';
}

export interface Conference {
    readonly phase: Phase;
    readonly room: string;
    readonly me: Me;
    /** The gateway mixes browsers too: direct calls then carry pictures alone, so that nobody is heard twice. */
    readonly mixed: boolean;
    readonly role: Role;
    readonly locked: boolean;
    /** Whom a host has muted: ids of peers and telephones, and our own user. */
    readonly silenced: readonly string[];
    /** Who disturbs the others; hosts are told. */
    readonly disturbing: Disturbing;
    /** We have been told who is here. */
    readonly told: boolean;
    readonly peers: readonly Peer[];
    readonly telephones: readonly Telephone[];
    readonly chat: readonly ChatLine[];
    readonly chatOpen: boolean;
    /** Lines of the chat that came while it was closed. */
    readonly unread: number;
    /** Who talks: a peer's or telephone's id, or `me`. */
    readonly speaker: string | null;
    readonly notices: readonly Notice[];
}

/** The state before anything has happened. */
export function beginning(room: string, me: Pick<Me, 'user' | 'name' | 'host' | 'muted' | 'camera'>, mixed: boolean): Conference {
    return {
        phase: { name: 'joining' },
        room,
        me: { ...me, sharing: false, hand: false },
        mixed,
        role: 'none',
        locked: false,
        silenced: [],
        disturbing: new Map(),
        told: false,
        peers: [],
        telephones: [],
        chat: [],
        chatOpen: false,
        unread: 0,
        speaker: null,
        notices: [],
    };
}

/** Whether a peer's sound that comes by the direct call is played: nobody is heard twice, and nobody whom a host muted. */
export function playsDirectSound(conference: Conference, peer: Peer): boolean {
    return !conference.mixed && peer.link === 'direct' && !isSilenced(conference, peer.id);
}

/** Whether a host has muted a peer or telephone, or us. */
export function isSilenced(conference: Conference, id: string): boolean {
    return conference.silenced.includes(id);
}

/** Whether nobody else is here. */
export function isAlone(conference: Conference): boolean {
    return conference.phase.name === 'in' && conference.peers.length === 0 && !conference.telephones.some(isThere);
}

/** Whether we may hang up a telephone of a scenario's conference as its guests do: one that we have had called. */
export function isOurs({ mixed, role, me }: Conference, telephone: Telephone): boolean {
    // A conference that knows no roles takes the end of no call.
    return !mixed && role !== 'none' && telephone.caller === me.user && isThere(telephone);
}

/** Whether a telephone is here, or on its way. */
export function isThere(telephone: Telephone): boolean {
    return telephone.state === 'calling' || telephone.state === 'ringing' || telephone.state === 'in';
}
