// What opens over the conference: a telephone to add, its keypad, who else is invited, devices.

import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { calendarText } from '../conference/calendar';
import { masked } from '../conference/invitation';
import type { Checked, Country } from '../conference/number';
import type { Telephone } from '../conference/state';
import { explain } from '../problems';
import type { Session } from '../session';
import { language, t } from '../texts';
import { Alert, Copied, DeviceChoice, Dialog, LevelMeter } from './parts';

type Numbers = typeof import('../conference/number');

/** A number to call, checked while it is typed. */
export function AddTelephone({ session, onClose }: { session: Session; onClose: () => void }) {
    const [numbers, setNumbers] = useState<Numbers | null>(null);
    const [all, setAll] = useState<Country[]>([]);
    const [country, setCountry] = useState('');
    const [typed, setTyped] = useState('');
    const [isTried, setTried] = useState(false);
    const [wrong, setWrong] = useState('');
    useEffect(() => {
        void import('../conference/number').then(loaded => {
            setNumbers(loaded);
            setAll(loaded.countries(language));
            setCountry(loaded.countryOf(navigator.languages));
        });
    }, []);
    const checked: Checked | null = numbers === null ? null : numbers.check(typed, country);
    const prefix = all.find(({ code }) => code === country)?.prefix ?? '';
    const fault = checked?.fault ?? null;
    const hint = fault === null || fault === 'empty' || (fault === 'short' && !isTried) ? '' : t(`number.${fault}`);
    const submit = async (event: Event) => {
        event.preventDefault();
        setTried(true);
        if (checked === null || checked.e164 === '') return;
        try {
            await session.meeting.callTelephone(checked.e164);
            onClose();
        } catch (error) {
            setWrong(explain(error));
        }
    };
    return (
        <Dialog title={t('add.title')} onClose={onClose}>
            <form onSubmit={event => void submit(event)}>
                <label class="field">
                    <span>{t('add.country')}</span>
                    <select value={country} onChange={event => setCountry(event.currentTarget.value)}>
                        {all.map(({ code, name, prefix }) => <option key={code} value={code}>{`${name} (${prefix})`}</option>)}
                    </select>
                </label>
                <label class="field">
                    <span>{t('add.number')}</span>
                    <input
                        type="tel" autocomplete="tel" inputMode="tel" value={typed} placeholder={prefix} maxLength={32} autoFocus
                        aria-invalid={hint !== ''} aria-describedby="number-hint"
                        onInput={event => { setTyped(event.currentTarget.value); setWrong(''); }}
                    />
                    <small id="number-hint" role="status" class={hint === '' ? '' : 'wrong'}>
                        {hint || (checked !== null && checked.e164 !== '' ? t('number.right', { number: checked.shown }) : t('number.any'))}
                    </small>
                </label>
                {wrong !== '' && <Alert>{wrong}</Alert>}
                <button type="submit" class="primary" disabled={numbers === null}>{t('add.call')}</button>
            </form>
        </Dialog>
    );
}

const KEYS = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '0', '#'];
/** What a screen reader says of the two that are no digits. */
const NAMES: Record<string, string> = { '*': 'keypad.star', '#': 'keypad.pound' };

/** The twelve keys of a telephone; those of the keyboard work too. */
export function Keypad({ session, telephone, onClose }: { session: Session; telephone: Telephone; onClose: () => void }) {
    const [pressed, setPressed] = useState('');
    const press = (key: string) => {
        setPressed(before => (before + key).slice(-24));
        void session.attempt(session.meeting.press(telephone, key));
    };
    const typed = (event: KeyboardEvent) => {
        if (!KEYS.includes(event.key) || event.ctrlKey || event.metaKey || event.altKey) return;
        event.preventDefault();
        press(event.key);
    };
    useEffect(() => {
        addEventListener('keydown', typed);
        return () => removeEventListener('keydown', typed);
    });
    return (
        <Dialog title={t('keypad.title', { number: masked(telephone.number) })} onClose={onClose} kind="keypad">
            <output aria-label={t('keypad.pressed')}>{pressed}</output>
            <div class="keys">
                {KEYS.map(key => (
                    <button key={key} type="button" onClick={() => press(key)} aria-label={NAMES[key] === undefined ? key : t(NAMES[key])}>{key}</button>
                ))}
            </div>
        </Dialog>
    );
}

/** How others get in: an invitation each, by link, QR code or calendar; and by telephone. */
export function Invite({ session, onClose }: { session: Session; onClose: () => void }) {
    const { host, admitted } = session;
    const [name, setName] = useState('');
    const [made, setMade] = useState<{ url: string; name: string } | null>(null);
    const [code, setCode] = useState('');
    const [wrong, setWrong] = useState('');
    const { accessNumber, pin } = session.access;
    const submit = async (event: Event) => {
        event.preventDefault();
        if (host === null) return;
        try {
            const url = await host.invite(admitted.room, name.trim(), false);
            setMade({ url, name: name.trim() });
            setWrong('');
            setName('');
            const { renderSVG } = await import('uqr');
            setCode(`data:image/svg+xml,${encodeURIComponent(renderSVG(url, { border: 2 }))}`);
        } catch (error) {
            setWrong(explain(error));
        }
    };
    const words = { title: t('calendar.title', { room: admitted.room }), browser: t('calendar.browser'), telephone: t('calendar.telephone'), pin: t('calendar.pin') };
    return (
        <Dialog title={t('invite.title')} onClose={onClose} kind="invite">
            {(accessNumber !== '' || pin !== '') && (
                <section class="by-telephone">
                    <h3>{t('invite.telephone')}</h3>
                    {accessNumber !== '' && <Copied label={t('invite.number')} text={accessNumber} />}
                    {pin !== '' && <Copied label={t('invite.pin')} text={pin} />}
                </section>
            )}
            {host !== null && admitted.host && (
                <form onSubmit={event => void submit(event)}>
                    <label class="field">
                        <span>{t('invite.name')}</span>
                        <input value={name} onInput={event => setName(event.currentTarget.value)} maxLength={64} required autoFocus />
                        <small>{t('invite.each')}</small>
                    </label>
                    {wrong !== '' && <Alert>{wrong}</Alert>}
                    <button type="submit" class="primary">{t('invite.make')}</button>
                </form>
            )}
            {(host === null || !admitted.host) && <p>{t('invite.ask-host')}</p>}
            {made !== null && (
                <div class="made">
                    <h3>{t('invite.made', { name: made.name })}</h3>
                    {code !== '' && <img src={code} alt={t('invite.code', { name: made.name })} width={176} height={176} />}
                    <Copied label={t('invite.link')} text={made.url} />
                    <Copied label={t('invite.calendar')} text={calendarText({ url: made.url, number: accessNumber, pin }, words)} long />
                </div>
            )}
        </Dialog>
    );
}

export function Settings({ session, onClose }: { session: Session; onClose: () => void }) {
    return (
        <Dialog title={t('devices.title')} onClose={onClose}>
            <DeviceChoice devices={session.devices} />
            <LevelMeter devices={session.devices} />
        </Dialog>
    );
}

/** Ending it for all is asked twice. */
export function EndForAll({ session, onClose }: { session: Session; onClose: () => void }) {
    const end = async () => {
        const { meeting } = session;
        const { moderation } = meeting;
        if (moderation !== null && await session.attempt(moderation.end())) meeting.leave();
        onClose();
    };
    return (
        <Dialog title={t('end.title')} onClose={onClose}>
            <p>{t('end.about')}</p>
            <button type="button" class="danger" onClick={() => void end()}>{t('end.do')}</button>
        </Dialog>
    );
}

/** What was written, also before we came. */
export function Chat({ session, onClose }: { session: Session; onClose: () => void }) {
    const [text, setText] = useState('');
    const end = useRef<HTMLLIElement>(null);
    const input = useRef<HTMLInputElement>(null);
    const aside = useRef<HTMLElement>(null);
    const { chat } = session.store.state;
    useEffect(() => {
        session.store.dispatch({ type: 'chat-open', open: true });
        return () => session.store.dispatch({ type: 'chat-open', open: false });
    }, [session]);
    useEffect(() => end.current?.scrollIntoView({ block: 'end' }), [chat.length]);
    // Whoever opens it by the keyboard writes at once, and is back at the button as it closes, not a frame later:
    // by then the focus may be where they have gone on to.
    useLayoutEffect(() => {
        const before = document.activeElement;
        const { current } = aside;
        input.current?.focus();
        return () => {
            if (before instanceof HTMLElement && current?.contains(document.activeElement)) before.focus();
        };
    }, []);
    const submit = (event: Event) => {
        event.preventDefault();
        session.meeting.say(text);
        setText('');
    };
    const time = new Intl.DateTimeFormat(language, { timeStyle: 'short' });
    return (
        <aside class="chat" ref={aside} aria-label={t('chat')} onKeyDown={event => { if (event.key === 'Escape') onClose(); }}>
            <header>
                <h2>{t('chat')}</h2>
                <button type="button" onClick={onClose}>{t('close')}</button>
            </header>
            <div class="lines" tabIndex={0} role="log" aria-label={t('chat.lines')}><ol>
                {chat.length === 0 && <li class="hint">{t('chat.empty')}</li>}
                {chat.map((line, at) => (
                    <li key={line.id} ref={at === chat.length - 1 ? end : null}>
                        <strong>{line.from}</strong> <time dateTime={new Date(line.at).toISOString()}>{time.format(line.at)}</time>
                        <p>{line.text}</p>
                    </li>
                ))}
            </ol></div>
            <form onSubmit={submit}>
                <label class="field">
                    <span>{t('chat.write')}</span>
                    <input ref={input} value={text} onInput={event => setText(event.currentTarget.value)} maxLength={2000} autocomplete="off" />
                </label>
                <button type="submit" class="primary">{t('chat.send')}</button>
            </form>
        </aside>
    );
}
