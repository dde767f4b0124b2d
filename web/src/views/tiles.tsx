// The people in the conference: a tile each.

import { useEffect, useRef, useState } from 'preact/hooks';
import { bestGrid, corner } from '../conference/grid';
import { masked } from '../conference/invitation';
import { type Conference, isOurs, isSilenced, isThere, type Peer, type Telephone } from '../conference/state';
import type { Session } from '../session';
import { t } from '../texts';
import { Disturbs } from './disturbs';
import { useListen, useSize, useStream } from './hooks';
import { Icon } from './icons';
import { hueOf, IconButton, initials, Preview } from './parts';

function Name({ name, muted, hand }: { name: string; muted: boolean; hand: boolean }) {
    return (
        <figcaption>
            {hand && <span class="hand"><Icon name="hand" /><span class="hidden">{t('tile.hand')}</span></span>}
            {muted && <span class="is-muted"><Icon name="muted" /><span class="hidden">{t('tile.muted')}</span></span>}
            <span class="name">{name}</span>
        </figcaption>
    );
}

/** What a host does to one person. */
function HostButtons({ session, one, name }: { session: Session; one: Peer | Telephone; name: string }) {
    const { meeting, store } = session;
    const { moderation } = meeting;
    if (moderation?.reaches(one) !== true) return null;
    const muted = isSilenced(store.state, one.id);
    return (
        <>
            <IconButton icon={muted ? 'microphone' : 'muted'} label={t(muted ? 'host.unmute' : 'host.mute', { name })}
                onClick={() => void session.attempt(moderation.mute(one, !muted))} />
            <IconButton icon="remove" label={t('host.remove', { name })} onClick={() => void session.attempt(moderation.remove(one))} />
        </>
    );
}

export function PeerTile({ session, peer, speaks }: { session: Session; peer: Peer; speaks: boolean }) {
    useListen(session.stage);
    const picture = peer.camera || peer.sharing ? session.stage.picture(peer.id) : null;
    const video = useStream(picture);
    const name = peer.name || t('peer.nameless');
    return (
        <figure class={`tile ${speaks ? 'speaks' : ''} ${peer.sharing ? 'shares' : ''}`} aria-label={name}>
            {picture === null
                ? <span class="avatar" style={{ '--hue': String(hueOf(name)) }} aria-hidden="true">{initials(name)}</span>
                : <video ref={video} autoPlay playsInline muted aria-label={t('tile.picture', { name })} />}
            {peer.link !== 'direct' && <p class="state">{t(`link.${peer.link}`)}</p>}
            <div class="actions"><HostButtons session={session} one={peer} name={name} /></div>
            <Disturbs session={session} one={peer} kind="person" name={name} />
            <Name name={name} muted={peer.muted || isSilenced(session.store.state, peer.id)} hand={peer.hand} />
        </figure>
    );
}

interface TelephoneProps {
    readonly session: Session;
    readonly telephone: Telephone;
    readonly speaks: boolean;
    readonly onKeypad: (telephone: Telephone) => void;
}

/** The usual reasons have texts; the others are told beside the tile. */
function failure(reason: string): string {
    if (/busy|486/i.test(reason)) return 'telephone.busy';
    if (/declin|603/i.test(reason)) return 'telephone.declined';
    return /no.answer|not answer|408|480/i.test(reason) ? 'telephone.no-answer' : 'telephone.failed';
}

export function TelephoneTile({ session, telephone, speaks, onKeypad }: TelephoneProps) {
    const { state, reason } = telephone;
    const { mixed, role } = session.store.state;
    const isHosts = session.meeting.moderation?.reaches(telephone) === true;
    const isMine = isOurs(session.store.state, telephone);
    // In a room it is hosts who press keys, in a scenario's conference also whoever has had it called; one that knows no
    // roles takes none.
    const takesKeys = isHosts || (!mixed && role !== 'none' && isMine);
    const name = telephone.number === '' ? t('telephone.withheld') : masked(telephone.number);
    return (
        <figure class={`tile telephone ${state} ${speaks ? 'speaks' : ''}`} aria-label={t('telephone.label', { number: name })}>
            <span class="avatar" aria-hidden="true"><Icon name="telephone" /></span>
            <p class="state">{state === 'failed' ? t(failure(reason)) : t(`telephone.${state}`)}</p>
            <div class="actions">
                {state === 'in' && takesKeys && <IconButton icon="keypad" label={t('keypad.open', { number: name })} onClick={() => onKeypad(telephone)} />}
                {isMine && !isHosts && (
                    <IconButton icon="remove" label={t('host.remove', { name })} onClick={() => session.meeting.hangUp(telephone)} />
                )}
                {isThere(telephone) && <HostButtons session={session} one={telephone} name={name} />}
            </div>
            {state === 'in' && <Disturbs session={session} one={telephone} kind="telephone" name={name} />}
            <Name name={name} muted={isSilenced(session.store.state, telephone.id)} hand={false} />
        </figure>
    );
}

/** All tiles, as large as they can be. */
export function Tiles({ session, conference, onKeypad }: { session: Session; conference: Conference; onKeypad: (telephone: Telephone) => void }) {
    const { element, width, height } = useSize<HTMLDivElement>();
    const { peers, telephones, speaker } = conference;
    const grid = bestGrid(peers.length + telephones.length, width, height);
    const style = { '--columns': String(grid.columns), '--width': `${grid.width}px`, '--height': `${grid.height}px` };
    return (
        <div class="tiles" ref={element} style={style} role="group" aria-label={t('tiles')}>
            {peers.map(peer => <PeerTile key={peer.id} session={session} peer={peer} speaks={speaker === peer.id} />)}
            {telephones.map(one => (
                <TelephoneTile key={one.id} session={session} telephone={one} speaks={speaker === one.id} onKeypad={onKeypad} />
            ))}
        </div>
    );
}

/** Ourselves: dragged with a finger or a mouse, moved from corner to corner with the arrow keys. */
export function SelfView({ session, conference }: { session: Session; conference: Conference }) {
    useListen(session.devices);
    const box = useRef<HTMLDivElement>(null);
    const [at, setAt] = useState<{ x: number; y: number } | null>(null);
    const held = useRef<{ x: number; y: number } | null>(null);
    const sizes = () => {
        const own = box.current?.getBoundingClientRect();
        const area = box.current?.parentElement?.getBoundingClientRect();
        return own === undefined || area === undefined ? null : { own, area };
    };
    const settle = (place: { x: number; y: number }) => {
        const all = sizes();
        if (all !== null) setAt(corner(place, all.own, all.area));
    };
    useEffect(() => {
        const resized = () => { if (at !== null) settle(at); };
        addEventListener('resize', resized);
        return () => removeEventListener('resize', resized);
    });
    const down = (event: PointerEvent) => {
        const all = sizes();
        if (all === null) return;
        held.current = { x: event.clientX - all.own.left, y: event.clientY - all.own.top };
        box.current?.setPointerCapture(event.pointerId);
    };
    /** Where it is held, as the pointer has it; null: nowhere. */
    const placeOf = (event: PointerEvent) => {
        const all = sizes();
        if (held.current === null || all === null) return null;
        return { x: event.clientX - all.area.left - held.current.x, y: event.clientY - all.area.top - held.current.y };
    };
    const move = (event: PointerEvent) => {
        const place = placeOf(event);
        if (place !== null) setAt(place);
    };
    // Not where it was drawn last: the last movement may not be drawn yet.
    const up = (event: PointerEvent) => {
        const place = placeOf(event);
        held.current = null;
        if (place !== null) settle(place);
    };
    const key = (event: KeyboardEvent) => {
        const all = sizes();
        if (all === null || !event.key.startsWith('Arrow')) return;
        event.preventDefault();
        const { own, area } = all;
        const place = { x: own.left - area.left, y: own.top - area.top };
        if (event.key === 'ArrowLeft') place.x = 0;
        if (event.key === 'ArrowRight') place.x = area.width;
        if (event.key === 'ArrowUp') place.y = 0;
        if (event.key === 'ArrowDown') place.y = area.height;
        settle(place);
    };
    const { me, speaker } = conference;
    const style = at === null ? {} : { left: `${at.x}px`, top: `${at.y}px`, right: 'auto', bottom: 'auto' };
    return (
        <div
            class={`self ${speaker === 'me' ? 'speaks' : ''} ${held.current === null ? '' : 'held'}`} ref={box} style={style} tabIndex={0} role="group"
            aria-label={t('self.label')} aria-roledescription={t('self.moves')}
            onPointerDown={down} onPointerMove={move} onPointerUp={up} onPointerCancel={up} onKeyDown={key}
        >
            {session.devices.preview === null
                ? <span class="avatar" style={{ '--hue': String(hueOf(me.name)) }} aria-hidden="true">{initials(me.name)}</span>
                : <Preview devices={session.devices} />}
            <p class="caption">
                {me.hand && <Icon name="hand" />}
                {(me.muted || isSilenced(conference, me.user)) && <Icon name="muted" />}
                <span>{t('self.you')}</span>
            </p>
        </div>
    );
}
