// Direct calls with peers: who is called, once more where there was no way through, and what is said in them.

import type { Call, CallEvents, Incoming, Phone } from '../signalling/phone';
import { callsFirst, wanted } from './direct';
import { chatMessages, type PeerStatus, peerMessage, statusMessage, toConference } from './message';
import { playsDirectSound } from './state';
import type { Store } from './store';
import type { Clock, Media } from './world';

/** How long a way through is looked for after the answer, milliseconds. */
const WAY = 5_000;
/** Time before a peer is called again. */
const AGAIN = 700;
/** How long a caller without a way through may take to call again: then they have left. */
const RETURN = 10_000;
/** Before our sound comes through the gateway for want of a direct way, and between its end and the direct sound. */
const RELAY = 2_500;
const HANDOVER = 300;
/** How long a call of somebody waits whom we have not been told of. */
const INTRODUCTION = 6_000;

interface Link {
    readonly call: Call;
    /** Ends what waits for the way through. */
    stop(): void;
    isThrough: boolean;
    /** What it was told last. */
    told: string;
}

/** Statuses that say: not allowed, and asking again does not help. */
const NEVER = new Set([403, 405, 415, 488, 603, 606]);

export class Links {
    private readonly links = new Map<string, Link>();
    private readonly waiting = new Set<Incoming>();
    /** Whose sound comes through the gateway, where it does not mix browsers. */
    private readonly relayed = new Set<string>();
    /** What calls off that the direct sound takes its place. */
    private readonly handovers = new Map<string, () => void>();
    private spoke: readonly string[] = [];

    constructor(
        private readonly store: Store,
        private readonly media: Media,
        private readonly clock: Clock,
        private readonly phone: () => Phone | null,
        private readonly tellConference: (message: string) => void,
        private readonly domain: string,
    ) {}

    /** Brings the calls in line with who is here. */
    follow(): void {
        const { phase, peers, me } = this.store.state;
        for (const [id] of this.links) {
            if (phase.name !== 'in' || !peers.some(peer => peer.id === id)) this.drop(id);
        }
        for (const id of this.relayed) {
            if (phase.name !== 'in' || !peers.some(peer => peer.id === id)) this.relayed.delete(id);
        }
        if (phase.name !== 'in') return;
        for (const incoming of this.waiting) {
            if (incoming.isOver) this.waiting.delete(incoming);
            else if (peers.some(({ id }) => id === incoming.from)) this.answer(incoming);
        }
        for (const peer of peers) {
            if (peer.link === 'waiting' && callsFirst(me.user, peer.id) && !this.links.has(peer.id)) this.call(peer.id);
            this.media.playsSound(peer.id, playsDirectSound(this.store.state, peer) && !this.relayed.has(peer.id));
        }
        this.tellStatus();
    }

    /** Who spoke, the last one first: where there are many, those are shown. */
    heard(spoke: readonly string[]): void {
        this.spoke = spoke;
        this.tellStatus();
    }

    call(id: string): void {
        const phone = this.phone();
        if (phone === null) return;
        this.drop(id);
        this.store.dispatch({ type: 'link', id, link: 'calling' });
        const stream = this.media.outgoing(!this.store.state.mixed, true);
        this.hold(id, events => phone.call(`sip:${id}@${this.domain}`, stream, true, events), true);
    }

    incoming(call: Incoming): void {
        this.waiting.add(call);
        this.clock.after(INTRODUCTION, () => {
            if (this.waiting.delete(call) && !call.isOver) call.refuse();
        });
        this.follow();
    }

    private answer(incoming: Incoming): void {
        this.waiting.delete(incoming);
        this.drop(incoming.from);
        const stream = this.media.outgoing(!this.store.state.mixed, true);
        this.hold(incoming.from, events => incoming.answer(stream, events), false);
    }

    /** A call of ours to that peer found no way through, as it tells by the conference. */
    peerFoundNoWay(id: string): void {
        const link = this.links.get(id);
        const peer = this.store.state.peers.find(peer => peer.id === id);
        if (link !== undefined && peer !== undefined && ['direct', 'interrupted', 'calling'].includes(peer.link)) this.noWay(id, true);
    }

    private hold(id: string, begin: (events: CallEvents) => Call, isOurs: boolean): void {
        let link: Link | null = null;
        const isCurrent = () => link !== null && this.links.get(id) === link;
        let stopTimer = () => {};
        const events: CallEvents = {
            connection: connection => {
                this.media.show(id, connection);
                connection.addEventListener('connectionstatechange', () => {
                    if (!isCurrent()) return;
                    if (connection.connectionState === 'connected') this.through(id);
                    if (connection.connectionState === 'disconnected') this.interrupted(id);
                    if (connection.connectionState === 'failed') this.noWay(id, isOurs);
                });
            },
            answered: () => {
                if (link === null || !isCurrent()) return;
                const isWaiting = () => isCurrent() && link?.isThrough === false;
                const stops = [
                    this.clock.after(RELAY, () => { if (isWaiting()) this.relay(id); }),
                    this.clock.after(WAY, () => { if (isWaiting()) this.noWay(id, isOurs); }),
                ];
                stopTimer = () => stops.forEach(stop => stop());
                for (const message of chatMessages(this.store.state.chat)) link.call.inform(message);
                this.tellStatus();
            },
            message: text => this.said(id, text),
            over: (status, _, byUs) => {
                if (!isCurrent() || byUs) return;
                // Who hangs up what has no way through, or none any more, has not left. The connection says nothing of it
                // now: it is closed.
                const isLost = link?.isThrough !== true || this.store.state.peers.find(peer => peer.id === id)?.link === 'interrupted';
                this.forget(id);
                if (status === 0 && !isLost) return this.store.dispatch({ type: 'gone', id });
                if (status === 0) return this.noWay(id, isOurs, true);
                if (NEVER.has(status)) return this.throughGateway(id);
                this.noWay(id, isOurs);
            },
        };
        const call = begin(events);
        link = { call, stop: () => stopTimer(), isThrough: false, told: '' };
        this.links.set(id, link);
    }

    private through(id: string): void {
        const link = this.links.get(id);
        if (link === undefined) return;
        if (this.relayed.has(id) && !this.handovers.has(id)) {
            this.tellConference(toConference.relay(id, false));
            this.handovers.set(id, this.clock.after(HANDOVER, () => {
                this.handovers.delete(id);
                this.relayed.delete(id);
                this.follow();
            }));
        }
        link.isThrough = true;
        this.store.dispatch({ type: 'link', id, link: 'direct' });
    }

    /** Whether sound still comes by a direct call: that it does not shows seconds before the connection says so. */
    soundFlows(id: string, flows: boolean): void {
        const link = this.links.get(id);
        const isDirect = this.store.state.peers.find(peer => peer.id === id)?.link === 'direct';
        if (link?.isThrough !== true || flows === isDirect) return;
        if (!flows) this.interrupted(id);
        else if (link.call.connection()?.connectionState === 'connected') this.through(id);
    }

    /** Nothing comes any more, for now at least. */
    private interrupted(id: string): void {
        if (this.links.get(id)?.isThrough === true) this.store.dispatch({ type: 'link', id, link: 'interrupted' });
        this.relay(id);
    }

    /** Has a peer's sound come through the gateway, until there is a direct way. */
    private relay(id: string): void {
        const callOff = this.handovers.get(id);
        if (this.store.state.mixed || (this.relayed.has(id) && callOff === undefined)) return;
        callOff?.();
        this.handovers.delete(id);
        this.relayed.add(id);
        this.tellConference(toConference.relay(id, true));
        this.media.playsSound(id, false);
    }

    /** `isKnown`: the peer has seen it too. */
    private noWay(id: string, isOurs: boolean, isKnown = false): void {
        this.store.dispatch({ type: 'no-way', id });
        const { peers, me } = this.store.state;
        const peer = peers.find(peer => peer.id === id);
        if (peer === undefined) return this.drop(id);
        // What is said in the call still gets through.
        if (peer.link === 'gateway') return this.throughGateway(id);
        this.drop(id);
        if (isOurs) {
            this.clock.after(AGAIN, () => {
                if (this.store.state.peers.some(peer => peer.id === id && peer.link === 'retrying')) this.call(id);
            });
            return;
        }
        this.clock.after(RETURN, () => {
            const isBack = this.links.has(id) || !this.store.state.peers.some(peer => peer.id === id && peer.link === 'retrying');
            if (!isBack) this.store.dispatch({ type: 'gone', id });
        });
        // Where the gateway mixes browsers nobody passes it on; the caller sees it too.
        if (!isKnown && !this.store.state.mixed) {
            this.tellConference(toConference.iceFailed(`sip:${id}@${this.domain}`, me.user, me.name));
        }
    }

    private throughGateway(id: string): void {
        this.media.unshow(id);
        this.relay(id);
        this.store.dispatch({ type: 'link', id, link: 'gateway' });
    }

    private said(id: string, text: string): void {
        const message = peerMessage(text);
        if (message === null) return;
        if (message.type === 'chat') {
            this.store.dispatch({ type: 'chat', lines: message.lines });
            return;
        }
        this.media.sendsPicture(id, message.status.wants);
        this.store.dispatch({ type: 'status', id, status: message.status });
    }

    /** Says a line of the chat to all. Gives whom it does not reach. */
    say(text: string): string[] {
        return this.store.state.peers.filter(({ id }) => {
            const link = this.links.get(id);
            link?.call.inform(text);
            return link === undefined || !link.call.isEstablished;
        }).map(({ name }) => name);
    }

    private tellStatus(): void {
        const { me, peers } = this.store.state;
        const pictures = wanted(peers, this.spoke);
        for (const [id, link] of this.links) {
            const { name, muted, hand, camera, sharing } = me;
            const status: PeerStatus = { name, muted, hand, camera: camera || sharing, sharing, wants: pictures.has(id) };
            const text = statusMessage(status);
            if (text === link.told || !link.call.isEstablished) continue;
            link.told = text;
            link.call.inform(text);
        }
    }

    private forget(id: string): void {
        this.links.get(id)?.stop();
        this.links.delete(id);
        this.media.unshow(id);
    }

    private drop(id: string): void {
        const call = this.links.get(id)?.call;
        this.forget(id);
        call?.hangUp();
    }

    dropAll(): void {
        for (const id of [...this.links.keys()]) this.drop(id);
        for (const incoming of this.waiting) if (!incoming.isOver) incoming.refuse();
        this.waiting.clear();
    }
}
