// Before coming in: the name, and how one is seen and heard.

import { useEffect, useState } from 'preact/hooks';
import type { Invitation } from '../gateway/gateway';
import { keepName, keptName } from '../kept';
import type { Devices } from '../media/devices';
import { t } from '../texts';
import { useListen } from './hooks';
import { Icon } from './icons';
import { Alert, DeviceChoice, hueOf, initials, LevelMeter, Preview } from './parts';

interface Props {
    readonly invitation: Invitation;
    readonly devices: Devices;
    /** Why it did not work, the last time. */
    readonly wrong: string;
    readonly isBusy: boolean;
    readonly onJoin: (name: string, muted: boolean) => void;
}

export function Prejoin({ invitation, devices, wrong, isBusy, onJoin }: Props) {
    useListen(devices);
    const [name, setName] = useState(invitation.name || keptName());
    const [muted, setMuted] = useState(false);
    useEffect(() => {
        void devices.startMicrophone().then(() => devices.startCamera());
    }, [devices]);
    const { audio, video } = devices.state;
    const submit = (event: Event) => {
        event.preventDefault();
        keepName(name.trim());
        // A click is what browsers wait for before they play sound.
        void devices.context.resume();
        onJoin(name.trim() || invitation.name, muted);
    };
    const mute = () => {
        devices.mute(!muted);
        setMuted(!muted);
    };
    return (
        <main class="narrow prejoin">
            <h1>{t('join.title', { room: invitation.room })}</h1>
            <form onSubmit={submit}>
                <div class="looking-glass">
                    {devices.preview === null
                        ? <span class="avatar" style={{ '--hue': String(hueOf(name)) }} aria-hidden="true">{initials(name)}</span>
                        : <Preview devices={devices} />}
                    <div class="toggles">
                        <button type="button" class={muted || audio !== 'on' ? 'is-off' : ''} aria-pressed={muted} onClick={mute} disabled={audio !== 'on' || isBusy} title={t('mute')}>
                            <Icon name={muted || audio !== 'on' ? 'muted' : 'microphone'} /><span class="hidden">{t('mute')}</span>
                        </button>
                        <button type="button" class={video === 'on' ? '' : 'is-off'} aria-pressed={video === 'on'} title={t('camera')}
                            onClick={() => (video === 'on' ? devices.stopCamera() : void devices.startCamera())}>
                            <Icon name={video === 'on' ? 'camera' : 'no-camera'} /><span class="hidden">{t('camera')}</span>
                        </button>
                    </div>
                </div>
                <div class="card">
                    <label class="field">
                        <span>{t('me.name')}</span>
                        <input value={name} onInput={event => setName(event.currentTarget.value)} autocomplete="name" maxLength={64} required />
                    </label>
                    {audio === 'on' && !muted && <LevelMeter devices={devices} />}
                    <DeviceChoice devices={devices} />
                    {audio !== 'on' && audio !== 'off' && <Alert>{t(`devices.microphone-${audio}`)}</Alert>}
                    {video !== 'on' && video !== 'off' && <p class="hint">{t(`devices.camera-${video}`)}</p>}
                    {wrong !== '' && <Alert>{wrong}</Alert>}
                    <button type="submit" class="primary" disabled={isBusy}>{isBusy ? t('join.joining') : t('join.join')}</button>
                </div>
            </form>
        </main>
    );
}
