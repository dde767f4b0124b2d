// SIP over WebSocket, by JsSIP.

import JsSIP from 'jssip';
import type { IncomingRequest } from 'jssip/lib/SIPMessage';
import type { EndEvent, RTCSession, RTCSessionEventMap } from 'jssip/lib/RTCSession';
import type {
    IncomingMessageEvent, IncomingRTCSessionEvent, OutgoingMessageEvent, OutgoingRTCSessionEvent,
} from 'jssip/lib/UA';
import type { Account, Call, CallEvents, Incoming, Phone, PhoneEvents, StartPhone } from './phone';

/** How long candidates are waited for after the first one, milliseconds: those of this machine come at once. */
const GATHERING = 150;

/** Within a dialog JsSIP knows no MESSAGE. Both are methods of its sessions that its types leave out. */
interface Internals {
    sendRequest(method: string, options: { extraHeaders: string[]; body: string }): void;
    receiveRequest(request: IncomingRequest & { reply(status: number): void }): void;
}

class JsSipCall implements Call {
    session: RTCSession | null = null;
    isOver = false;
    private isConfirmed = false;

    constructor(private readonly events: CallEvents) {}

    /** What JsSIP tells of a session that is begun here. */
    handlers(): Partial<RTCSessionEventMap> {
        let gathering: ReturnType<typeof setTimeout> | undefined;
        const over = ({ originator, message, cause }: EndEvent, answered: boolean) => {
            this.isOver = true;
            clearTimeout(gathering);
            const status = !answered && message !== null && 'status_code' in message ? Number(message.status_code) : 0;
            this.events.over?.(status, cause, String(originator) === 'local');
        };
        return {
            peerconnection: ({ peerconnection }) => this.events.connection?.(peerconnection),
            icecandidate: ({ ready }) => { gathering ??= setTimeout(ready, GATHERING); },
            progress: () => this.events.ringing?.(),
            confirmed: () => {
                this.isConfirmed = true;
                this.events.answered?.();
            },
            newInfo: ({ originator, info }: { originator: string; info: { body: string | null } }) => {
                if (originator === 'remote') this.events.message?.(info.body ?? '');
            },
            ended: event => over(event, true),
            failed: event => over(event, false),
        } as Partial<RTCSessionEventMap>;
    }

    has(session: RTCSession): this {
        this.session = session;
        const internals = session as unknown as Internals;
        const receive = internals.receiveRequest.bind(session);
        internals.receiveRequest = request => {
            if (String(request.method) !== 'MESSAGE') return receive(request);
            request.reply(200);
            this.events.message?.(request.body ?? '');
        };
        return this;
    }

    /** JsSIP's own `isEstablished` holds a little too early: before the ACK nothing can be said. */
    get isEstablished(): boolean {
        return this.isConfirmed && !this.isOver;
    }

    connection(): RTCPeerConnection | null {
        return this.session?.connection ?? null;
    }

    inform(text: string): void {
        if (this.isEstablished) this.session?.sendInfo('application/json', text);
    }

    message(text: string): void {
        if (!this.isEstablished) return;
        const options = { extraHeaders: ['Content-Type: text/plain;charset=utf-8'], body: text };
        (this.session as unknown as Internals).sendRequest('MESSAGE', options);
    }

    hangUp(): void {
        if (this.session !== null && !this.session.isEnded()) this.session.terminate();
    }
}

class JsSipPhone implements Phone {
    private readonly ua: InstanceType<typeof JsSIP.UA>;
    private isOver = false;

    constructor(private readonly account: Account, events: PhoneEvents) {
        const { uri, password, name, websocket } = account;
        const sockets = [new JsSIP.WebSocketInterface(websocket)];
        this.ua = new JsSIP.UA({
            sockets, uri, password, display_name: name, register: true, register_expires: 120,
            // A lost connection is begun anew by whoever has the phone.
            connection_recovery_min_interval: 3600, connection_recovery_max_interval: 7200,
        });
        const told = (tell: () => void) => () => { if (!this.isOver) tell(); };
        this.ua.on('registered', told(() => events.registered()));
        this.ua.on('disconnected', told(() => { this.stop(); events.lost(); }));
        this.ua.on('registrationFailed', ({ response }) => told(() => {
            if (response === null || response === undefined) return events.lost();
            events.refused(response.status_code);
        })());
        this.ua.on('newMessage', (event: IncomingMessageEvent | OutgoingMessageEvent) => {
            const { request } = event as IncomingMessageEvent;
            if (String(event.originator) === 'remote') events.message(request.body ?? '', request.from.uri.user ?? '');
        });
        this.ua.on('newRTCSession', (event: IncomingRTCSessionEvent | OutgoingRTCSessionEvent) => {
            if (String(event.originator) === 'remote') events.incoming(this.incoming(event.session));
        });
        this.ua.start();
    }

    private incoming(session: RTCSession): Incoming {
        return {
            from: session.remote_identity.uri.user ?? '',
            name: session.remote_identity.display_name ?? '',
            get isOver() { return session.isEnded(); },
            answer: (stream, events) => {
                const call = new JsSipCall(events).has(session);
                for (const [name, handler] of Object.entries(call.handlers())) {
                    session.on(name as 'confirmed', handler as RTCSessionEventMap['confirmed']);
                }
                session.answer({ mediaStream: stream, pcConfig: this.configuration() });
                return call;
            },
            refuse: () => session.terminate({ status_code: 486 }),
        };
    }

    private configuration(): RTCConfiguration {
        return { iceServers: this.account.iceServers, bundlePolicy: 'max-bundle' };
    }

    call(target: string, stream: MediaStream, video: boolean, events: CallEvents, headers: Record<string, string> = {}): Call {
        const call = new JsSipCall(events);
        const session = this.ua.call(target, {
            mediaStream: stream,
            mediaConstraints: { audio: stream.getAudioTracks().length > 0, video: stream.getVideoTracks().length > 0 },
            pcConfig: this.configuration(),
            rtcOfferConstraints: { offerToReceiveAudio: stream.getAudioTracks().length > 0, offerToReceiveVideo: video },
            extraHeaders: Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
            eventHandlers: call.handlers(),
        });
        return call.has(session);
    }

    stop(): void {
        if (this.isOver) return;
        this.isOver = true;
        this.ua.stop();
    }
}

export const startPhone: StartPhone = (account, events) => new JsSipPhone(account, events);
