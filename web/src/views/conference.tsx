// The conference, from joining on: all that the page loads after it has asked for the name.

import type { Admitted, Guest, Host } from '../gateway/gateway';
import type { Devices } from '../media/devices';
import { Session } from '../session';
import { has, t } from '../texts';
import { useConference } from './hooks';
import { Message } from './message';
import { Room } from './room';

export function begin(admitted: Admitted, devices: Devices, guest: Guest, host: Host | null, name: string, muted: boolean): Session {
    return new Session(admitted, devices, guest, host, name, muted);
}

/** In the conference, and after it. */
export function Inside({ session, again }: { session: Session; again: () => void }) {
    const { phase } = useConference(session.store);
    if (phase.name !== 'over') return <Room session={session} />;
    const text = has(`problem.${phase.detail}`) ? `problem.${phase.detail}` : `over.${phase.why}`;
    return <Message title={t('over')} text={t(text, { detail: phase.detail })} action={t('over.again')} onAction={again} />;
}
