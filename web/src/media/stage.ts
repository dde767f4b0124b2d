// What comes from others: their pictures, their sound, and who is heard.

import type { Media } from '../conference/world';
import type { Devices } from './devices';

/** How old what a receiver says of a source may be, milliseconds. */
const FRESH = 120;

/** A direct call of which no sound has come for so long is interrupted, milliseconds: muted microphones send silence. */
const INTERRUPTED = 1_200;

interface Shown {
    readonly connection: RTCPeerConnection;
    readonly audio: HTMLAudioElement;
    readonly video: MediaStream;
    /** What its last sound is dated, by whatever clock; and when it was seen to be, 0 if there was none. */
    stamp: number;
    soundAt: number;
}

/** How old what is said of a source is, milliseconds. Browsers count from 1970, or from their start. */
function age({ timestamp }: { timestamp: number }): number {
    const now = performance.now();
    return Math.min(Math.abs(performance.timeOrigin + now - timestamp), Math.abs(now - timestamp));
}

/** What brings sound by a connection. */
function soundOf(connection: RTCPeerConnection): RTCRtpReceiver[] {
    return connection.getReceivers().filter(({ track }) => track.kind === 'audio');
}

export class Stage implements Media {
    /** Sound may not begin before somebody has clicked. */
    blocked = false;
    private gateway: { connection: RTCPeerConnection; audio: HTMLAudioElement } | null = null;
    private readonly peers = new Map<string, Shown>();
    private readonly wanted = new Map<string, boolean>();
    private readonly listeners = new Set<() => void>();

    private readonly unlisten: () => void;

    constructor(private readonly devices: Devices) {
        this.unlisten = devices.listen(() => this.allAudio().forEach(audio => this.useSpeaker(audio)));
    }

    listen(listener: () => void): () => void {
        this.listeners.add(listener);
        return () => this.listeners.delete(listener);
    }

    private changed(): void {
        for (const listener of [...this.listeners]) listener();
    }

    private allAudio(): HTMLAudioElement[] {
        const gateway = this.gateway === null ? [] : [this.gateway.audio];
        return [...gateway, ...[...this.peers.values()].map(({ audio }) => audio)];
    }

    outgoing(audio: boolean, video: boolean): MediaStream {
        return this.devices.outgoing(audio, video);
    }

    /** The picture of a peer. */
    picture(id: string): MediaStream | null {
        return this.peers.get(id)?.video ?? null;
    }

    private player(): HTMLAudioElement {
        const audio = document.createElement('audio');
        audio.autoplay = true;
        this.useSpeaker(audio);
        return audio;
    }

    private useSpeaker(audio: HTMLAudioElement): void {
        const { speaker } = this.devices.choice;
        if ('setSinkId' in audio && audio.sinkId !== speaker) audio.setSinkId(speaker).catch(() => {});
    }

    private play(audio: HTMLAudioElement, track: MediaStreamTrack): void {
        audio.srcObject = new MediaStream([track]);
        audio.play().catch((error: unknown) => {
            if (!(error instanceof DOMException && error.name === 'NotAllowedError')) return;
            this.blocked = true;
            this.changed();
        });
    }

    /** Somebody has clicked. */
    unblock(): void {
        this.blocked = false;
        void this.devices.context.resume();
        for (const audio of this.allAudio()) void audio.play().catch(() => {});
        this.changed();
    }

    hearGateway(connection: RTCPeerConnection): void {
        this.hush(this.gateway?.audio);
        const audio = this.player();
        this.gateway = { connection, audio };
        this.devices.follow(connection);
        connection.addEventListener('track', ({ track }) => this.play(audio, track));
    }

    private hush(audio: HTMLAudioElement | undefined): void {
        if (audio !== undefined) audio.srcObject = null;
    }

    show(id: string, connection: RTCPeerConnection): void {
        this.unshow(id);
        const shown: Shown = { connection, audio: this.player(), video: new MediaStream(), stamp: 0, soundAt: 0 };
        // Until it is known that nobody is heard twice.
        shown.audio.muted = true;
        this.peers.set(id, shown);
        this.devices.follow(connection);
        connection.addEventListener('track', ({ track }) => {
            if (track.kind === 'audio') return this.play(shown.audio, track);
            shown.video.addTrack(track);
            this.changed();
        });
    }

    unshow(id: string): void {
        const shown = this.peers.get(id);
        if (shown === undefined) return;
        this.hush(shown.audio);
        shown.video.getTracks().forEach(track => shown.video.removeTrack(track));
        this.peers.delete(id);
        this.wanted.delete(id);
        this.changed();
    }

    playsSound(id: string, plays: boolean): void {
        const shown = this.peers.get(id);
        if (shown !== undefined) shown.audio.muted = !plays;
    }

    sendsPicture(id: string, sends: boolean): void {
        if (this.wanted.get(id) === sends) return;
        this.wanted.set(id, sends);
        for (const { sender, receiver } of this.peers.get(id)?.connection.getTransceivers() ?? []) {
            if (receiver.track.kind !== 'video') continue;
            const parameters = sender.getParameters();
            for (const encoding of parameters.encodings) encoding.active = sends;
            sender.setParameters(parameters).catch(() => this.wanted.delete(id));
        }
    }

    /**
     * How loud everybody is, 0 to 1 of full scale: peers by what their packets say, whoever is mixed by the gateway by the numbers in
     * its packets, which are those at the end of the calls' names.
     */
    levels(idOf: (number: number) => string | null): Map<string, number> {
        const levels = new Map<string, number>([['me', this.devices.loudness()]]);
        const isFresh = (source: { timestamp: number }) => age(source) < FRESH;
        for (const [id, { connection }] of this.peers) {
            const heard = soundOf(connection).flatMap(receiver => receiver.getSynchronizationSources()).filter(isFresh);
            if (heard.length > 0) levels.set(id, Math.max(...heard.map(({ audioLevel }) => audioLevel ?? 0)));
        }
        if (this.gateway === null) return levels;
        for (const source of soundOf(this.gateway.connection).flatMap(receiver => receiver.getContributingSources())) {
            const id = idOf(source.source);
            // Whoever is named is heard; how loud, not every browser says.
            if (id !== null && isFresh(source)) levels.set(id, source.audioLevel || 0.3);
        }
        return levels;
    }

    /** Whether each peer's sound still comes directly; of those that have sent some. */
    flows(): Map<string, boolean> {
        const now = performance.now();
        const flows = new Map<string, boolean>();
        for (const [id, shown] of this.peers) {
            const sources = soundOf(shown.connection).flatMap(receiver => receiver.getSynchronizationSources());
            const stamp = Math.max(0, ...sources.map(({ timestamp }) => timestamp));
            if (stamp > shown.stamp) [shown.stamp, shown.soundAt] = [stamp, now];
            if (shown.soundAt > 0) flows.set(id, now - shown.soundAt < INTERRUPTED);
        }
        return flows;
    }

    stop(): void {
        this.unlisten();
        this.hush(this.gateway?.audio);
        this.gateway = null;
        for (const id of [...this.peers.keys()]) this.unshow(id);
    }
}
