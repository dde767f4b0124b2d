// The gateway over HTTP. Every answer is checked before it is believed.

import * as read from '../conference/read';
import { pathOf, type Place } from '../conference/invitation';
import { type Admitted, type DialEvent, type Guest, type Host, type Invitation, Problem } from './gateway';

/** For an answer, milliseconds. */
const PATIENCE = 10_000;
/** Characters of the longest event. */
const LONGEST_EVENT = 16_384;
const short = read.text(256);
const url = read.text(4096);

const invitation = { room: short, name: short, host: read.maybe(read.flag, false) };
const iceServer = read.object({
    urls: read.list(url, 16),
    username: read.maybe(short, ''),
    credential: read.maybe(short, ''),
});
const admitted = read.object({
    ...invitation,
    user: short,
    password: short,
    uri: url,
    websocket: url,
    call: url,
    by_scenario: read.flag,
    ice_servers: read.maybe(read.list(iceServer, 16), []),
    access_number: read.maybe(short, ''),
    pin: read.maybe(short, ''),
});
const room = read.object({ name: short, locked: read.flag, calls: read.list(short, 10_000) });
const call = read.object({
    name: short,
    user: read.maybe(short, ''),
    display_name: read.maybe(short, ''),
    from: read.maybe(short, ''),
    number: read.maybe(short, ''),
    route: read.maybe(short, ''),
    state: read.maybe(short, ''),
    muted: read.maybe(read.flag, false),
    outgoing: read.maybe(read.flag, false),
    disturbs: read.maybe(read.list(short, 16), []),
});
const problem = read.object({ rule: read.maybe(short, ''), detail: read.maybe(read.text(4096), '') });

type Shape<T> = (value: unknown, path: string) => T;

interface Asking {
    readonly token: string | null;
    readonly body?: unknown;
    readonly accept?: string;
    readonly signal?: AbortSignal;
}

/** Asks; what is refused is thrown as a problem. */
async function answer(method: string, path: string, { token, body, accept = 'application/json', signal }: Asking): Promise<Response> {
    const headers = new Headers({ Accept: accept });
    if (token !== null) headers.set('Authorization', `Bearer ${token}`);
    if (body !== undefined) headers.set('Content-Type', 'application/json');
    const sent = { ...(body === undefined ? {} : { body: JSON.stringify(body) }), ...(signal === undefined ? {} : { signal }) };
    let response: Response;
    let text = '';
    try {
        response = await fetch(path, { method, headers, cache: 'no-store', ...sent });
        if (!response.ok) text = await response.text();
    } catch (error) {
        throw new Problem(0, 'unreachable', String(error));
    }
    if (response.ok) return response;
    const told = read.json(problem, text);
    throw new Problem(response.status, told?.rule || `status-${response.status}`, told?.detail ?? '');
}

/** Asks, and gives the answer's JSON; null: there is none. */
async function ask(method: string, path: string, token: string | null, body?: unknown): Promise<unknown> {
    const response = await answer(method, path, { token, body, signal: AbortSignal.timeout(PATIENCE) });
    const text = await response.text().catch((error: unknown) => { throw new Problem(0, 'unreachable', String(error)); });
    if (text === '') return null;
    try {
        return JSON.parse(text);
    } catch {
        throw new Problem(response.status, 'misread', `${path} is no JSON`);
    }
}

const progress = read.object({ call: short, what: read.text(4096) });
const failure = read.object({ rule: short, detail: read.maybe(read.text(4096), '') });

/** What an event of a telephone that is called says; null: it is none of those. */
export function dialEvent(block: string): DialEvent | null {
    const field = (name: string) => block.split('\n').find(line => line.startsWith(`${name}:`))?.slice(name.length + 1).trim() ?? '';
    const data = field('data');
    switch (field('event')) {
        case 'progress': {
            const told = read.json(progress, data);
            return told && { type: 'progress', ...told };
        }
        case 'failed': {
            const told = read.json(failure, data);
            return told && { type: 'failed', ...told };
        }
        case 'done': return { type: 'done' };
        default: return null;
    }
}

function shaped<T>(shape: Shape<T>, value: unknown): T {
    try {
        return shape(value, '');
    } catch (error) {
        throw new Problem(200, 'misread', String(error));
    }
}

/** Whoever has an invitation. */
export class HttpGuest implements Guest {
    constructor(private readonly place: Place) {}

    async look(): Promise<Invitation> {
        return shaped(read.object(invitation), await ask('GET', pathOf(this.place), null));
    }

    async join(): Promise<Admitted> {
        const given = shaped(admitted, await ask('POST', pathOf(this.place), null));
        const iceServers = given.ice_servers.map(({ urls, username, credential }): RTCIceServer =>
            username === '' ? { urls } : { urls, username, credential });
        return { ...given, iceServers, accessNumber: given.access_number, byScenario: given.by_scenario };
    }
}

/** Whoever has a token. */
export class HttpHost implements Host {
    constructor(private readonly token: string) {}

    private room(name: string, rest = ''): string {
        return `/api/v1/rooms/${encodeURIComponent(name)}${rest}`;
    }

    private call(name: string, rest = ''): string {
        return `/api/v1/calls/${encodeURIComponent(name)}${rest}`;
    }

    private ask(method: string, path: string, body?: unknown): Promise<unknown> {
        return ask(method, path, this.token, body);
    }

    async rooms() {
        const rooms = shaped(read.list(room, 10_000), await this.ask('GET', '/api/v1/rooms'));
        return rooms.map(({ name, locked, calls }) => ({ name, locked, calls: calls.length }));
    }

    async makeRoom({ room, pin }: { room: string; pin: string }) {
        await this.ask('POST', '/api/v1/rooms', { name: room, pin });
    }

    async invite(room: string, name: string, host: boolean) {
        const body = { name, host, expires: '12h' };
        return shaped(read.object({ url }), await this.ask('POST', this.room(room, '/invitations'), body)).url;
    }

    async calls(name: string) {
        const [about, calls] = await Promise.all([
            this.ask('GET', this.room(name)),
            this.ask('GET', this.room(name, '/participants')),
        ]);
        const { locked } = shaped(room, about);
        const listed = shaped(read.list(call, 10_000), calls).map(one => ({
            call: one.name,
            user: one.user,
            name: one.display_name,
            // Of a call out it is the called number that says who it is.
            number: one.outgoing ? one.number : one.from,
            state: one.state,
            muted: one.muted,
            disturbs: one.disturbs,
        }));
        return { calls: listed, locked };
    }

    async dial(room: string, number: string, told: (event: DialEvent) => void) {
        const asking = { token: this.token, body: { number }, accept: 'text/event-stream' };
        const response = await answer('POST', this.room(room, '/dial'), asking);
        const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
        if (reader === undefined) return;
        let rest = '';
        for (;;) {
            const { done, value } = await reader.read().catch(() => ({ done: true, value: '' }));
            const blocks = (rest + (value ?? '').replaceAll('\r', '')).split('\n\n');
            rest = (blocks.pop() ?? '').slice(0, LONGEST_EVENT);
            for (const event of blocks.map(dialEvent)) if (event !== null) told(event);
            if (done) return;
        }
    }

    async digits(call: string, digits: string) {
        await this.ask('POST', this.call(call, '/digits'), { digits });
    }

    async mute(call: string, muted: boolean) {
        await this.ask('PUT', this.call(call, '/mute'), { muted });
    }

    async remove(call: string) {
        await this.ask('DELETE', this.call(call));
    }

    async lock(room: string, locked: boolean) {
        await this.ask('PUT', this.room(room, '/lock'), { locked });
    }

    async end(room: string) {
        await this.ask('DELETE', this.room(room, '/participants'));
    }
}
