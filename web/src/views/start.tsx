// The first page: an invitation to open, or a conference to start.

import { useEffect, useState } from 'preact/hooks';
import { makePin } from '../conference/calendar';
import { pasted } from '../conference/invitation';
import { type Host, Problem, type Room } from '../gateway/gateway';
import { HttpHost } from '../gateway/http';
import { explain } from '../problems';
import { keepPin, keepToken, keptName, keptToken } from '../kept';
import { t } from '../texts';
import { Alert } from './parts';

const NEW = '';

function Open() {
    const [text, setText] = useState('');
    const [isWrong, setWrong] = useState(false);
    const open = (event: Event) => {
        event.preventDefault();
        const path = pasted(text, location.origin);
        setWrong(path === null);
        if (path !== null) location.assign(path);
    };
    return (
        <form class="card" onSubmit={open}>
            <h2>{t('start.open')}</h2>
            <label class="field">
                <span>{t('start.link')}</span>
                <input value={text} onInput={event => setText(event.currentTarget.value)} type="text" inputMode="url" autocomplete="off" required />
            </label>
            {isWrong && <Alert>{t('start.no-link')}</Alert>}
            <button type="submit">{t('start.go')}</button>
        </form>
    );
}

/** Makes a room where none was chosen, and gives its host's invitation. */
async function begin(host: Host, chosen: string, name: string): Promise<string> {
    let room = chosen;
    if (room === NEW) {
        const random = () => (crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) / 2 ** 32;
        const pin = makePin(6, random);
        room = `meeting-${makePin(8, random)}`;
        await host.makeRoom({ room, pin });
        keepPin(room, pin);
    }
    return host.invite(room, name, true);
}

function Begin() {
    const [token, setToken] = useState(keptToken());
    const [isKnown, setKnown] = useState(token !== '');
    const [name, setName] = useState(keptName());
    const [rooms, setRooms] = useState<Room[]>([]);
    const [chosen, setChosen] = useState(NEW);
    const [wrong, setWrong] = useState('');
    const [isBusy, setBusy] = useState(false);
    const fail = (error: unknown) => {
        if (error instanceof Problem && error.status === 401) setKnown(false);
        setWrong(explain(error));
    };
    const look = async () => {
        if (token === '') return;
        try {
            setRooms(await new HttpHost(token).rooms());
            keepToken(token);
            setKnown(true);
            setWrong('');
        } catch (error) {
            fail(error);
        }
    };
    useEffect(() => { void look(); }, []);
    const submit = async (event: Event) => {
        event.preventDefault();
        if (!isKnown) return look();
        setBusy(true);
        try {
            location.assign(new URL(await begin(new HttpHost(token), chosen, name.trim() || t('me.host'))).pathname);
        } catch (error) {
            fail(error);
            setBusy(false);
        }
    };
    return (
        <form class="card" onSubmit={event => void submit(event)}>
            <h2>{t('start.begin')}</h2>
            {!isKnown && (
                <label class="field">
                    <span>{t('start.token')}</span>
                    <input value={token} onInput={event => setToken(event.currentTarget.value)} type="password" autocomplete="current-password" required />
                    <small>{t('start.token-hint')}</small>
                </label>
            )}
            {isKnown && (
                <>
                    <label class="field">
                        <span>{t('me.name')}</span>
                        <input value={name} onInput={event => setName(event.currentTarget.value)} autocomplete="name" maxLength={64} />
                    </label>
                    <label class="field">
                        <span>{t('start.room')}</span>
                        <select value={chosen} onChange={event => setChosen(event.currentTarget.value)}>
                            <option value={NEW}>{t('start.new-room')}</option>
                            {rooms.map(({ name, calls }) => (
                                <option key={name} value={name}>{calls > 0 ? `${name} (${t('people', { n: calls })})` : name}</option>
                            ))}
                        </select>
                    </label>
                </>
            )}
            {wrong !== '' && <Alert>{wrong}</Alert>}
            <button type="submit" class="primary" disabled={isBusy}>{isKnown ? t('start.begin') : t('start.next')}</button>
        </form>
    );
}

export function Start() {
    return (
        <main class="narrow">
            <h1>{t('title')}</h1>
            <p>{t('start.about')}</p>
            <div class="cards">
                <Begin />
                <Open />
            </div>
        </main>
    );
}
