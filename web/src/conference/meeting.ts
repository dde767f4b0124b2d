// A conference as it is lived through: in by the gateway, direct calls with peers, back after the connection was lost.

import { type Admitted, type DialEvent, type Guest, type Host, Problem } from '../gateway/gateway';
import type { Call, Incoming, Phone, StartPhone } from '../signalling/phone';
import { masked } from './invitation';
import { Links } from './links';
import { chatMessages, conferenceMessage, LONGEST_LINE, toConference } from './message';
import { byApi, byMessages, type Moderation } from './moderation';
import { delay } from './retry';
import type { ChatLine, Me, Over, Telephone, TelephoneState } from './state';
import type { Store } from './store';
import type { Clock, Media } from './world';

/** How long registering, and the conference's answer, may take, milliseconds. */
const REGISTERING = 4_000;
const ANSWERING = 8_000;
/** A hang-up may be the first sign of a gateway that ends: whether the connection goes too is seen after this. */
const GOODBYE = 600;
/** How long the sound's connection may be interrupted. */
const INTERRUPTED = 4_000;
/** Time between two looks at who is in the room, where it is the API that tells. */
const LOOK = 2_000;
/** The status by which a locked conference refuses. */
const LOCKED = 423;

export interface World {
    readonly store: Store;
    readonly media: Media;
    readonly clock: Clock;
    readonly startPhone: StartPhone;
    readonly guest: Guest;
    /** What a host acts by; null: nothing of it. */
    readonly host: Host | null;
}

export class Meeting {
    private phone: Phone | null = null;
    private conference: Call | null = null;
    private readonly links: Links;
    /** Ends what waits for a step of coming in. */
    private waiting = () => {};
    private looking = () => {};
    private lines = 0;
    private readonly unlisten: () => void;

    constructor(private readonly world: World, private admitted: Admitted) {
        const domain = admitted.uri.split('@')[1] ?? '';
        const { store, media, clock } = world;
        this.links = new Links(store, media, clock, () => this.phone, text => this.conference?.message(text), domain);
        this.unlisten = store.listen(() => this.links.follow());
        this.connect();
        this.look();
    }

    private get store(): Store {
        return this.world.store;
    }

    private get isOver(): boolean {
        return this.store.state.phase.name === 'over';
    }

    private connect(): void {
        const { uri, user, password, websocket, iceServers } = this.admitted;
        const { name } = this.store.state.me;
        this.wait(REGISTERING, () => this.lost());
        let phone: Phone | null = null;
        // What comes from a phone that was given up means nothing.
        const ours = <A extends unknown[]>(told: (...given: A) => void) => (...given: A) => {
            if (phone === null || phone === this.phone) told(...given);
        };
        phone = this.world.startPhone({ uri, user, password, name, websocket, iceServers }, {
            registered: ours(() => this.registered()),
            lost: ours(() => this.lost()),
            refused: ours((status: number) => void this.notKnown(status)),
            incoming: ours((call: Incoming) => this.links.incoming(call)),
            message: ours((text: string) => this.told(text)),
        });
        this.phone = phone;
    }

    private wait(milliseconds: number, run: () => void): void {
        this.waiting();
        this.waiting = this.world.clock.after(milliseconds, run);
    }

    private registered(): void {
        if (this.conference !== null || this.phone === null) return;
        this.wait(ANSWERING, () => this.lost());
        const { call, room, byScenario } = this.admitted;
        const headers: Record<string, string> = byScenario ? { 'X-Conference-Id': room } : {};
        const stream = this.world.media.outgoing(true, false);
        let ours: Call | null = null;
        const isOurs = () => ours === null || this.conference === ours;
        ours = this.phone.call(call, stream, false, {
            connection: connection => {
                this.world.media.hearGateway(connection);
                connection.addEventListener('connectionstatechange', () => {
                    if (isOurs()) this.soundIs(connection);
                });
            },
            answered: () => {
                if (!isOurs()) return;
                this.waiting();
                this.store.dispatch({ type: 'joined' });
                void this.lookNow();
            },
            message: text => this.told(text),
            over: (status, cause, byUs) => {
                if (!isOurs() || byUs || this.isOver) return;
                this.conference = null;
                this.ended(status, cause);
            },
        }, headers);
        this.conference = ours;
    }

    private soundIs(connection: RTCPeerConnection): void {
        if (connection.connectionState === 'failed') this.lost();
        if (connection.connectionState !== 'disconnected') return;
        this.world.clock.after(INTERRUPTED, () => {
            const isSame = this.conference?.connection() === connection;
            if (isSame && connection.connectionState === 'disconnected') this.lost();
        });
    }

    /** The conference's call is over, and not by us. */
    private ended(status: number, cause: string): void {
        this.waiting();
        if (status === 0) {
            this.world.clock.after(GOODBYE, () => {
                if (this.store.state.phase.name === 'in') this.finish('hung-up');
            });
            return;
        }
        if (status === LOCKED) return this.finish('refused', 'room-locked');
        // What may be otherwise in a moment is tried again: too many calls, a gateway that starts.
        if ([408, 480, 500, 503].includes(status)) return this.lost();
        this.finish('refused', `${status} ${cause}`);
    }

    /** The connection is lost: everything begins anew, after a while that grows. */
    private lost(): void {
        if (this.isOver) return;
        this.waiting();
        this.store.dispatch({ type: 'lost' });
        this.letGo();
        const { phase } = this.store.state;
        const wait = delay(phase.name === 'reconnecting' ? phase.tries : 0);
        if (wait === null) return this.finish('refused', '');
        this.store.dispatch({ type: 'tried' });
        this.wait(wait, () => this.connect());
    }

    /** The network is another one, or back: no use in waiting. */
    networkChanged(): void {
        if (this.isOver || this.store.state.phase.name === 'joining') return;
        this.lost();
    }

    /** The gateway does not know us any more: the invitation makes us somebody again. */
    private async notKnown(status: number): Promise<void> {
        this.waiting();
        this.letGo();
        if (status >= 500) return this.lost();
        try {
            this.admitted = await this.world.guest.join();
        } catch (error) {
            const problem = error instanceof Problem ? error : new Problem(0, 'unreachable', String(error));
            if (problem.status >= 400 && problem.status < 500 && problem.status !== 429) {
                return this.finish('refused', problem.rule);
            }
            return this.lost();
        }
        if (this.isOver) return;
        this.store.dispatch({ type: 'mine', change: { user: this.admitted.user } });
        this.store.dispatch({ type: 'lost' });
        this.store.dispatch({ type: 'tried' });
        const { phase } = this.store.state;
        this.wait(delay(phase.name === 'reconnecting' ? phase.tries - 1 : 0) ?? 3_000, () => this.connect());
    }

    private told(text: string): void {
        const message = conferenceMessage(text);
        if (message === null) return;
        this.store.dispatch({ type: 'told', message, now: this.world.clock.now() });
        if (message.type === 'ice-failed') this.links.peerFoundNoWay(message.peer);
        if (message.type === 'failed') this.tellFailure(message.number, message.reason);
        if (message.type === 'removed' || message.type === 'ended') this.finish(message.type);
        if (message.type === 'turned-away') this.ended(message.status, '');
    }

    /** Who spoke, the last one first. */
    heard(spoke: readonly string[]): void {
        this.links.heard(spoke);
    }

    /** Whether a peer's sound still comes directly. */
    soundFlows(id: string, flows: boolean): void {
        this.links.soundFlows(id, flows);
    }

    // What the person does.

    mine(change: Partial<Pick<Me, 'muted' | 'camera' | 'sharing' | 'hand'>>): void {
        this.store.dispatch({ type: 'mine', change });
    }

    say(text: string): void {
        const { me } = this.store.state;
        const trimmed = text.trim().slice(0, LONGEST_LINE);
        if (trimmed === '') return;
        const now = this.world.clock.now();
        this.lines += 1;
        const line: ChatLine = { id: `${me.user}-${now}-${this.lines}`, from: me.name, text: trimmed, at: now };
        this.store.dispatch({ type: 'chat', lines: [line] });
        const missed = chatMessages([line]).flatMap(message => this.links.say(message));
        if (missed.length > 0) {
            this.store.dispatch({ type: 'notice', text: 'chat.missed', gaps: { names: missed.join(', ') }, kind: 'wrong' });
        }
    }

    /** Has a telephone called. */
    async callTelephone(number: string): Promise<void> {
        const { host, clock } = this.world;
        const { mixed, room } = this.store.state;
        if (!mixed) return this.conference?.message(toConference.call(number));
        if (host === null) throw new Problem(403, 'role', '');
        let id = '';
        await new Promise<void>((resolve, reject) => {
            const told = (event: DialEvent) => {
                const now = clock.now();
                if (id === '' && event.type === 'progress') {
                    id = event.call;
                    this.store.dispatch({ type: 'dialled', id, number, call: id, now });
                    resolve();
                }
                this.telephoneTold(id, number, event);
            };
            host.dial(room, number, told).then(resolve, reject);
        });
    }

    private telephoneTold(id: string, number: string, event: DialEvent): void {
        const now = this.world.clock.now();
        const is = (state: TelephoneState, reason = '') => this.store.dispatch({ type: 'telephone', id, state, reason, now });
        if (event.type === 'done') return is('in');
        if (event.type === 'progress') {
            if (/ringing|answered/.test(event.what)) is('ringing');
            return;
        }
        is('failed', event.detail);
        this.tellFailure(number, event.detail);
    }

    private tellFailure(number: string, reason: string): void {
        const text = reason === '' ? 'telephone.failed-notice' : 'telephone.failed-because';
        this.store.dispatch({ type: 'notice', text, gaps: { number: masked(number), reason }, kind: 'wrong' });
    }

    /** What we may do as host; null: nothing. */
    get moderation(): Moderation | null {
        const { me, mixed, role, room } = this.store.state;
        if (!mixed) return role === 'host' ? byMessages(text => this.conference?.message(text)) : null;
        const { host } = this.world;
        return me.host && host !== null ? byApi(host, room) : null;
    }

    async press(telephone: Telephone, key: string): Promise<void> {
        const { host } = this.world;
        if (telephone.call !== null && host !== null) return host.digits(telephone.call, key);
        this.conference?.message(toConference.tone(telephone.id, telephone.number, key));
    }

    /** Hangs up a telephone of a scenario. */
    hangUp(telephone: Telephone): void {
        this.conference?.message(toConference.hangUp(telephone.id));
    }

    private look(): void {
        this.looking = this.world.clock.after(LOOK, () => {
            this.store.dispatch({ type: 'clock', now: this.world.clock.now() });
            void this.lookNow().finally(() => { if (!this.isOver) this.look(); });
        });
    }

    /** Looks who is in the room, where there is somebody who may know. */
    async lookNow(): Promise<void> {
        const { host, clock } = this.world;
        // A scenario tells who is there itself.
        if (host === null || !this.store.state.mixed || this.store.state.phase.name !== 'in') return;
        try {
            const { calls, locked } = await host.calls(this.store.state.room);
            this.store.dispatch({ type: 'calls', calls, locked, now: clock.now() });
        } catch {
            // The next look may succeed; a lost connection is noticed elsewhere.
        }
    }

    leave(): void {
        this.finish('left');
    }

    private finish(why: Over, detail = ''): void {
        this.waiting();
        this.looking();
        this.store.dispatch({ type: 'over', why, detail });
        this.letGo();
        this.unlisten();
    }

    private letGo(): void {
        this.links.dropAll();
        const { conference, phone } = this;
        this.conference = null;
        this.phone = null;
        conference?.hangUp();
        phone?.stop();
    }
}
