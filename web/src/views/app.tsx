// Which view is shown.

import { useEffect, useState } from 'preact/hooks';
import { type Place, placeOf } from '../conference/invitation';
import { type Host, type Invitation, Problem } from '../gateway/gateway';
import { HttpGuest, HttpHost } from '../gateway/http';
import { keptToken } from '../kept';
import { Devices } from '../media/devices';
import { explain } from '../problems';
import { Session } from '../session';
import { has, t } from '../texts';
import { useConference } from './hooks';
import { Prejoin } from './prejoin';
import { Room } from './room';
import { Start } from './start';

/** Somebody with an invitation. */
function Guest({ place }: { place: Place }) {
    const [guest] = useState(() => new HttpGuest(place));
    const [invitation, setInvitation] = useState<Invitation | null>(null);
    const [devices, setDevices] = useState<Devices | null>(null);
    const [session, setSession] = useState<Session | null>(null);
    const [wrong, setWrong] = useState('');
    const [isBusy, setBusy] = useState(false);
    const look = () => {
        setWrong('');
        guest.look().then(setInvitation, (error: unknown) => setWrong(explain(error)));
    };
    useEffect(look, [guest]);
    useEffect(() => {
        if (invitation !== null && canTalk()) setDevices(new Devices());
        if (invitation !== null) document.title = `${invitation.room} · ${t('title')}`;
    }, [invitation]);
    const join = async (name: string, muted: boolean) => {
        if (devices === null) return;
        setBusy(true);
        setWrong('');
        try {
            const admitted = await guest.join();
            setSession(new Session(admitted, devices, guest, await hostOf(place, admitted.room), name, muted));
        } catch (error) {
            setWrong(explain(error));
        }
        setBusy(false);
    };
    if (session !== null) return <Inside session={session} again={() => setSession(null)} />;
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

/** In the conference, and after it. */
function Inside({ session, again }: { session: Session; again: () => void }) {
    const { phase } = useConference(session.store);
    if (phase.name !== 'over') return <Room session={session} />;
    const text = has(`problem.${phase.detail}`) ? `problem.${phase.detail}` : `over.${phase.why}`;
    return <Message title={t('over')} text={t(text, { detail: phase.detail })} action={t('over.again')} onAction={again} />;
}

function Message({ title, text, action, onAction }: { title: string; text: string; action?: string; onAction?: () => void }) {
    return (
        <main class="narrow message">
            <h1>{title}</h1>
            <p role="alert">{text}</p>
            {action !== undefined && <button type="button" class="primary" onClick={onAction}>{action}</button>}
        </main>
    );
}

export function App() {
    const place = placeOf(location.pathname);
    return place === null ? <Start /> : <Guest place={place} />;
}
