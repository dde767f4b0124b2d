// One conference in this browser: its state, what it hears and shows, and the calls.

import { listen as heard, silence, type Speakers } from './conference/speaker';
import { Meeting } from './conference/meeting';
import { beginning, isSilenced } from './conference/state';
import { Store } from './conference/store';
import type { Clock } from './conference/world';
import { type Admitted, type Guest, type Host, Problem } from './gateway/gateway';
import type { Devices, DeviceState } from './media/devices';
import { keptPin } from './kept';
import { Stage } from './media/stage';
import { explain } from './problems';
import { startPhone } from './signalling/jssip';

/** Time between two looks at who talks, milliseconds. */
const LISTENING = 100;

const clock: Clock = {
    now: () => Date.now(),
    after: (milliseconds, run) => {
        const timer = setTimeout(run, milliseconds);
        return () => clearTimeout(timer);
    },
};

export class Session {
    readonly store: Store;
    readonly stage: Stage;
    readonly meeting: Meeting;
    private speakers: Speakers = silence;
    /** A host has muted us. */
    private isSilenced = false;
    private readonly ends: (() => void)[] = [];

    constructor(readonly admitted: Admitted, readonly devices: Devices, guest: Guest, readonly host: Host | null, name: string, muted: boolean) {
        const camera = devices.state.video === 'on';
        const isMuted = muted || devices.state.audio !== 'on';
        devices.mute(isMuted);
        const me = { user: admitted.user, name, host: admitted.host, muted: isMuted, camera };
        this.store = new Store(beginning(admitted.room, me, !admitted.byScenario));
        this.stage = new Stage(devices);
        this.meeting = new Meeting({ store: this.store, media: this.stage, clock, startPhone, guest, host }, admitted);
        const listening = setInterval(() => this.listen(), LISTENING);
        const changed = () => this.meeting.networkChanged();
        addEventListener('online', changed);
        this.ends.push(
            () => clearInterval(listening),
            () => removeEventListener('online', changed),
            devices.listen(() => this.devicesChanged()),
            this.store.listen(() => this.conferenceChanged()),
        );
    }

    /** What a host reads out to whoever comes by telephone; empty: not known. */
    get access(): { readonly accessNumber: string; readonly pin: string } {
        const { accessNumber, pin, room } = this.admitted;
        return { accessNumber, pin: pin || keptPin(room) };
    }

    private conferenceChanged(): void {
        if (this.store.state.phase.name === 'over') return this.stop();
        const { me } = this.store.state;
        if (this.isSilenced !== isSilenced(this.store.state, me.user)) {
            this.isSilenced = !this.isSilenced;
            this.muteDevices();
        }
    }

    /** Nothing is said where we are muted, by ourselves or by a host. */
    private muteDevices(): void {
        this.devices.mute(this.store.state.me.muted || this.isSilenced);
    }

    private listen(): void {
        for (const [id, flows] of this.stage.flows()) this.meeting.soundFlows(id, flows);
        const { peers, telephones, me } = this.store.state;
        const levels = this.stage.levels(number => {
            const isCall = (call: string | null) => call !== null && call.endsWith(`-${number}`);
            return (peers.find(({ call }) => isCall(call)) ?? telephones.find(({ call }) => isCall(call)))?.id ?? null;
        });
        if (me.muted) levels.delete('me');
        const next = heard(this.speakers, levels, Date.now());
        if (next.spoke !== this.speakers.spoke) this.meeting.heard(next.spoke);
        this.speakers = next;
        this.store.dispatch({ type: 'speaker', id: next.current });
    }

    /** A camera that was pulled out, sharing that was ended by the browser's own button. */
    private devicesChanged(): void {
        const { me } = this.store.state;
        const { sharing, state: { video, audio } } = this.devices;
        const camera = video === 'on';
        if (camera !== me.camera || sharing !== me.sharing) this.meeting.mine({ camera, sharing });
        if (audio !== 'on' && !me.muted) this.meeting.mine({ muted: true });
        this.muteDevices();
    }

    async toggleMuted(): Promise<void> {
        const { muted } = this.store.state.me;
        if (muted && !this.devices.hasMicrophone) {
            await this.devices.startMicrophone();
            const audio: DeviceState = this.devices.state.audio;
            if (audio !== 'on') return this.tell(`devices.microphone-${audio}`);
        }
        this.meeting.mine({ muted: !muted });
        this.muteDevices();
    }

    async toggleCamera(): Promise<void> {
        if (this.store.state.me.camera) return this.devices.stopCamera();
        await this.devices.startCamera();
        const { video } = this.devices.state;
        if (video !== 'on') this.tell(`devices.camera-${video}`);
    }

    async toggleSharing(): Promise<void> {
        if (this.devices.sharing) return this.devices.stopSharing();
        await this.devices.shareScreen();
    }

    private tell(text: string): void {
        this.store.dispatch({ type: 'notice', text, kind: 'wrong' });
    }

    /** Does what the gateway may refuse, and says so where it does. */
    async attempt(what: Promise<unknown>): Promise<boolean> {
        try {
            await what;
            void this.meeting.lookNow();
            return true;
        } catch (error) {
            // Of another host's doing it is known already: somebody who has left cannot be removed.
            const isGone = error instanceof Problem && error.status === 404;
            if (!isGone) this.store.dispatch({ type: 'notice', text: explain(error), kind: 'wrong' });
            void this.meeting.lookNow();
            return false;
        }
    }

    private stop(): void {
        for (const end of this.ends.splice(0)) end();
        this.stage.stop();
        this.devices.stop();
    }
}
