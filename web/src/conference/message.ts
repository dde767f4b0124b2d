// Messages of the conference (the gateway's scenarios) and of peers (within direct calls), as JSON.

import * as read from './read';
import { type ChatLine, type Disturbance, DISTURBANCES, type Disturbing } from './state';

/** Octets of the longest message. */
export const LONGEST = 8 * 1024;
/** Characters of one line of the chat. */
export const LONGEST_LINE = 2000;
const MOST = 1000;
const name = read.text(256);

export interface ListedPeer {
    readonly id: string;
    readonly name: string;
}

/** What the conference tells. */
export interface ListedTelephone {
    /** What the conference calls it; without that, its number. */
    readonly id: string;
    readonly number: string;
    /** The user who has had it called; empty: nobody, or not told. */
    readonly caller: string;
    /** It is heard, and hears the others. */
    readonly isIn: boolean;
}

export type ConferenceMessage =
    /** Who is here. */
    | { type: 'peers'; peers: ListedPeer[]; telephones: ListedTelephone[] }
    /** A telephone is called. */
    | { type: 'calling'; id: string; number: string; caller: string }
    | { type: 'ringing'; id: string }
    | { type: 'connected'; id: string; number: string; inbound: boolean }
    | { type: 'failed'; id: string; number: string; reason: string }
    | { type: 'disconnected'; id: string }
    /** A direct call of ours to this peer found no way through. */
    | { type: 'ice-failed'; peer: string }
    /** What hosts have done; whether we are one. Conferences that know no hosts tell nothing of it. */
    | { type: 'state'; host: boolean; locked: boolean; silenced: string[]; disturbing: Disturbing }
    /** We are sent away. */
    | { type: 'removed' }
    | { type: 'ended' }
    /** We are not taken; by the status of a refusal. */
    | { type: 'turned-away'; status: number };

const info = read.object({
    peers: read.list(read.object({ callerid: name, displayName: read.maybe(name, '') }), MOST),
    pstnCalls: read.maybe(read.list(read.object({
        id: read.maybe(name, ''), callerid: read.maybe(name, ''), caller: read.maybe(name, ''), state: read.maybe(name, 'in'),
    }), MOST), []),
});
const about = read.object({
    id: read.maybe(name, ''),
    number: read.maybe(name, ''),
    caller: read.maybe(name, ''),
    inbound: read.maybe(read.flag, false),
    reason: read.maybe(name, ''),
});
const kind = read.object({ type: read.maybe(read.text(64), '') });
const disturbing = read.object({ id: name, disturbs: read.list(name, 16) });
const state = read.object({
    host: read.flag, locked: read.flag, muted: read.list(name, MOST), disturbing: read.maybe(read.list(disturbing, MOST), []),
});
const turnedAway = read.object({ code: read.number(300, 699) });
const iceFailed = read.object({ callee: name });

/** Reads a message of the conference; null: it is none that we know. */
export function conferenceMessage(content: string): ConferenceMessage | null {
    if (content.length > 64 * LONGEST) return null;
    const type = read.json(kind, content)?.type;
    if (type === undefined) return null;
    if (type === '') {
        const list = read.json(info, content);
        return list && {
            type: 'peers',
            peers: list.peers.map(({ callerid, displayName }) => ({ id: userOf(callerid), name: displayName })),
            telephones: list.pstnCalls.map(({ id, callerid, caller, state }) => ({
                id: id || callerid, number: callerid, caller: userOf(caller), isIn: state === 'in',
            })),
        };
    }
    if (type === 'ICE_FAILED') {
        const failed = read.json(iceFailed, content);
        return failed && { type: 'ice-failed', peer: userOf(failed.callee) };
    }
    if (type === 'CONFERENCE_STATE') {
        const told = read.json(state, content);
        return told && {
            type: 'state', host: told.host, locked: told.locked, silenced: told.muted.map(userOf),
            disturbing: disturbingOf(told.disturbing.map(({ id, disturbs }) => [userOf(id), disturbs])),
        };
    }
    if (type === 'CONFERENCE_REFUSED') {
        const told = read.json(turnedAway, content);
        return told && { type: 'turned-away', status: told.code };
    }
    const told = read.json(about, content);
    if (told === null) return null;
    const { number, caller, inbound, reason } = told;
    const id = told.id || number;
    switch (type) {
        case 'CALL_PARTICIPANT': return { type: 'calling', id, number, caller: userOf(caller) };
        case 'CALL_PARTICIPANT_RINGING': return { type: 'ringing', id };
        case 'CALL_PARTICIPANT_CONNECTED': return { type: 'connected', id, number, inbound };
        case 'CALL_PARTICIPANT_FAILED': return { type: 'failed', id, number, reason };
        case 'CALL_PARTICIPANT_DISCONNECTED': return { type: 'disconnected', id };
        case 'PARTICIPANT_REMOVED': return { type: 'removed' };
        case 'CONFERENCE_ENDED': return { type: 'ended' };
        default: return null;
    }
}

/** Who disturbs by what we know; what a later gateway may name is passed over. */
export function disturbingOf(told: readonly (readonly [id: string, disturbs: readonly string[]])[]): Disturbing {
    const known = (disturbs: readonly string[]): Disturbance[] => DISTURBANCES.filter(one => disturbs.includes(one));
    return new Map(told.map(([id, disturbs]) => [id, known(disturbs)] as const).filter(([, disturbs]) => disturbs.length > 0));
}

/** The user of `sip:anna@example.com`, `anna@example.com` or `anna`. */
export function userOf(address: string): string {
    return address.replace(/^sips?:/i, '').split('@')[0] ?? '';
}

/** What is told the conference. */
export const toConference = {
    /** Has a telephone called. */
    call: (number: string) => JSON.stringify({ type: 'CALL_PARTICIPANT', number }),
    /** A call of `caller` to us found no way through: it is to be told, and to try once more. */
    iceFailed: (caller: string, callee: string, displayName: string) =>
        JSON.stringify({ type: 'ICE_FAILED', caller, callee, displayName }),
    /** Presses a key of a telephone. */
    tone: (id: string, number: string, tone: string) => JSON.stringify({ type: 'SEND_TONE', id, number, tone }),
    hangUp: (id: string) => JSON.stringify({ type: 'HANGUP_PARTICIPANT', id }),
    /** There is no way between us and this peer: its sound is to come through the gateway, or no longer. */
    relay: (peer: string, on: boolean) => JSON.stringify({ type: 'RELAY_SOUND', peer, on }),
    // What hosts alone may ask for. `id` is a peer's or a telephone's.
    lock: (on: boolean) => JSON.stringify({ type: 'LOCK_CONFERENCE', on }),
    mute: (id: string, on: boolean) => JSON.stringify({ type: 'MUTE_PARTICIPANT', id, on }),
    remove: (id: string) => JSON.stringify({ type: 'REMOVE_PARTICIPANT', id }),
    end: () => JSON.stringify({ type: 'END_CONFERENCE' }),
};

/** What a peer tells of itself. */
export interface PeerStatus {
    readonly name: string;
    readonly muted: boolean;
    readonly hand: boolean;
    readonly camera: boolean;
    readonly sharing: boolean;
    /** Whether it wants our picture now. */
    readonly wants: boolean;
}

export type PeerMessage = { type: 'status'; status: PeerStatus } | { type: 'chat'; lines: ChatLine[] };

const status = read.object({
    name: read.text(64), muted: read.flag, hand: read.flag, camera: read.flag, sharing: read.flag,
    wants: read.maybe(read.flag, true),
});
const line = read.object({ id: read.text(64), from: read.text(64), text: read.text(LONGEST_LINE), at: read.number(0, 8.64e15) });
const lines = read.object({ lines: read.list(line, MOST) });

/** Reads a message of a peer; null: it is none that we know. */
export function peerMessage(content: string): PeerMessage | null {
    if (content.length > LONGEST) return null;
    switch (read.json(kind, content)?.type) {
        case 'STATUS': {
            const told = read.json(status, content);
            return told && { type: 'status', status: told };
        }
        case 'CHAT': {
            const told = read.json(lines, content);
            return told && { type: 'chat', lines: told.lines };
        }
        default: return null;
    }
}

/** A status, as it is sent. */
export function statusMessage(status: PeerStatus): string {
    return JSON.stringify({ type: 'STATUS', ...status });
}

/** Lines of the chat as messages none of which is too long; the newest ones, where there are too many. */
export function chatMessages(chat: readonly ChatLine[]): string[] {
    const messages: string[] = [];
    let lines: ChatLine[] = [];
    const octets = (text: string) => new TextEncoder().encode(text).length;
    const written = (lines: ChatLine[]) => JSON.stringify({ type: 'CHAT', lines });
    for (const line of chat.slice(-100)) {
        if (lines.length > 0 && octets(written([...lines, line])) > LONGEST) {
            messages.push(written(lines));
            lines = [];
        }
        lines.push(line);
    }
    return lines.length > 0 ? [...messages, written(lines)] : messages;
}
