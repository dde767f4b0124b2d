// The conference: tiles, ourselves, what can be done.

import { useEffect, useRef, useState } from 'preact/hooks';
import { PICTURES } from '../conference/direct';
import { masked } from '../conference/invitation';
import { isAlone, isSilenced, type Conference, type Telephone } from '../conference/state';
import type { Session } from '../session';
import { has, t } from '../texts';
import { AddTelephone, Chat, EndForAll, Invite, Keypad, Settings } from './dialogs';
import { useDisturbances } from './disturbs';
import { useConference, useListen } from './hooks';
import { IconButton } from './parts';
import { SelfView, Tiles } from './tiles';

type Open = 'none' | 'add' | 'invite' | 'settings' | 'end';

function Toolbar({ session, conference, open, onChat, isChatOpen }: { session: Session; conference: Conference; open: (what: Open) => void; onChat: () => void; isChatOpen: boolean }) {
    const { me, unread, locked, mixed, phase } = conference;
    const { host, meeting } = session;
    const { moderation } = meeting;
    const mayCall = !mixed || (host !== null && me.host);
    return (
        <div class="toolbar" role="toolbar" aria-label={t('toolbar')}>
            <IconButton icon={me.muted ? 'muted' : 'microphone'} label={t(me.muted ? 'unmute' : 'mute')} kind={me.muted ? 'is-off' : ''} onClick={() => void session.toggleMuted()} />
            <IconButton icon={me.camera ? 'camera' : 'no-camera'} label={t(me.camera ? 'camera.stop' : 'camera.start')} kind={me.camera ? '' : 'is-off'} onClick={() => void session.toggleCamera()} />
            {'getDisplayMedia' in navigator.mediaDevices && (
                <IconButton icon="screen" label={t(me.sharing ? 'share.stop' : 'share.start')} pressed={me.sharing} onClick={() => void session.toggleSharing()} />
            )}
            <IconButton icon="hand" label={t('hand')} pressed={me.hand} onClick={() => meeting.mine({ hand: !me.hand })} />
            <IconButton icon="chat" label={unread > 0 ? t('chat.unread', { n: unread }) : t('chat')} badge={unread} expanded={isChatOpen} onClick={onChat} />
            {mayCall && <IconButton icon="add" label={t('add')} disabled={phase.name !== 'in'} onClick={() => open('add')} />}
            <IconButton icon="invite" label={t('invite')} onClick={() => open('invite')} />
            <IconButton icon="settings" label={t('settings')} onClick={() => open('settings')} />
            {moderation !== null && (
                <>
                    <IconButton icon={locked ? 'lock' : 'unlock'} label={t(locked ? 'host.unlock' : 'host.lock')} pressed={locked} onClick={() => void session.attempt(moderation.lock(!locked))} />
                    <IconButton icon="end" label={t('end')} kind="danger" onClick={() => open('end')} />
                </>
            )}
            <IconButton icon="leave" label={t('leave')} kind="leave" onClick={() => meeting.leave()} />
        </div>
    );
}

/** What a screen reader is told: who comes and goes. */
function useArrivals(conference: Conference): string {
    const before = useRef<Map<string, string> | null>(null);
    const [said, setSaid] = useState('');
    const names = new Map(conference.peers.map(({ id, name }) => [id, name || t('peer.nameless')]));
    useEffect(() => {
        const old = before.current;
        before.current = names;
        if (old === null) return;
        const came = [...names].filter(([id]) => !old.has(id)).map(([, name]) => t('peer.came', { name }));
        const went = [...old].filter(([id]) => !names.has(id)).map(([, name]) => t('peer.left', { name }));
        if (came.length + went.length > 0) setSaid([...came, ...went].join(' '));
    }, [[...names.keys()].join()]);
    return said;
}

/** What a peer or telephone is called; empty: it is none of those here. */
function nameOf({ peers, telephones }: Conference, id: string): string {
    const telephone = telephones.find(one => one.id === id && one.state === 'in');
    if (telephone !== undefined) return t('telephone.label', { number: telephone.number === '' ? t('telephone.withheld') : masked(telephone.number) });
    const peer = peers.find(one => one.id === id);
    return peer === undefined ? '' : peer.name || t('peer.nameless');
}

export function Room({ session }: { session: Session }) {
    const conference = useConference(session.store);
    useListen(session.stage);
    const [opened, setOpened] = useState<Open>('none');
    const [keypad, setKeypad] = useState<string | null>(null);
    const [isChatOpen, setChatOpen] = useState(false);
    const said = useArrivals(conference);
    const { phase, peers, telephones, notices, room } = conference;
    const disturbance = useDisturbances(conference, session.meeting.moderation !== null, id => nameOf(conference, id));
    // A dialog that closes late closes no other.
    const close = (which: Open) => () => setOpened(now => (now === which ? 'none' : now));
    const { accessNumber, pin } = session.access;
    const pressedFor: Telephone | undefined = telephones.find(({ id, state }) => id === keypad && state === 'in');
    return (
        <div class={`room ${isChatOpen ? 'with-chat' : ''}`}>
            <header>
                {phase.name === 'reconnecting' && <p class="banner" role="alert">{t('reconnecting')}</p>}
                {session.stage.blocked && (
                    <p class="banner" role="alert">
                        {t('sound.blocked')} <button type="button" onClick={() => session.stage.unblock()}>{t('sound.start')}</button>
                    </p>
                )}
                {isSilenced(conference, conference.me.user) && <p class="banner quiet" role="status">{t('me.silenced')}</p>}
                {peers.length > PICTURES && <p class="banner quiet">{t('many', { n: peers.length })}</p>}
            </header>
            <main class="stage">
                <h1 class="hidden">{t('join.title', { room })}</h1>
                <Tiles session={session} conference={conference} onKeypad={({ id }) => setKeypad(id)} />
                {phase.name === 'joining' && <p class="waiting" role="status">{t('join.joining')}</p>}
                {isAlone(conference) && conference.told && (
                    <div class="waiting" role="status">
                        <h2>{t('alone')}</h2>
                        <p>{t(conference.me.host ? 'alone.host' : 'alone.guest')}</p>
                        {accessNumber !== '' && pin !== '' && <p>{t('alone.telephone', { number: accessNumber, pin })}</p>}
                        {conference.me.host && <button type="button" class="primary" onClick={() => setOpened('invite')}>{t('invite')}</button>}
                    </div>
                )}
                {isAlone(conference) && !conference.told && <p class="waiting" role="status">{t('in-by-sound')}</p>}
                <SelfView session={session} conference={conference} />
            </main>
            {isChatOpen && <Chat session={session} onClose={() => setChatOpen(false)} />}
            <footer>
                <Toolbar session={session} conference={conference} open={setOpened} isChatOpen={isChatOpen} onChat={() => setChatOpen(!isChatOpen)} />
            </footer>
            <div class="notices" role="status"><ul>
                {notices.map(({ id, text, gaps, kind }) => (
                    <li key={id} class={kind}>
                        <span>{has(text) ? t(text, gaps) : text}</span>
                        <button type="button" onClick={() => session.store.dispatch({ type: 'dismiss', id })}>{t('dismiss')}</button>
                    </li>
                ))}
            </ul></div>
            <p class="hidden" role="status">{said}</p>
            <p class="hidden" role="status">{disturbance}</p>
            {opened === 'add' && <AddTelephone session={session} onClose={close('add')} />}
            {opened === 'invite' && <Invite session={session} onClose={close('invite')} />}
            {opened === 'settings' && <Settings session={session} onClose={close('settings')} />}
            {opened === 'end' && <EndForAll session={session} onClose={close('end')} />}
            {pressedFor !== undefined && <Keypad session={session} telephone={pressedFor} onClose={() => setKeypad(null)} />}
        </div>
    );
}
