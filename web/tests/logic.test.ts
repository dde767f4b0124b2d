// The pure parts: messages, states, grid, numbers, texts.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { calendarText, makePin } from '../src/conference/calendar';
import { callsFirst, wanted } from '../src/conference/direct';
import { bestGrid, corner } from '../src/conference/grid';
import { masked, pathOf, pasted, placeOf } from '../src/conference/invitation';
import { chatMessages, conferenceMessage, LONGEST, peerMessage, statusMessage, userOf } from '../src/conference/message';
import { check, countries, countryOf } from '../src/conference/number';
import { type Action, KEPT_LINES, reduce, SHOWN_FAILED } from '../src/conference/reducer';
import { delay, TRIES } from '../src/conference/retry';
import { listen, silence, type Speakers } from '../src/conference/speaker';
import { beginning, type Conference, isAlone, isOurs, type Peer } from '../src/conference/state';
import { dialEvent } from '../src/gateway/http';
import { fill, pick } from '../src/texts';

const start = beginning('board', { user: 'mia', name: 'Mia', host: false, muted: false, camera: true }, false);
const run = (...actions: Action[]): Conference => actions.reduce(reduce, start);
const told = (text: string, now = 0): Action => ({ type: 'told', message: conferenceMessage(text)!, now });

test('messages of the reference scenarios are read as they are written there', () => {
    const list = '{"peers":[{"callerid":"anna","displayName":"Anna"},{"callerid":"mia","displayName":"Mia"}],"pstnCalls":[{"callerid":"+442079460123"},{"callerid":"conf_12"}]}';
    const held = run(told(list));
    assert.deepEqual(held.peers.map(({ id, name }) => [id, name]), [['anna', 'Anna']]);
    assert.deepEqual(held.telephones.map(({ number, state }) => [number, state]), [['+442079460123', 'in']]);
    assert.deepEqual(conferenceMessage('{"type":"ICE_FAILED","callee":"sip:anna@x","displayName":"A"}'), { type: 'ice-failed', peer: 'anna' });
    assert.deepEqual(conferenceMessage('{"type":"CALL_PARTICIPANT_CONNECTED","number":"+1","inbound":true}'), { type: 'connected', id: '+1', number: '+1', inbound: true });
    assert.deepEqual(conferenceMessage('{"type":"CALL_PARTICIPANT","id":"call-7","number":"+1"}'), { type: 'calling', id: 'call-7', number: '+1', caller: '' });
    assert.deepEqual(['sip:anna@x', 'sips:anna@x:5061', 'anna'].map(userOf), ['anna', 'anna', 'anna']);
});

test('what is no message of ours changes nothing', () => {
    const wrong = [
        '', 'hello', '[]', 'null', '12', '{}', '{"type":"CALL_ME"}', '{"type":7}', '{"peers":{}}', '{"peers":[1]}',
        '{"peers":[{"callerid":5}]}', '{"type":"ICE_FAILED"}', '{"type":"CALL_PARTICIPANT","number":7}',
        `{"type":"CALL_PARTICIPANT","number":"${'1'.repeat(300)}"}`, `{"peers":[${'{"callerid":"a"},'.repeat(1001)}{"callerid":"a"}]}`,
        '{"__proto__":{"type":"CALL_PARTICIPANT"}}', '{"type":"CALL_PARTICIPANT","number":"1"', 'x'.repeat(1_000_000),
    ];
    for (const text of wrong) assert.equal(conferenceMessage(text), null, text.slice(0, 80));
    for (const text of [...wrong, '{"type":"CHAT","lines":[{"id":"a","from":"b","text":"c","at":"now"}]}', '{"type":"STATUS","muted":1}', `{"type":"CHAT","lines":[],"x":"${'y'.repeat(LONGEST)}"}`]) {
        assert.equal(peerMessage(text), null, text.slice(0, 80));
    }
});

test('what peers tell each other is read as it was said, and no message is too long', () => {
    const status = { name: 'Mia', muted: true, hand: false, camera: true, sharing: false, wants: true };
    assert.deepEqual(peerMessage(statusMessage(status)), { type: 'status', status });
    const lines = Array.from({ length: 90 }, (_, at) => ({ id: `m-${at}`, from: 'Мия', text: 'ж'.repeat(400), at }));
    const messages = chatMessages(lines);
    assert.ok(messages.length > 5 && messages.every(message => new TextEncoder().encode(message).length <= LONGEST));
    const read = messages.flatMap(message => { const one = peerMessage(message); return one?.type === 'chat' ? one.lines : []; });
    assert.deepEqual(read, lines);
    assert.deepEqual(chatMessages([]), []);
});

test('events of a telephone that is called are read, and others passed over', () => {
    assert.deepEqual(dialEvent('event: progress\ndata: {"call":"call-1-2","what":"ringing"}'), { type: 'progress', call: 'call-1-2', what: 'ringing' });
    assert.deepEqual(dialEvent('event: failed\ndata: {"rule":"failed","detail":"busy"}'), { type: 'failed', rule: 'failed', detail: 'busy' });
    assert.deepEqual(dialEvent('event: done\ndata: {}'), { type: 'done' });
    for (const block of ['', ':', 'event: progress\ndata: {}', 'event: other\ndata: {}', 'data: {"call":"a"}']) assert.equal(dialEvent(block), null, block);
});

test('a telephone goes through its states, and is shown for a while after its end', () => {
    const number = '+442079460123';
    const dialled = run({ type: 'joined' }, told(`{"type":"CALL_PARTICIPANT","number":"${number}"}`));
    assert.equal(dialled.telephones[0]?.state, 'calling');
    const failed = [told(`{"type":"CALL_PARTICIPANT_FAILED","number":"${number}","reason":"486 Busy Here"}`, 10), told(`{"type":"CALL_PARTICIPANT_DISCONNECTED","number":"${number}"}`, 11)].reduce(reduce, dialled);
    assert.deepEqual([failed.telephones[0]?.state, failed.telephones[0]?.reason], ['failed', '486 Busy Here']);
    assert.equal(isAlone(failed), true);
    assert.equal(reduce(failed, { type: 'clock', now: SHOWN_FAILED - 1 }).telephones.length, 1);
    assert.equal(reduce(failed, { type: 'clock', now: SHOWN_FAILED + 20 }).telephones.length, 0);
    const left = [told(`{"type":"CALL_PARTICIPANT_CONNECTED","number":"${number}"}`, 1), told(`{"type":"CALL_PARTICIPANT_DISCONNECTED","number":"${number}"}`, 2)].reduce(reduce, dialled);
    assert.equal(left.telephones[0]?.state, 'left');
    assert.equal(run(told('{"type":"CALL_PARTICIPANT_DISCONNECTED","number":"+49"}')).telephones.length, 0);
});

test('a guest hangs up the telephones that they have had called, and no others', () => {
    const ours = '{"type":"CALL_PARTICIPANT","id":"call-1","number":"+441","caller":"mia"}';
    const others = '{"type":"CALL_PARTICIPANT","id":"call-2","number":"+442","caller":"otto"}';
    const list = '{"peers":[],"pstnCalls":[{"id":"call-3","callerid":"+443","state":"in"},{"id":"call-4","callerid":"+444","caller":"mia","state":"calling"}]}';
    const guest = run(told(ours), told(others), told(list), told('{"type":"CONFERENCE_STATE","host":false,"locked":false,"muted":[]}'));
    assert.deepEqual(guest.telephones.map(({ id, state }) => [id, state]), [['call-1', 'calling'], ['call-2', 'calling'], ['call-3', 'in'], ['call-4', 'calling']]);
    assert.deepEqual(guest.telephones.filter(one => isOurs(guest, one)).map(({ id }) => id), ['call-1', 'call-4']);
    const gone = reduce(guest, told('{"type":"CALL_PARTICIPANT_DISCONNECTED","id":"call-1","number":"+441"}'));
    assert.equal(gone.telephones.filter(one => isOurs(gone, one)).length, 1);
    // Conferences of the reference know nothing of it.
    const plain = run(told(ours));
    assert.ok(plain.telephones.every(one => !isOurs(plain, one)));
});

test('the list of peers is what counts: who is missing has left, and links of the others stay', () => {
    const held = [told('{"peers":[{"callerid":"anna"},{"callerid":"otto"}]}'), { type: 'link', id: 'anna', link: 'direct' } as Action, { type: 'speaker', id: 'otto' } as Action].reduce(reduce, start);
    const later = reduce(held, told('{"peers":[{"callerid":"mia"},{"callerid":"anna","displayName":"Anna"}]}'));
    assert.deepEqual(later.peers.map(({ id, name, link }) => [id, name, link]), [['anna', 'Anna', 'direct']]);
    assert.equal(reduce(held, { type: 'gone', id: 'otto' }).speaker, null);
});

test('after the end nothing changes any more', () => {
    const over = run({ type: 'joined' }, { type: 'over', why: 'left' });
    for (const action of [{ type: 'joined' }, { type: 'lost' }, { type: 'peer', peer: { id: 'x', name: '' } }] as Action[]) {
        assert.equal(reduce(over, action), over);
    }
});

test('lines of the chat are kept once, in order, and not without end', () => {
    const line = (at: number, id = `otto-${at}`) => ({ id, from: 'Otto', text: String(at), at });
    const held = run({ type: 'chat', lines: [line(2), line(1)] }, { type: 'chat', lines: [line(2), line(3), line(4, 'mia-4')] });
    assert.deepEqual([held.chat.map(({ at }) => at), held.unread], [[1, 2, 3, 4], 3]);
    const open = reduce(held, { type: 'chat-open', open: true });
    assert.equal(reduce(open, { type: 'chat', lines: [line(5)] }).unread, 0);
    const many = run({ type: 'chat', lines: Array.from({ length: 2 * KEPT_LINES }, (_, at) => line(at)) });
    assert.deepEqual([many.chat.length, many.chat[0]?.at], [KEPT_LINES, KEPT_LINES]);
});

test('the same thing is told once at a time, and at most four things', () => {
    const told = (n: number): Action => ({ type: 'notice', text: 'problem.limit', gaps: { n } });
    assert.equal(run(told(1), told(1)).notices.length, 1);
    const five = run(told(1), told(2), told(3), told(4), told(5));
    assert.deepEqual(five.notices.map(({ gaps }) => gaps['n']), [2, 3, 4, 5]);
    assert.equal(new Set(five.notices.map(({ id }) => id)).size, 4);
});

test('tiles fill their area as well as they can', () => {
    const columns = (count: number, width: number, height: number) => bestGrid(count, width, height).columns;
    assert.deepEqual([columns(1, 1600, 900), columns(2, 1600, 900), columns(4, 1600, 900), columns(9, 1600, 900)], [1, 2, 2, 3]);
    assert.deepEqual([columns(2, 400, 800), columns(6, 400, 800), columns(5, 2000, 300)], [1, 1, 5]);
    for (const [count, width, height] of [[1, 320, 480], [7, 1024, 600], [12, 375, 812], [25, 1920, 1080], [3, 100, 100]] as const) {
        const grid = bestGrid(count, width, height);
        assert.ok(grid.columns * grid.rows >= count);
        assert.ok(grid.columns * grid.width + 12 * (grid.columns - 1) <= width && grid.rows * grid.height + 12 * (grid.rows - 1) <= height, `${count}`);
    }
    assert.deepEqual([bestGrid(0, 100, 100).width, bestGrid(3, 0, 0).width], [0, 0]);
    assert.deepEqual(corner({ x: 700, y: -20 }, { width: 200, height: 100 }, { width: 1000, height: 600 }), { x: 784, y: 16 });
});

/** What somebody who looks every 100 ms sees from `begin` on; each step is who is how loud, and for how long. */
function looks(steps: [Record<string, number>, number][], was: Speakers = silence, begin = was.at) {
    const seen: Speakers[] = [];
    let now = begin;
    for (const [levels, lasts] of steps) {
        for (const end = now + lasts; now < end;) {
            now += 100;
            was = listen(was, new Map(Object.entries(levels)), now);
            seen.push(was);
        }
    }
    const since = (who: string | null) => 100 * (1 + seen.findIndex(({ current }) => current === who));
    return { last: was, since, all: new Set(seen.map(({ current }) => current)) };
}

test('a cough into silence takes no turn, and a word does', () => {
    for (const lasts of [100, 200]) {
        const coughed = looks([[{}, 1_000], [{ anna: 0.9 }, lasts], [{}, 3_000]]);
        assert.deepEqual([[...coughed.all], coughed.last.spoke], [[null], []], `${lasts} ms`);
    }
    // Again and again, with pauses between.
    const coughs = looks(Array.from({ length: 20 }, (): [Record<string, number>, number][] => [[{ anna: 0.9 }, 200], [{}, 600]]).flat());
    assert.deepEqual([...coughs.all], [null]);
    const word = looks([[{}, 1_000], [{ anna: 0.2 }, 600]]);
    assert.equal(word.last.current, 'anna');
    assert.ok(word.since('anna') <= 1_400, `after ${word.since('anna') - 1_000} ms`);
    // Of speech every third look falls into a gap.
    const speech = looks(Array.from({ length: 5 }, (): [Record<string, number>, number][] => [[{ anna: 0.2 }, 200], [{}, 100]]).flat());
    assert.equal(speech.last.current, 'anna');
    assert.ok(speech.since('anna') <= 700, `after ${speech.since('anna')} ms`);
});

test('whoever talks keeps the turn between words, and loses it two seconds after the last one', () => {
    const talks = looks([[{ anna: 0.3 }, 1_000]]).last;
    assert.equal(looks([[{}, 1_500]], talks).last.current, 'anna');
    assert.deepEqual([looks([[{}, 2_000]], talks).last.current, looks([[{}, 2_000]], talks).last.spoke], [null, ['anna']]);
    // A noise beside the talk changes nothing.
    assert.deepEqual([...looks([[{ anna: 0.3, otto: 0.9 }, 300], [{ anna: 0.3 }, 1_000]], talks).all], ['anna']);
    assert.deepEqual([...looks([[{ otto: 0.9 }, 300], [{}, 1_000]], talks).all], ['anna']);
});

test('whoever is louder takes over after half a second, and of two who are as loud nobody does', () => {
    const talks = looks([[{ anna: 0.3 }, 1_000]]).last;
    const over = looks([[{ anna: 0.3, otto: 0.6 }, 1_000]], talks);
    assert.deepEqual([over.last.current, over.last.spoke], ['otto', ['otto', 'anna']]);
    assert.ok(over.since('otto') >= 500 && over.since('otto') <= 700, `after ${over.since('otto')} ms`);
    const both = Array.from({ length: 20 }, (): [Record<string, number>, number][] => [[{ anna: 0.3, otto: 0.35 }, 200], [{ anna: 0.35, otto: 0.3 }, 200]]).flat();
    assert.deepEqual([...looks(both, talks).all], ['anna']);
    // A page in the background looks once a second: a second of which nothing is known is no turn.
    const seldom = [1_000, 2_000].reduce((was, later) => listen(was, new Map([['anna', 0.3], ['otto', 0.9]]), talks.at + later), talks);
    assert.equal(seldom.current, 'anna');
    assert.equal(listen(seldom, new Map([['otto', 0.9]]), talks.at + 3_000).current, 'otto');
});

test('one of two calls the other, and pictures are asked of whoever shares or spoke', () => {
    assert.notEqual(callsFirst('anna', 'otto'), callsFirst('otto', 'anna'));
    const peer = (id: string, sharing = false) => ({ id, sharing }) as Peer;
    const few = Array.from({ length: 10 }, (_, n) => peer(`p${n}`));
    assert.equal(wanted(few, []).size, 10);
    const seen = wanted([...few, peer('shares', true)], ['p8', 'p9']);
    assert.deepEqual([...seen].sort(), ['p0', 'p8', 'p9', 'shares']);
});

test('numbers are checked while they are typed', () => {
    const fault = (typed: string, country = 'GB') => check(typed, country).fault;
    assert.deepEqual([fault(''), fault('020'), fault('call me'), fault('020 7946 0123'), fault('020 7946 0123 99999'), fault('0200000')], ['empty', 'short', 'characters', null, 'long', 'none']);
    assert.equal(check('020 7946 0123', 'GB').e164, '+442079460123');
    assert.equal(check('0171', 'GB').e164, '');
    const german = check('+49 30 901820', 'GB');
    assert.deepEqual([german.e164, german.country], ['+4930901820', 'DE']);
    assert.equal(check('8 495 123-45-67', 'RU').e164, '+74951234567');
    assert.equal(fault('+999 12345'), 'none');
    const all = countries('ru');
    assert.ok(all.length > 200 && all.some(({ code, prefix }) => code === 'RU' && prefix === '+7'));
    assert.deepEqual([countryOf(['ru']), countryOf(['en-AU', 'de']), countryOf([])], ['RU', 'AU', 'GB']);
});

test('an invitation is found in its link, and nothing else is taken for one', () => {
    assert.deepEqual(placeOf('/join/the%20board/eyJ-_.abc'), { room: 'the board', token: 'eyJ-_.abc' });
    assert.equal(pathOf({ room: 'the board', token: 'a.b' }), '/join/the%20board/a.b');
    for (const path of ['/', '/join', '/join/board', '/join/board/', '/join/a/b/c', '/join/%E0%A4%A/b', '/join/a/<b>', `/join/a/${'b'.repeat(2049)}`]) {
        assert.equal(placeOf(path), null, path);
    }
    const here = 'https://gate.example';
    assert.equal(pasted(' https://gate.example/join/board/a.b ', here), '/join/board/a.b');
    for (const wrong of ['https://evil.example/join/board/a.b', 'javascript:alert(1)', 'hello', '//evil.example/join/a/b']) {
        assert.equal(pasted(wrong, here), null, wrong);
    }
    assert.deepEqual(['+442079460123', '02079460123', '+442…23', '1234', ''].map(masked), ['+442…23', '020…23', '+442…23', '1234', '']);
});

test('a calendar text says what is known, and PINs that are drawn are hard to guess', () => {
    const words = { title: 'Board', browser: 'Browser:', telephone: 'Telephone:', pin: 'PIN:' };
    const all = calendarText({ url: 'https://x/join/a/b', number: '+44', pin: '4711' }, words);
    assert.equal(all, 'Board\n\nBrowser:\nhttps://x/join/a/b\n\nTelephone:\n+44\nPIN: 4711#');
    assert.equal(calendarText({ url: 'u', number: '', pin: '4711' }, words), 'Board\n\nBrowser:\nu');
    let seed = 1;
    const random = () => { seed = (seed * 16807) % 2147483647; return seed / 2147483647; };
    for (let n = 0; n < 200; n++) {
        const pin = makePin(6, random);
        assert.match(pin, /^\d{6}$/);
        assert.ok(new Set(pin).size > 3, pin);
    }
    const draws = [1, 2, 3, 4, 5, 6, 0, 9, 2, 7, 7, 1];
    assert.equal(makePin(6, () => (draws.shift() ?? 0) / 10), '092771', 'a row is not taken');
});

test('tries come at once, then slower, and end', () => {
    const delays = Array.from({ length: TRIES + 1 }, (_, n) => delay(n));
    assert.deepEqual([delays[0], delays.at(-2), delays.at(-1)], [0, 3000, null]);
    assert.ok(delays.slice(0, 4).reduce((sum: number, one) => sum + (one ?? 0), 0) < 5_000);
});

const texts = (language: string): Record<string, string> => JSON.parse(readFileSync(`src/texts/${language}.json`, 'utf8'));
const plain = (key: string) => key.replace(/\.(zero|one|two|few|many|other)$/, '');
const gaps = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();

test('every language has every text, with the same gaps, in all forms of its plural', () => {
    const [english, russian] = [texts('en'), texts('ru')];
    const keys = (all: Record<string, string>) => [...new Set(Object.keys(all).map(plain))].sort();
    assert.deepEqual(keys(russian), keys(english));
    for (const [key, text] of Object.entries(russian)) {
        const other = english[key] ?? english[`${plain(key)}.other`];
        assert.deepEqual(gaps(text), gaps(other ?? ''), key);
    }
    for (const [language, all] of [['en', english], ['ru', russian]] as const) {
        const forms = new Intl.PluralRules(language).resolvedOptions().pluralCategories;
        const counted = new Set(Object.keys(all).filter(key => key !== plain(key)).map(plain));
        for (const key of counted) for (const form of forms) assert.ok(`${key}.${form}` in all, `${language} ${key}.${form}`);
    }
});

test('texts are picked by language, and gaps filled once', () => {
    assert.deepEqual([pick(['ru-RU', 'en']), pick(['de', 'en-GB']), pick(['fr']), pick([])], ['ru', 'en', 'en', 'en']);
    assert.equal(fill('{name} and {other}', { name: '{other}' }), '{other} and {other}');
});
