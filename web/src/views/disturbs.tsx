// Who disturbs the others, as hosts are told: on the tile, and for a screen reader.

import { useEffect, useRef, useState } from 'preact/hooks';
import { type Conference, isSilenced, type Peer, type Telephone } from '../conference/state';
import type { Session } from '../session';
import { t } from '../texts';
import { Icon } from './icons';

/** What it is, and what to do about it. Of several the first one counts: what helps against it helps against all. */
function sentence(conference: Conference, id: string, kind: 'telephone' | 'person', name: string): string {
    const [disturbance] = conference.disturbing.get(id) ?? [];
    if (disturbance === undefined) return '';
    return t(`disturbs.${isSilenced(conference, id) ? 'muted' : kind}.${disturbance}`, { name });
}

interface Props {
    readonly session: Session;
    readonly one: Peer | Telephone;
    readonly kind: 'telephone' | 'person';
    readonly name: string;
}

/** On the tile of somebody who disturbs, with the button that helps. */
export function Disturbs({ session, one, kind, name }: Props) {
    const conference = session.store.state;
    const { moderation } = session.meeting;
    const text = sentence(conference, one.id, kind, name);
    if (text === '' || moderation?.reaches(one) !== true) return null;
    return (
        <div class="disturbs">
            <Icon name="warning" />
            <p>{text}</p>
            {!isSilenced(conference, one.id) && (
                <button type="button" aria-label={t('host.mute', { name })} onClick={() => void session.attempt(moderation.mute(one, true))}>
                    <Icon name="muted" /><span class="label">{t('disturbs.mute')}</span>
                </button>
            )}
        </div>
    );
}

/** What a screen reader is told when somebody begins to disturb. */
export function useDisturbances(conference: Conference, isHost: boolean, nameOf: (id: string) => string): string {
    const before = useRef<Conference['disturbing']>(new Map());
    const [said, setSaid] = useState('');
    useEffect(() => {
        const fresh = [...conference.disturbing.keys()].filter(id => !before.current.has(id) && nameOf(id) !== '');
        before.current = conference.disturbing;
        if (!isHost || fresh.length === 0) return;
        const kind = (id: string) => (conference.telephones.some(one => one.id === id) ? 'telephone' : 'person');
        setSaid(fresh.map(id => `${nameOf(id)}: ${sentence(conference, id, kind(id), nameOf(id))}`).join(' '));
    }, [conference.disturbing]);
    return said;
}
