// Which view is shown.

import { useEffect, useState } from 'preact/hooks';
import { type Place, placeOf } from '../conference/invitation';
import { type Host, type Invitation, Problem } from '../gateway/gateway';
import { HttpGuest, HttpHost } from '../gateway/http';
import { keptToken } from '../kept';
import { Devices } from '../media/devices';
import { explain } from '../problems';
import type { Session } from '../session';
import { t } from '../texts';
import { Message } from './message';
import { Prejoin } from './prejoin';
import { Start } from './start';

/** The conference itself is most of the page: it comes while the name is asked. */
const conference = () => import('./conference').catch((error: unknown) => { throw new Problem(0, 'unreachable', String(error)); });

/** Has something done once there is nothing else to do. */
function whenIdle(run: () => void): void {
    if ('requestIdleCallback' in window) requestIdleCallback(run, { timeout: 1000 });
    else setTimeout(run, 200);
}

/** Somebody with an invitation. */
function Guest({ place }: { place: Place }) {
    const [guest] = useState(() => new HttpGuest(place));
    const [invitation, setInvitation] = useState<Invitation | null>(null);
    const [devices, setDevices] = useState<Devices | null>(null);
    const [inside, setInside] = useState<{ session: Session; View: typeof import('./conference').Inside } | null>(null);
    const [wrong, setWrong] = useState('');
    const [isBusy, setBusy] = useState(false);
    const look = () => {
        setWrong('');
        guest.look().then(setInvitation, (error: unknown) => setWrong(explain(error)));
    };
    useEffect(look, [guest]);
    useEffect(() => {
        if (invitation !== null && canTalk()) {
            setDevices(new Devices());
            whenIdle(() => void conference().catch(() => {}));
        }
        if (invitation !== null) document.title = `${invitation.room} · ${t('title')}`;
    }, [invitation]);
    const join = async (name: string, muted: boolean) => {
        if (devices === null) return;
        setBusy(true);
        setWrong('');
        try {
            const [admitted, { begin, Inside }] = await Promise.all([guest.join(), conference()]);
            const host = await hostOf(place, admitted.room);
            setInside({ session: begin(admitted, devices, guest, host, name, muted), View: Inside });
        } catch (error) {
            setWrong(explain(error));
        }
        setBusy(false);
    };
    if (inside !== null) return <inside.View session={inside.session} again={() => setInside(null)} />;
    if (invitation !== null && devices !== null) {
        return <Prejoin invitation={invitation} devices={devices} wrong={wrong} isBusy={isBusy} onJoin={(name, muted) => void join(name, muted)} />;
    }
    if (invitation !== null && !canTalk()) return <Message title={t('problem')} text={t('problem.insecure')} />;
    if (wrong !== '') return <Message title={t('problem')} text={wrong} action={t('again')} onAction={look} />;
    return <main class="narrow"><p role="status">{t('loading')}</p></main>;
}

/** Browsers give microphones to pages of HTTPS, and of this machine. */
function canTalk(): boolean {
    return window.isSecureContext && 'mediaDevices' in navigator && 'RTCPeerConnection' in window;
}

/** What tells who is in the room, and what a host acts by: the host's token, else the invitation. */
async function hostOf({ token }: Place, room: string): Promise<Host | null> {
    for (const one of [keptToken(), token].filter(one => one !== '')) {
        const host = new HttpHost(one);
        try {
            await host.calls(room);
            return host;
        } catch (error) {
            if (error instanceof Problem && error.status === 404) return host;
        }
    }
    return null;
}

export function App() {
    const place = placeOf(location.pathname);
    return place === null ? <Start /> : <Guest place={place} />;
}
