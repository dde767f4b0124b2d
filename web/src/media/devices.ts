// This person's microphone, camera and screen: what is sent, whatever is there.

/** How a device is: `blocked` by the person or the browser, `busy` with another program. */
export type DeviceState = 'on' | 'off' | 'none' | 'blocked' | 'busy';

export type Kind = 'audio' | 'video';

export interface Choice {
    readonly microphone: string;
    readonly camera: string;
    readonly speaker: string;
}

const KEPT = 'partyline.devices';

/** What a browser says when it gives no device. */
function why(error: unknown): DeviceState {
    switch (error instanceof DOMException ? error.name : '') {
        case 'NotAllowedError':
        case 'SecurityError': return 'blocked';
        case 'NotReadableError':
        case 'AbortError': return 'busy';
        default: return 'none';
    }
}

function keptChoice(): Choice {
    const nothing = { microphone: '', camera: '', speaker: '' };
    try {
        const kept: unknown = JSON.parse(localStorage.getItem(KEPT) ?? '{}');
        const own = (name: string) => {
            const value: unknown = (kept as Record<string, unknown>)[name];
            return typeof value === 'string' ? value : '';
        };
        return { microphone: own('microphone'), camera: own('camera'), speaker: own('speaker') };
    } catch {
        return nothing;
    }
}

/** A track that carries nothing, so that the real one can take its place without a new offer. */
function silentTrack(context: AudioContext): MediaStreamTrack {
    const [track] = new MediaStreamAudioDestinationNode(context, { channelCount: 1 }).stream.getAudioTracks();
    if (track === undefined) throw new Error('no silence');
    return track;
}

function blackTrack(): MediaStreamTrack {
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [16, 9];
    canvas.getContext('2d')?.fillRect(0, 0, 16, 9);
    const [track] = canvas.captureStream(0).getVideoTracks();
    if (track === undefined) throw new Error('no blank picture');
    return track;
}

export class Devices {
    choice = keptChoice();
    state: Record<Kind, DeviceState> = { audio: 'off', video: 'off' };
    list: MediaDeviceInfo[] = [];
    /** What the camera, or the screen, shows to ourselves; null: nothing. */
    preview: MediaStream | null = null;
    sharing = false;
    /** Made when they are needed first: the last two by most never. */
    private made: AudioContext | null = null;
    private silent: MediaStreamTrack | null = null;
    private black: MediaStreamTrack | null = null;
    private microphone: MediaStreamTrack | null = null;
    private camera: MediaStreamTrack | null = null;
    private screen: MediaStreamTrack | null = null;
    private readonly listeners = new Set<() => void>();
    private readonly senders = new Set<RTCPeerConnection>();
    private analyser: AnalyserNode | null = null;
    private source: MediaStreamAudioSourceNode | null = null;

    constructor() {
        navigator.mediaDevices?.addEventListener('devicechange', () => void this.devicesChanged());
    }

    listen(listener: () => void): () => void {
        this.listeners.add(listener);
        return () => this.listeners.delete(listener);
    }

    private changed(): void {
        const shown = this.screen ?? this.camera;
        this.preview = shown === null ? null : new MediaStream([shown]);
        for (const connection of this.senders) {
            if (connection.connectionState === 'closed') {
                this.senders.delete(connection);
                continue;
            }
            for (const { sender, receiver } of connection.getTransceivers()) {
                const track = receiver.track.kind === 'audio' ? this.audio : this.video;
                if (sender.track !== null && sender.track !== track) void sender.replaceTrack(track);
            }
        }
        for (const listener of [...this.listeners]) listener();
    }

    /** What sound is listened to with. To make it takes long, and not before the page is drawn. */
    get context(): AudioContext {
        return (this.made ??= new AudioContext());
    }

    get hasMicrophone(): boolean {
        return this.microphone !== null;
    }

    private get audio(): MediaStreamTrack {
        return this.microphone ?? (this.silent ??= silentTrack(this.context));
    }

    private get video(): MediaStreamTrack {
        return this.screen ?? this.camera ?? (this.black ??= blackTrack());
    }

    /** What we send now. */
    outgoing(audio: boolean, video: boolean): MediaStream {
        return new MediaStream([...(audio ? [this.audio] : []), ...(video ? [this.video] : [])]);
    }

    /** From now on, that connection sends what we have. */
    follow(connection: RTCPeerConnection): void {
        this.senders.add(connection);
    }

    /** Turns the microphone on, if there is one that may be used. */
    async startMicrophone(): Promise<void> {
        const { microphone } = this.choice;
        const deviceId = microphone === '' ? {} : { deviceId: { ideal: microphone } };
        const track = await this.take('audio', { audio: { ...deviceId, echoCancellation: true, noiseSuppression: true, autoGainControl: true } });
        this.microphone?.stop();
        this.microphone = track;
        track?.addEventListener('ended', () => void this.startMicrophone());
        this.listenToMicrophone();
        this.changed();
    }

    async startCamera(): Promise<void> {
        const { camera } = this.choice;
        const deviceId = camera === '' ? {} : { deviceId: { ideal: camera } };
        const size = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } };
        const track = await this.take('video', { video: { ...deviceId, ...size } });
        this.camera?.stop();
        this.camera = track;
        track?.addEventListener('ended', () => { if (this.camera === track) this.stopCamera('none'); });
        this.changed();
    }

    stopCamera(state: DeviceState = 'off'): void {
        this.camera?.stop();
        this.camera = null;
        this.state = { ...this.state, video: state };
        this.changed();
    }

    private async take(kind: Kind, constraints: MediaStreamConstraints): Promise<MediaStreamTrack | null> {
        try {
            const stream = await navigator.mediaDevices.getUserMedia(constraints);
            this.state = { ...this.state, [kind]: 'on' };
            await this.lookForDevices();
            return stream.getTracks()[0] ?? null;
        } catch (error) {
            this.state = { ...this.state, [kind]: why(error) };
            await this.lookForDevices();
            return null;
        }
    }

    /** Nobody hears us, and the browser shows that we are not listened to. */
    mute(muted: boolean): void {
        if (this.microphone !== null) this.microphone.enabled = !muted;
    }

    /** Gives false where nothing was chosen. */
    async shareScreen(): Promise<boolean> {
        try {
            const stream = await navigator.mediaDevices.getDisplayMedia({ video: { frameRate: { ideal: 15 } }, audio: false });
            const [track] = stream.getVideoTracks();
            if (track === undefined) return false;
            track.contentHint = 'detail';
            track.addEventListener('ended', () => this.stopSharing());
            this.screen = track;
            this.sharing = true;
            this.changed();
            return true;
        } catch {
            return false;
        }
    }

    stopSharing(): void {
        this.screen?.stop();
        this.screen = null;
        this.sharing = false;
        this.changed();
    }

    async choose(change: Partial<Choice>): Promise<void> {
        this.choice = { ...this.choice, ...change };
        try {
            localStorage.setItem(KEPT, JSON.stringify(this.choice));
        } catch {
            // Private windows keep nothing.
        }
        if (change.microphone !== undefined) await this.startMicrophone();
        if (change.camera !== undefined) await this.startCamera();
        this.changed();
    }

    private async lookForDevices(): Promise<void> {
        this.list = await navigator.mediaDevices.enumerateDevices().catch(() => []);
    }

    /** A headset that is plugged in, or pulled out while it was in use. */
    private async devicesChanged(): Promise<void> {
        await this.lookForDevices();
        const isGone = (track: MediaStreamTrack | null) => track !== null && track.readyState === 'ended';
        if (isGone(this.microphone) || (this.state.audio === 'none' && this.list.some(({ kind }) => kind === 'audioinput'))) {
            await this.startMicrophone();
        }
        if (isGone(this.camera)) await this.startCamera();
        this.changed();
    }

    private listenToMicrophone(): void {
        this.source?.disconnect();
        if (this.microphone === null) return;
        this.analyser ??= new AnalyserNode(this.context, { fftSize: 1024 });
        this.source = new MediaStreamAudioSourceNode(this.context, { mediaStream: new MediaStream([this.microphone]) });
        this.source.connect(this.analyser);
    }

    /** How loud the microphone is: the root mean square of its last samples, 0 to 1. */
    loudness(): number {
        if (this.analyser === null || this.microphone === null) return 0;
        const samples = new Float32Array(this.analyser.fftSize);
        this.analyser.getFloatTimeDomainData(samples);
        return Math.sqrt(samples.reduce((sum, one) => sum + one * one, 0) / samples.length);
    }

    /** The same for a meter, 0 to 1: loud speech fills it. */
    level(): number {
        return Math.min(1, 2 * this.loudness());
    }

    stop(): void {
        for (const track of [this.microphone, this.camera, this.screen]) track?.stop();
        [this.microphone, this.camera, this.screen] = [null, null, null];
        this.senders.clear();
        this.state = { audio: 'off', video: 'off' };
        this.sharing = false;
        this.changed();
    }
}
