// How a conference changes. Pure: the same state and the same action give the same state.

import { type ConferenceMessage, disturbingOf, type ListedPeer, type PeerStatus } from './message';
import { type ChatLine, type Conference, isThere, type Link, type Me, type Notice, type Over, type Peer, type Phase, type Telephone, type TelephoneState } from './state';

/** How long a telephone that has left, or failed, is still shown, milliseconds. */
export const SHOWN_LEFT = 5_000;
export const SHOWN_FAILED = 60_000;
/** After this time who is not in the list is not in the room, milliseconds. */
const SETTLING = 3_000;
/** Lines of the chat that are kept. */
export const KEPT_LINES = 500;
/** Direct calls that are tried before a peer's sound comes through the gateway. */
export const DIRECT_TRIES = 2;

/** A call in the room, as the API tells. */
export interface ListedCall {
    readonly call: string;
    /** The user's name; empty for a telephone. */
    readonly user: string;
    readonly name: string;
    readonly number: string;
    readonly state: string;
    readonly muted: boolean;
    /** By what it disturbs the others. */
    readonly disturbs: readonly string[];
}

export type Action =
    | { type: 'joined' }
    | { type: 'lost' }
    | { type: 'tried' }
    | { type: 'over'; why: Over; detail?: string }
    | { type: 'mine'; change: Partial<Me> }
    | { type: 'told'; message: ConferenceMessage; now: number }
    | { type: 'calls'; calls: readonly ListedCall[]; locked: boolean; now: number }
    | { type: 'dialled'; id: string; number: string; call: string | null; now: number }
    | { type: 'telephone'; id: string; state: TelephoneState; reason?: string; now: number }
    | { type: 'peer'; peer: ListedPeer }
    | { type: 'link'; id: string; link: Link }
    | { type: 'no-way'; id: string }
    | { type: 'status'; id: string; status: PeerStatus }
    | { type: 'gone'; id: string }
    | { type: 'chat'; lines: readonly ChatLine[] }
    | { type: 'chat-open'; open: boolean }
    | { type: 'speaker'; id: string | null }
    | { type: 'notice'; text: string; gaps?: Notice['gaps']; kind?: Notice['kind'] }
    | { type: 'dismiss'; id: number }
    | { type: 'clock'; now: number };

/** The next state. After the end nothing changes any more but what is shown of it. */
export function reduce(was: Conference, action: Action): Conference {
    if (was.phase.name === 'over' && action.type !== 'dismiss') return was;
    switch (action.type) {
        case 'joined': return { ...was, phase: { name: 'in' } };
        case 'lost': return was.phase.name === 'reconnecting' ? was : forgetLinks({ ...was, phase: { name: 'reconnecting', tries: 0 } });
        case 'tried': return { ...was, phase: tried(was.phase) };
        case 'over': return { ...was, phase: { name: 'over', why: action.why, detail: action.detail ?? '' }, peers: [], telephones: [], speaker: null };
        case 'mine': return { ...was, me: { ...was.me, ...action.change } };
        case 'told': return told(was, action.message, action.now);
        case 'calls': return listed(was, action.calls, action.locked, action.now);
        case 'dialled': return withTelephone(was, { ...blank(action.id, action.number, action.now), call: action.call });
        case 'telephone': return telephoneIs(was, action.id, action.state, action.now, action.reason);
        case 'peer': return withPeer(was, action.peer);
        // Whoever was reached is tried once more when they are not any more.
        case 'link': return changePeer(was, action.id, { link: action.link, ...(action.link === 'direct' ? { failures: 0 } : {}) });
        case 'no-way': return noWay(was, action.id);
        case 'status': {
            const { name, muted, hand, camera, sharing } = action.status;
            const peer = was.peers.find(peer => peer.id === action.id);
            return changePeer(was, action.id, { name: name || peer?.name || '', muted, hand, camera, sharing });
        }
        case 'gone': return { ...was, peers: was.peers.filter(peer => peer.id !== action.id), speaker: was.speaker === action.id ? null : was.speaker };
        case 'chat': return chatted(was, action.lines);
        case 'chat-open': return { ...was, chatOpen: action.open, unread: 0 };
        case 'speaker': return was.speaker === action.id ? was : { ...was, speaker: action.id };
        case 'notice': return noticed(was, action);
        case 'dismiss': return { ...was, notices: was.notices.filter(notice => notice.id !== action.id) };
        case 'clock': return expired(was, action.now);
    }
}

function tried(phase: Phase): Phase {
    return phase.name === 'reconnecting' ? { ...phase, tries: phase.tries + 1 } : phase;
}

/** After the connection was lost all direct calls begin anew. */
function forgetLinks(was: Conference): Conference {
    return { ...was, peers: was.peers.map(peer => ({ ...peer, link: 'waiting', failures: 0 })) };
}

function told(was: Conference, message: ConferenceMessage, now: number): Conference {
    switch (message.type) {
        case 'peers': {
            const others = message.peers.filter(({ id }) => id !== '' && id !== was.me.user);
            const stay = was.peers.filter(peer => others.some(({ id }) => id === peer.id));
            const peers = others.reduce(withPeer, { ...was, peers: stay, told: true });
            // Of a telephone that called in itself the reference's list has the number of the conference.
            const telephones = message.telephones.filter(({ number }) => /^\+?[0-9]{3,}$/.test(number));
            return telephones.reduce((all, { id, number, caller, isIn }) => {
                const isKnown = all.telephones.some(telephone => telephone.id === id && isThere(telephone));
                return isKnown ? all : withTelephone(all, { ...blank(id, number, now), caller, state: isIn ? 'in' : 'calling' });
            }, peers);
        }
        case 'calling': return withTelephone(was, { ...blank(message.id, message.number, now), caller: message.caller });
        case 'ringing': return telephoneIs(was, message.id, 'ringing', now);
        case 'connected': {
            const known = was.telephones.find(({ id }) => id === message.id) ?? blank(message.id, message.number, now);
            return withTelephone(was, { ...known, state: 'in', inbound: message.inbound, since: now });
        }
        case 'failed': return telephoneIs(was, message.id, 'failed', now, message.reason);
        case 'disconnected': return telephoneIs(was, message.id, 'left', now);
        case 'state': return { ...was, role: message.host ? 'host' : 'guest', locked: message.locked, silenced: message.silenced, disturbing: message.disturbing };
        // What to do about it is for whoever has the calls.
        case 'ice-failed':
        case 'removed':
        case 'ended':
        case 'turned-away': return was;
    }
}

/** All who are in the room, by the API: whoever is not among them has left. */
function listed(was: Conference, calls: readonly ListedCall[], locked: boolean, now: number): Conference {
    const users = calls.filter(call => call.user !== '' && call.user !== was.me.user);
    const staying = was.peers.filter(peer => users.some(({ user }) => user === peer.id));
    const silenced = calls.filter(({ muted }) => muted).map(({ user, call }) => user || call);
    const disturbing = disturbingOf(calls.map(({ user, call, disturbs }) => [user || call, disturbs]));
    const isAsBefore = JSON.stringify([...disturbing]) === JSON.stringify([...was.disturbing]);
    let all: Conference = { ...was, locked, silenced, disturbing: isAsBefore ? was.disturbing : disturbing, told: true, peers: staying };
    for (const { user, name, call } of users) all = changePeer(withPeer(all, { id: user, name }), user, { call });
    const phones = calls.filter(call => call.user === '');
    for (const { call, number, state } of phones) {
        const known = all.telephones.find(({ id }) => id === call) ?? { ...blank(call, number, now), call, inbound: true };
        const next = telephoneState(state);
        all = withTelephone(all, { ...known, state: next, since: known.state === next ? known.since : now });
    }
    // One that has just come may have come after the list was made.
    const isGone = ({ id, call, state, since }: Telephone) =>
        call !== null && state === 'in' && now - since > SETTLING && !phones.some(phone => phone.call === id);
    const gone = all.telephones.filter(isGone);
    return gone.reduce((rest, { id }) => telephoneIs(rest, id, 'left', now), all);
}

/** What the gateway calls a call's state, as we show it. */
function telephoneState(state: string): TelephoneState {
    if (/ring/.test(state)) return 'ringing';
    return /call|invit|dial|trying/.test(state) ? 'calling' : 'in';
}

function blank(id: string, number: string, now: number): Telephone {
    return { id, number, state: 'calling', reason: '', inbound: false, caller: '', call: null, since: now };
}

function withTelephone(was: Conference, telephone: Telephone): Conference {
    const at = was.telephones.findIndex(({ id }) => id === telephone.id);
    const telephones = at < 0 ? [...was.telephones, telephone] : was.telephones.with(at, telephone);
    return { ...was, telephones };
}

function telephoneIs(was: Conference, id: string, state: TelephoneState, now: number, reason = ''): Conference {
    const known = was.telephones.find(telephone => telephone.id === id);
    // Who left long ago is not shown again.
    if (known === undefined && state !== 'failed') return was;
    // A telephone that failed is also told to have gone.
    if (known?.state === 'failed' && state === 'left') return was;
    const speaker = was.speaker === id && state !== 'in' ? null : was.speaker;
    return withTelephone({ ...was, speaker }, { ...(known ?? blank(id, id, now)), state, reason, since: now });
}

function withPeer(was: Conference, { id, name }: ListedPeer): Conference {
    const known = was.peers.find(peer => peer.id === id);
    if (known !== undefined) return name === '' || known.name !== '' ? was : changePeer(was, id, { name });
    const peer: Peer = { id, name, link: 'waiting', failures: 0, muted: false, hand: false, camera: false, sharing: false, call: null };
    return { ...was, peers: [...was.peers, peer] };
}

function changePeer(was: Conference, id: string, change: Partial<Peer>): Conference {
    return { ...was, peers: was.peers.map(peer => (peer.id === id ? { ...peer, ...change } : peer)) };
}

/** A direct call found no way through: once more, and then through the gateway. */
function noWay(was: Conference, id: string): Conference {
    const peer = was.peers.find(peer => peer.id === id);
    if (peer === undefined || peer.link === 'gateway') return was;
    const failures = peer.failures + 1;
    return changePeer(was, id, { failures, link: failures < DIRECT_TRIES ? 'retrying' : 'gateway', camera: false, sharing: false });
}

function chatted(was: Conference, lines: readonly ChatLine[]): Conference {
    const known = new Set(was.chat.map(({ id }) => id));
    const fresh = lines.filter(({ id }) => !known.has(id) && known.add(id));
    if (fresh.length === 0) return was;
    const chat = [...was.chat, ...fresh].sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1)).slice(-KEPT_LINES);
    const others = fresh.filter(({ id }) => !id.startsWith(`${was.me.user}-`)).length;
    return { ...was, chat, unread: was.chatOpen ? 0 : was.unread + others };
}

function noticed(was: Conference, { text, gaps = {}, kind = 'told' }: Extract<Action, { type: 'notice' }>): Conference {
    const id = was.notices.reduce((last, notice) => Math.max(last, notice.id), 0) + 1;
    // The same thing is not said twice at a time.
    const others = was.notices.filter(notice => notice.text !== text || JSON.stringify(notice.gaps) !== JSON.stringify(gaps));
    return { ...was, notices: [...others, { id, text, gaps, kind }].slice(-4) };
}

function expired(was: Conference, now: number): Conference {
    const stays = ({ state, since }: Telephone) =>
        (state !== 'left' || now - since < SHOWN_LEFT) && (state !== 'failed' || now - since < SHOWN_FAILED);
    return was.telephones.every(stays) ? was : { ...was, telephones: was.telephones.filter(stays) };
}
