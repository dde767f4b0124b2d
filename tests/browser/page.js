// What the tests do in a browser: users with SIP clients, tones that they say, and ears for what they hear.

import { WHIPClient } from '@eyevinn/whip-web-client';
import JsSIP from 'jssip';
import * as SIP from 'sip.js';

const context = new AudioContext({ sampleRate: 48000 });
const FFT = 8192;
/** How long anything may take, milliseconds. */
const LIMIT = 15000;

/** All descriptions that were handed to peer connections, as they came. */
const described = [];
/** Nothing but TCP passes: candidates by UDP reach neither side. */
let onlyTcp = false;
export const passesOnlyTcp = only => { onlyTcp = only; };
const passed = sdp => onlyTcp ? sdp.replace(/a=candidate:\S+ \d+ udp .*\r\n/gi, '') : sdp;

const setRemote = RTCPeerConnection.prototype.setRemoteDescription;
RTCPeerConnection.prototype.setRemoteDescription = function (description) {
    described.push(description.sdp);
    return setRemote.call(this, { type: description.type, sdp: passed(description.sdp) });
};

/** A promise that is kept by `begin(resolve, reject)`, in time. */
function within(what, begin) {
    return new Promise((resolve, reject) => {
        setTimeout(() => reject(new Error(`waited in vain: ${what}`)), LIMIT);
        begin(resolve, reject);
    });
}

/** Looks until `fact()` holds. */
export const until = (what, fact) => within(what, done => {
    const look = async () => await fact() ? done() : setTimeout(look, 50);
    look();
});

export const wait = milliseconds => new Promise(resolve => setTimeout(resolve, milliseconds));

/** A microphone that hears a tone. */
function tone(hertz) {
    const oscillator = new OscillatorNode(context, { frequency: hertz });
    const gain = new GainNode(context, { gain: 0.2 });
    const out = new MediaStreamAudioDestinationNode(context, { channelCount: 1 });
    oscillator.connect(gain).connect(out);
    oscillator.start();
    return out.stream;
}

/** Level of what a stream has at each of these frequencies, dB. */
async function levels(stream, hertz) {
    // Without an element that plays it, nothing flows.
    const player = new Audio();
    player.muted = true;
    player.srcObject = stream;
    await player.play();
    const analyser = new AnalyserNode(context, { fftSize: FFT, smoothingTimeConstant: 0 });
    const source = new MediaStreamAudioSourceNode(context, { mediaStream: stream });
    source.connect(analyser);
    await wait(1000);
    const bins = new Float32Array(analyser.frequencyBinCount);
    analyser.getFloatFrequencyData(bins);
    source.disconnect();
    return hertz.map(one => {
        const bin = Math.round(one * FFT / context.sampleRate);
        return Math.max(-200, ...bins.slice(bin - 2, bin + 3));
    });
}

/** One user with one call at a time. `connection()` is the call's RTCPeerConnection. */
class User {
    remote() {
        return new MediaStream(this.connection().getReceivers().map(receiver => receiver.track));
    }

    hears(hertz) {
        return levels(new MediaStream(this.remote().getAudioTracks()), hertz);
    }

    contributors() {
        const receiver = this.connection().getReceivers().find(one => one.track.kind === 'audio');
        return receiver.getContributingSources().map(one => one.source).sort();
    }

    async presses(digits) {
        const sender = this.connection().getSenders().find(one => one.dtmf);
        sender.dtmf.insertDTMF(digits, 120, 100);
        await within('the last key', done => {
            sender.dtmf.ontonechange = event => event.tone === '' && done();
        });
    }

    async codecs() {
        const stats = [...(await this.connection().getStats()).values()];
        const named = type => {
            const stream = stats.find(one => one.type === type && one.kind === 'audio');
            return stats.find(one => one.id === stream?.codecId)?.mimeType;
        };
        return { sent: named('outbound-rtp'), received: named('inbound-rtp') };
    }

    /** What packets go by: `udp` or `tcp`. */
    async protocol() {
        const stats = await this.connection().getStats();
        const pair = [...stats.values()].find(one => one.type === 'candidate-pair' && one.nominated && one.state === 'succeeded');
        return stats.get(pair?.remoteCandidateId)?.protocol;
    }

    /** Numbers of pictures that came. */
    async pictures() {
        const stats = [...(await this.connection().getStats()).values()];
        return stats.find(one => one.type === 'inbound-rtp' && one.kind === 'video')?.framesDecoded ?? 0;
    }
}

class JsSipUser extends User {
    constructor(server, domain, name, password) {
        super();
        this.domain = domain;
        this.said = [];
        this.read = [];
        const sockets = [new JsSIP.WebSocketInterface(server)];
        this.ua = new JsSIP.UA({ sockets, uri: `sip:${name}@${domain}`, password, register: true });
        this.ua.on('newMessage', ({ originator, request }) => {
            if (originator === 'remote') this.read.push(request.body);
        });
        this.ua.on('newRTCSession', ({ originator, session }) => {
            if (originator === 'remote') this.incoming = session;
        });
    }

    registers() {
        return within('registration', (resolve, reject) => {
            this.ua.on('registered', () => resolve('registered'));
            this.ua.on('registrationFailed', ({ response, cause }) => reject(new Error(response?.status_code ?? cause)));
            this.ua.start();
        });
    }

    options(stream, video) {
        const offer = { offerToReceiveAudio: true, offerToReceiveVideo: video };
        return { mediaStream: stream, mediaConstraints: { audio: true, video }, rtcOfferConstraints: offer, pcConfig: { iceServers: [] } };
    }

    async stream(hertz, video) {
        const stream = tone(hertz);
        if (video) (await navigator.mediaDevices.getUserMedia({ video })).getTracks().forEach(one => stream.addTrack(one));
        return stream;
    }

    async calls(whom, hertz, video = false, extraHeaders = []) {
        const options = { ...this.options(await this.stream(hertz, video), video), extraHeaders };
        this.session = this.ua.call(`sip:${whom}@${this.domain}`, options);
        this.session.on('sdp', event => {
            if (event.originator !== 'local') return;
            event.sdp = passed(event.sdp);
            this.said.push(event.sdp);
        });
        return within('an answer', (resolve, reject) => {
            this.session.on('confirmed', () => resolve('confirmed'));
            this.session.on('failed', ({ message, cause }) => reject(new Error(message?.status_code ?? cause)));
        });
    }

    async answers(hertz, video = false) {
        await until('a call', () => this.incoming);
        this.session = this.incoming;
        this.session.answer(this.options(await this.stream(hertz, video), video));
        return within('confirmation', (resolve, reject) => {
            this.session.on('confirmed', () => resolve('confirmed'));
            this.session.on('failed', ({ cause }) => reject(new Error(cause)));
        });
    }

    connection() {
        return this.session.connection;
    }

    holds(on) {
        return within('hold', done => on ? this.session.hold({}, done) : this.session.unhold({}, done));
    }

    says(whom, text) {
        return within('an answer to the message', (resolve, reject) => {
            const eventHandlers = {
                succeeded: () => resolve('taken'),
                failed: ({ response, cause }) => reject(new Error(response?.status_code ?? cause)),
            };
            this.ua.sendMessage(`sip:${whom}@${this.domain}`, text, { eventHandlers });
        });
    }

    /** The same within the call. */
    writes(text) {
        return within('an answer to the text', (resolve, reject) => {
            const eventHandlers = {
                onSuccessResponse: () => resolve('taken'),
                onErrorResponse: response => reject(new Error(response.status_code)),
            };
            this.session.sendRequest('MESSAGE', { extraHeaders: ['Content-Type: text/plain'], body: text, eventHandlers });
        });
    }

    informs(text) {
        this.session.sendInfo('text/plain', text);
    }

    hangsUp() {
        this.session.terminate();
    }

    isOver() {
        return within('the end', done => this.session.isEnded() ? done() : this.session.on('ended', () => done()));
    }
}

class SipJsUser extends User {
    constructor(server, domain, name, password) {
        super();
        this.domain = domain;
        this.read = [];
        this.infos = [];
        this.ua = new SIP.UserAgent({
            uri: SIP.UserAgent.makeURI(`sip:${name}@${domain}`),
            transportOptions: { server },
            authorizationUsername: name,
            authorizationPassword: password,
            logLevel: 'error',
            sessionDescriptionHandlerFactory: SIP.Web.defaultSessionDescriptionHandlerFactory(() => this.microphone()),
            sessionDescriptionHandlerFactoryOptions: { iceGatheringTimeout: 1000, peerConnectionConfiguration: { iceServers: [] } },
            delegate: {
                onDisconnect: error => error && this.reconnects(),
                onInvite: invitation => { this.incoming = invitation; },
                onMessage: message => {
                    this.read.push(message.request.body);
                    message.accept();
                },
            },
        });
    }

    async microphone() {
        const stream = tone(this.hertz);
        if (this.video) (await navigator.mediaDevices.getUserMedia({ video: true })).getTracks().forEach(one => stream.addTrack(one));
        return stream;
    }

    /** SIP.js leaves it to the page to connect again. */
    async reconnects() {
        for (;;) {
            await wait(1000);
            try {
                await this.ua.reconnect();
                return this.registerer.register();
            } catch {
                // Not there yet.
            }
        }
    }

    async registers() {
        await this.ua.start();
        return within('registration', (resolve, reject) => {
            this.registerer = new SIP.Registerer(this.ua);
            const onReject = response => reject(new Error(response.message.statusCode));
            this.registerer.register({ requestDelegate: { onAccept: () => resolve('registered'), onReject } });
        });
    }

    async calls(whom, hertz) {
        this.hertz = hertz;
        const inviter = new SIP.Inviter(this.ua, SIP.UserAgent.makeURI(`sip:${whom}@${this.domain}`));
        this.session = inviter;
        return within('an answer', (resolve, reject) => {
            inviter.stateChange.addListener(state => state === SIP.SessionState.Established && resolve('confirmed'));
            inviter.invite({ requestDelegate: { onReject: response => reject(new Error(response.message.statusCode)) } });
        });
    }

    async answers(hertz, video = false) {
        [this.hertz, this.video] = [hertz, video];
        await until('a call', () => this.incoming);
        this.session = this.incoming;
        this.session.delegate = { onInfo: info => { this.infos.push(info.request.body); info.accept(); } };
        return within('confirmation', resolve => {
            this.session.stateChange.addListener(state => state === SIP.SessionState.Established && resolve('confirmed'));
            this.session.accept({ sessionDescriptionHandlerOptions: { constraints: { audio: true, video } } });
        });
    }

    connection() {
        return this.session.sessionDescriptionHandler.peerConnection;
    }

    hangsUp() {
        return this.session.bye();
    }

    isOver() {
        const over = SIP.SessionState.Terminated;
        return within('the end', done => this.session.state === over ? done()
            : this.session.stateChange.addListener(state => state === over && done()));
    }
}

/** Somebody who talks into a room by WHIP. */
class WhipUser {
    constructor(endpoint, authkey) {
        this.client = new WHIPClient({ endpoint, opts: { authkey, timeout: 1000 } });
    }

    async talks(hertz) {
        const iceServers = await this.client.setIceServersFromEndpoint();
        await this.client.ingest(tone(hertz));
        return iceServers;
    }

    leaves() {
        return this.client.destroy();
    }
}

/** Somebody who listens to a room by WHEP, with nothing but fetch(). */
class WhepUser extends User {
    async listens(endpoint, token) {
        this.token = token;
        this.peer = new RTCPeerConnection();
        this.peer.addTransceiver('audio', { direction: 'recvonly' });
        await this.peer.setLocalDescription();
        await within('candidates', done => {
            this.peer.onicegatheringstatechange = () => this.peer.iceGatheringState === 'complete' && done();
        });
        const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/sdp' };
        const response = await fetch(endpoint, { method: 'POST', headers, body: this.peer.localDescription.sdp });
        if (response.status !== 201) throw new Error(response.status);
        this.place = new URL(response.headers.get('Location'), endpoint);
        await this.peer.setRemoteDescription({ type: 'answer', sdp: await response.text() });
        return within('a connection', done => {
            this.peer.onconnectionstatechange = () => this.peer.connectionState === 'connected' && done('connected');
        });
    }

    connection() {
        return this.peer;
    }

    async leaves() {
        const headers = { Authorization: `Bearer ${this.token}` };
        return (await fetch(this.place, { method: 'DELETE', headers })).status;
    }
}

/** Whether a WebSocket opens there. */
export const opens = (server, protocol) => within('a WebSocket', done => {
    const socket = protocol ? new WebSocket(server, protocol) : new WebSocket(server);
    socket.onopen = () => done(true);
    socket.onerror = () => done(false);
});

export { JsSipUser, SipJsUser, WhepUser, WhipUser, described };
