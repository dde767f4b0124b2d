// A conference as it is lived through, with a gateway and a browser that are none.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Problem } from '../src/gateway/gateway';
import { conference, FakeHost, FakeIncoming, turn } from './fakes';

const linkOf = (held: ReturnType<typeof conference>, id: string) => held.state().peers.find(peer => peer.id === id)?.link;
const domain = '@sip.example.com';

test('a conference is called with its name as soon as we are registered', () => {
    const held = conference();
    assert.equal(held.state().phase.name, 'joining');
    const call = held.join();
    assert.deepEqual(call.headers, { 'X-Conference-Id': 'board' });
    assert.equal(held.state().mixed, false);
    // It is the gateway that says so, whatever number it has called.
    const other = conference({ call: `sip:7000${domain}` });
    assert.deepEqual([other.join().headers, other.state().mixed], [{ 'X-Conference-Id': 'board' }, false]);
    const room = conference({ call: `sip:joinconf${domain}`, room: 'joinconf', byScenario: false });
    assert.deepEqual([room.join().headers, room.state().mixed], [{}, true]);
    assert.equal(held.state().phase.name, 'in');
    assert.equal(held.media.heard, call.wire);
});

test('of two peers one calls the other, and each is heard once', () => {
    const held = conference();
    held.join();
    held.tell('anna', 'mia', 'otto');
    assert.deepEqual(held.phone().calls.map(({ target }) => target).slice(1), [`sip:otto${domain}`]);
    held.phone().callTo(`sip:otto${domain}`).connects();
    const anna = new FakeIncoming('anna');
    held.phone().events.incoming(anna);
    anna.answered?.connects();
    assert.deepEqual([linkOf(held, 'anna'), linkOf(held, 'otto')], ['direct', 'direct']);
    assert.deepEqual([...held.media.audible.values()], [true, true]);
});

test('where the gateway mixes browsers direct calls carry pictures alone', () => {
    const held = conference({ call: `sip:board${domain}`, byScenario: false }, new FakeHost());
    held.join();
    held.store.dispatch({ type: 'peer', peer: { id: 'otto', name: 'Otto' } });
    const call = held.phone().callTo(`sip:otto${domain}`);
    call.connects();
    assert.deepEqual(call.stream, { audio: false, video: true });
    assert.equal(held.media.audible.get('otto'), false);
});

test('a peer without a way through is called once more, and then comes through the gateway', async () => {
    const held = conference();
    const gateway = held.join();
    held.tell('mia', 'otto');
    held.phone().callTo(`sip:otto${domain}`).answers();
    await held.clock.pass(6_000);
    const calls = held.phone().calls.filter(({ target }) => target === `sip:otto${domain}`);
    assert.equal(calls.length, 2);
    assert.ok(calls[0]?.isOver);
    assert.equal(linkOf(held, 'otto'), 'calling');
    calls[1]?.answers();
    calls[1]?.wire.becomes('failed');
    assert.equal(linkOf(held, 'otto'), 'gateway');
    assert.deepEqual(gateway.messages.map(text => JSON.parse(text)), [{ type: 'RELAY_SOUND', peer: 'otto', on: true }]);
    await held.clock.pass(60_000);
    assert.equal(held.phone().calls.filter(({ target }) => target === `sip:otto${domain}`).length, 2);
});

test('while the direct way is lost the sound comes through the gateway, and nobody is heard twice', async () => {
    const held = conference();
    const gateway = held.join();
    held.tell('mia', 'otto');
    const otto = held.phone().callTo(`sip:otto${domain}`);
    otto.connects();
    assert.equal(held.media.audible.get('otto'), true);
    otto.wire.becomes('disconnected');
    assert.deepEqual([held.media.audible.get('otto'), linkOf(held, 'otto')], [false, 'interrupted']);
    otto.wire.becomes('connected');
    assert.equal(linkOf(held, 'otto'), 'direct');
    assert.equal(held.media.audible.get('otto'), false);
    await held.clock.pass(1_000);
    assert.equal(held.media.audible.get('otto'), true);
    const relays = gateway.messages.map(text => JSON.parse(text)).filter(({ type }) => type === 'RELAY_SOUND');
    assert.deepEqual(relays.map(({ peer, on }) => [peer, on]), [['otto', true], ['otto', false]]);
});

test('a direct way by which no sound comes is lost before the connection says so', async () => {
    const held = conference();
    const gateway = held.join();
    held.tell('mia', 'otto');
    const otto = held.phone().callTo(`sip:otto${domain}`);
    held.meeting.soundFlows('otto', false);
    otto.connects();
    held.meeting.soundFlows('otto', true);
    held.meeting.soundFlows('otto', false);
    held.meeting.soundFlows('otto', false);
    assert.deepEqual([linkOf(held, 'otto'), held.media.audible.get('otto')], ['interrupted', false]);
    otto.wire.becomes('disconnected');
    held.meeting.soundFlows('otto', true);
    assert.equal(linkOf(held, 'otto'), 'interrupted', 'what came last was on its way');
    otto.wire.becomes('connected');
    held.meeting.soundFlows('otto', false);
    held.meeting.soundFlows('otto', true);
    await held.clock.pass(1_000);
    assert.deepEqual([linkOf(held, 'otto'), held.media.audible.get('otto')], ['direct', true]);
    held.meeting.soundFlows('nobody', false);
    // It is lost again before the direct sound has taken over.
    held.meeting.soundFlows('otto', false);
    held.meeting.soundFlows('otto', true);
    held.meeting.soundFlows('otto', false);
    await held.clock.pass(1_000);
    assert.deepEqual([linkOf(held, 'otto'), held.media.audible.get('otto')], ['interrupted', false]);
    const relays = gateway.messages.map(text => JSON.parse(text)).filter(({ type }) => type === 'RELAY_SOUND');
    assert.deepEqual(relays.map(({ on }) => on), [true, false, true, false, true, false, true].slice(0, relays.length));
    assert.equal(relays.at(-1)?.on, true);
});

test('a way that is lost for good is looked for once more, and the sound goes through the gateway all along', async () => {
    const held = conference();
    const gateway = held.join();
    held.tell('mia', 'otto');
    const calls = () => held.phone().calls.filter(({ target }) => target === `sip:otto${domain}`);
    for (const lost of [1, 2]) {
        calls().at(-1)?.connects();
        await held.clock.pass(1_000);
        assert.deepEqual([linkOf(held, 'otto'), held.media.audible.get('otto')], ['direct', true], `${lost}`);
        calls().at(-1)?.wire.becomes('disconnected');
        calls().at(-1)?.wire.becomes('failed');
        assert.equal(linkOf(held, 'otto'), 'retrying');
        await held.clock.pass(1_000);
        assert.equal(calls().length, lost + 1);
    }
    calls().at(-1)?.answers();
    calls().at(-1)?.wire.becomes('failed');
    assert.equal(linkOf(held, 'otto'), 'gateway');
    const relays = gateway.messages.map(text => JSON.parse(text)).filter(({ type }) => type === 'RELAY_SOUND');
    assert.deepEqual(relays.map(({ on }) => on), [true, false, true]);
});

test('who hangs up a call without a way through is still there, and who does not call again has left', async () => {
    const held = conference();
    held.join();
    held.tell('anna', 'mia');
    for (const calls of [1, 2]) {
        const anna = new FakeIncoming('anna');
        held.phone().events.incoming(anna);
        anna.answered?.answers();
        if (calls === 1) anna.answered?.end(0);
        await held.clock.pass(1_000);
    }
    assert.equal(linkOf(held, 'anna'), 'retrying');
    await held.clock.pass(6_000);
    assert.equal(linkOf(held, 'anna'), 'gateway');

    // One side gives up a lost way first, and the other one has seen that it is lost.
    const lost = conference();
    lost.join();
    lost.tell('mia', 'otto');
    lost.phone().callTo(`sip:otto${domain}`).connects();
    lost.phone().callTo(`sip:otto${domain}`).wire.becomes('disconnected');
    lost.phone().callTo(`sip:otto${domain}`).end(0);
    assert.equal(linkOf(lost, 'otto'), 'retrying');
    await lost.clock.pass(1_000);
    assert.equal(linkOf(lost, 'otto'), 'calling');

    const left = conference();
    left.join();
    left.tell('anna', 'mia');
    const anna = new FakeIncoming('anna');
    left.phone().events.incoming(anna);
    anna.answered?.answers();
    anna.answered?.end(0);
    await left.clock.pass(11_000);
    assert.equal(left.state().peers.length, 0);
});

test('who was called tells the caller by the conference that there is no way, and the caller calls again', async () => {
    const called = conference();
    const gateway = called.join();
    called.tell('anna', 'mia');
    const anna = new FakeIncoming('anna');
    called.phone().events.incoming(anna);
    anna.answered?.answers();
    anna.answered?.wire.becomes('failed');
    const told = { type: 'ICE_FAILED', caller: `sip:anna${domain}`, callee: 'mia', displayName: 'Mia' };
    assert.deepEqual(gateway.messages.map(text => JSON.parse(text)), [told]);

    const caller = conference();
    caller.join();
    caller.tell('mia', 'otto');
    caller.phone().callTo(`sip:otto${domain}`).answers();
    caller.phone().callTo(`sip:joinconf${domain}`).events.message?.(JSON.stringify({ type: 'ICE_FAILED', callee: 'otto', displayName: 'Otto' }));
    assert.equal(linkOf(caller, 'otto'), 'retrying');
    await caller.clock.pass(1_000);
    assert.equal(caller.phone().calls.filter(({ target }) => target === `sip:otto${domain}`).length, 2);
});

test('a stranger who calls gets no answer, and somebody we are told of in time does', async () => {
    const held = conference();
    held.join();
    const [stranger, early] = [new FakeIncoming('mallory'), new FakeIncoming('anna')];
    held.phone().events.incoming(stranger);
    held.phone().events.incoming(early);
    await held.clock.pass(1_000);
    held.tell('anna', 'mia');
    assert.notEqual(early.answered, null);
    await held.clock.pass(10_000);
    assert.deepEqual([stranger.answered, stranger.refused, early.refused], [null, true, false]);
});

test('a caller who gives up before we are told of them holds nothing up', async () => {
    const held = conference();
    const gateway = held.join();
    const [early, late] = [new FakeIncoming('anna'), new FakeIncoming('otto')];
    held.phone().events.incoming(early);
    held.phone().events.incoming(late);
    early.isOver = true;
    held.tell('anna', 'mia');
    assert.equal(early.answered, null);
    late.isOver = true;
    held.meeting.leave();
    assert.ok(gateway.isOver && held.phone().isStopped);
});

test('who may not be called directly is heard through the gateway, and not called again', async () => {
    const held = conference();
    held.join();
    held.tell('mia', 'otto');
    held.phone().callTo(`sip:otto${domain}`).end(403);
    await held.clock.pass(30_000);
    assert.equal(linkOf(held, 'otto'), 'gateway');
    assert.equal(held.phone().calls.length, 2);
});

test('a lost connection is begun anew, within five seconds even if two tries are in vain', async () => {
    const held = conference();
    const gone = held.join();
    held.tell('mia', 'otto');
    held.phone().callTo(`sip:otto${domain}`).connects();
    held.phone().events.lost();
    assert.equal(held.state().phase.name, 'reconnecting');
    assert.ok(gone.isOver && held.phones[0]?.isStopped);
    await held.clock.pass(0);
    held.phone().events.lost();
    await held.clock.pass(500);
    held.phone().events.lost();
    await held.clock.pass(1_000);
    assert.equal(held.phones.length, 4);
    held.join();
    assert.equal(held.state().phase.name, 'in');
    held.tell('mia', 'otto');
    held.phone().callTo(`sip:otto${domain}`).connects();
    assert.equal(linkOf(held, 'otto'), 'direct');
});

test('a phone that was given up says nothing any more', async () => {
    const held = conference();
    held.join();
    const [old] = held.phones;
    held.phone().events.lost();
    await held.clock.pass(0);
    held.join();
    old?.events.lost();
    old?.events.refused(403);
    await turn();
    assert.deepEqual([held.state().phase.name, held.guest.joins], ['in', 0]);
});

test('a gateway that does not answer is tried again and again, and given up in the end', async () => {
    const held = conference();
    await held.clock.pass(3_600_000);
    assert.deepEqual(held.state().phase, { name: 'over', why: 'refused', detail: '' });
    assert.ok(held.phones.length > 20 && held.phones.every(phone => phone.isStopped));
});

test('who is not known any more uses the invitation again', async () => {
    const held = conference();
    held.join();
    held.phone().events.lost();
    await held.clock.pass(0);
    held.phone().events.refused(401);
    await held.clock.pass(2_000);
    assert.deepEqual([held.guest.joins, held.phone().account.user, held.state().me.user], [1, 'mia-2', 'mia-2']);
    held.join();
    assert.equal(held.state().phase.name, 'in');
});

test('an invitation that was taken back ends it, and says so', async () => {
    const held = conference();
    held.join();
    held.guest.refuses = new Problem(410, 'invitation-revoked', 'it was taken back');
    held.phone().events.refused(403);
    await held.clock.pass(1_000);
    assert.deepEqual(held.state().phase, { name: 'over', why: 'refused', detail: 'invitation-revoked' });
});

test('who is hung up is out, but not where the whole gateway goes', async () => {
    const removed = conference();
    removed.join().end(0);
    await removed.clock.pass(1_000);
    assert.deepEqual(removed.state().phase, { name: 'over', why: 'hung-up', detail: '' });

    const restarted = conference();
    restarted.join().end(0);
    restarted.phone().events.lost();
    await restarted.clock.pass(1_000);
    assert.equal(restarted.state().phase.name, 'reconnecting');
});

test('a network that fails is noticed by the sound, also where the WebSocket does not', async () => {
    const held = conference();
    const call = held.join();
    call.wire.becomes('disconnected');
    await held.clock.pass(2_000);
    call.wire.becomes('connected');
    await held.clock.pass(10_000);
    assert.equal(held.state().phase.name, 'in');
    call.wire.becomes('disconnected');
    await held.clock.pass(4_100);
    assert.equal(held.state().phase.name, 'reconnecting');
});

test('what was written before is told who comes later, and who it does not reach is named', () => {
    const held = conference();
    held.join();
    held.meeting.say('  first  ');
    held.meeting.say('   ');
    held.tell('mia', 'otto', 'paul');
    const otto = held.phone().callTo(`sip:otto${domain}`);
    otto.connects();
    const chat = otto.informed.map(text => JSON.parse(text)).filter(({ type }) => type === 'CHAT');
    assert.deepEqual(chat.flatMap(({ lines }) => lines.map(({ text }: { text: string }) => text)), ['first']);
    otto.events.message?.(JSON.stringify({ type: 'CHAT', lines: [...chat[0].lines, { id: 'otto-1', from: 'Otto', text: 'second', at: 9 }] }));
    assert.deepEqual(held.state().chat.map(({ text }) => text), ['second', 'first']);
    assert.equal(held.state().unread, 1);
    held.meeting.say('third');
    assert.deepEqual(held.state().notices.map(({ text, gaps }) => [text, gaps]), [['chat.missed', { names: 'PAUL' }]]);
});

test('of many peers the pictures of a few are asked for', () => {
    const held = conference();
    held.join();
    const others = Array.from({ length: 12 }, (_, n) => `p${String(n).padStart(2, '0')}`);
    held.tell('mia', ...others);
    for (const id of others) held.phone().callTo(`sip:${id}${domain}`).connects();
    held.meeting.heard(['p07']);
    const wants = (id: string) => JSON.parse(held.phone().callTo(`sip:${id}${domain}`).informed.at(-1)!).wants;
    assert.equal(others.filter(wants).length, 4);
    assert.equal(wants('p07'), true);
    held.phone().callTo(`sip:p01${domain}`).events.message?.(JSON.stringify({ type: 'STATUS', name: 'P', muted: true, hand: false, camera: true, sharing: false, wants: false }));
    assert.equal(held.media.sending.get('p01'), false);
    assert.equal(held.state().peers.find(({ id }) => id === 'p01')?.muted, true);
});

test('a telephone is called and its keys pressed by messages in a scenario, and by the API in a room', async () => {
    const scenario = conference();
    const gateway = scenario.join();
    await scenario.meeting.callTelephone('+442079460123');
    gateway.events.message?.('{"type":"CALL_PARTICIPANT","number":"+442079460123"}');
    gateway.events.message?.('{"type":"CALL_PARTICIPANT_CONNECTED","number":"+442079460123"}');
    const [telephone] = scenario.state().telephones;
    assert.equal(telephone?.state, 'in');
    await scenario.meeting.press(telephone!, '#');
    assert.deepEqual(gateway.messages.map(text => JSON.parse(text)), [
        { type: 'CALL_PARTICIPANT', number: '+442079460123' }, { type: 'SEND_TONE', id: '+442079460123', number: '+442079460123', tone: '#' },
    ]);

    const host = new FakeHost();
    const room = conference({ call: `sip:board${domain}`, byScenario: false, host: true }, host);
    room.join();
    await turn();
    await room.meeting.callTelephone('+442079460123');
    assert.equal(room.state().telephones[0]?.state, 'calling');
    host.tell({ type: 'progress', call: 'call-1-9', what: 'ringing' });
    assert.equal(room.state().telephones[0]?.state, 'ringing');
    host.tell({ type: 'done' });
    const base = { user: '', name: '', number: '+442…23', muted: false, disturbs: [] };
    host.listed = [{ ...base, call: 'call-1-9', state: 'answered' }];
    await room.clock.pass(2_500);
    const [called] = room.state().telephones;
    assert.deepEqual([called?.state, called?.call, room.state().telephones.length], ['in', 'call-1-9', 1]);
    await room.meeting.press(called!, '5');
    assert.deepEqual(host.done, ['dial +442079460123', 'digits call-1-9 5']);
    host.listed = [];
    await room.clock.pass(5_000);
    assert.equal(room.state().telephones[0]?.state, 'left');
    await room.clock.pass(6_000);
    assert.equal(room.state().telephones.length, 0);
});

test('a telephone that is busy is told with its reason', async () => {
    const host = new FakeHost();
    const room = conference({ call: `sip:board${domain}`, byScenario: false, host: true }, host);
    room.join();
    await room.meeting.callTelephone('+442079460123');
    host.tell({ type: 'failed', rule: 'failed', detail: 'busy' });
    const [telephone] = room.state().telephones;
    assert.deepEqual([telephone?.state, telephone?.reason], ['failed', 'busy']);
    assert.deepEqual(room.state().notices.map(({ text, gaps }) => [text, gaps]), [['telephone.failed-because', { number: '+442…23', reason: 'busy' }]]);
});

test('whoever leaves leaves nothing behind', async () => {
    for (let n = 0; n < 20; n++) {
        const held = conference();
        const gateway = held.join();
        held.tell('anna', 'mia', 'otto');
        const otto = held.phone().callTo(`sip:otto${domain}`);
        otto.connects();
        held.meeting.leave();
        assert.ok(gateway.isOver && otto.isOver && held.phone().isStopped);
        assert.deepEqual([held.state().phase, held.media.shown.size], [{ name: 'over', why: 'left', detail: '' }, 0]);
        await held.clock.pass(60_000);
        assert.deepEqual([held.clock.waiting, held.phones.length], [0, 1]);
    }
});

test('a host acts in a conference of roles by messages, and all see what has become of it', async () => {
    const held = conference({ host: true });
    const gateway = held.join();
    const powers = () => held.meeting.moderation;
    held.tell('mia', 'otto');
    held.phone().callTo(`sip:otto${domain}`).connects();
    assert.ok(powers() === null, 'as long as the conference has told nothing of hosts');
    const tells = (message: object) => gateway.events.message?.(JSON.stringify(message));
    tells({ type: 'CONFERENCE_STATE', host: false, locked: false, muted: [] });
    assert.ok(powers() === null, 'it is the conference that says who is host');
    tells({ type: 'CONFERENCE_STATE', host: true, locked: true, muted: ['otto', 'call-1-7'] });
    assert.deepEqual([held.state().locked, held.state().silenced], [true, ['otto', 'call-1-7']]);
    tells({ type: 'CONFERENCE_STATE', host: true, locked: true, muted: ['otto'], disturbing: [{ id: 'call-1-7', disturbs: ['noise', 'echo'] }] });
    assert.deepEqual([...held.state().disturbing], [['call-1-7', ['echo', 'noise']]]);
    assert.equal(held.media.audible.get('otto'), false, 'who is muted is not heard directly either');
    tells({ type: 'CONFERENCE_STATE', host: true, locked: false, muted: [] });
    assert.equal(held.media.audible.get('otto'), true);
    const moderation = powers();
    const otto = held.state().peers[0]!;
    assert.equal(moderation?.reaches(otto), true);
    await moderation?.mute(otto, true);
    await moderation?.remove(otto);
    await moderation?.lock(true);
    await moderation?.end();
    assert.deepEqual(gateway.messages.map(text => JSON.parse(text)), [
        { type: 'MUTE_PARTICIPANT', id: 'otto', on: true }, { type: 'REMOVE_PARTICIPANT', id: 'otto' },
        { type: 'LOCK_CONFERENCE', on: true }, { type: 'END_CONFERENCE' },
    ]);
});

test('who is sent away, or not let in, is told why', async () => {
    const phaseAfter = (message: object) => {
        const held = conference();
        held.join().events.message?.(JSON.stringify(message));
        return held.state().phase;
    };
    assert.deepEqual(phaseAfter({ type: 'PARTICIPANT_REMOVED' }), { name: 'over', why: 'removed', detail: '' });
    assert.deepEqual(phaseAfter({ type: 'CONFERENCE_ENDED' }), { name: 'over', why: 'ended', detail: '' });
    assert.deepEqual(phaseAfter({ type: 'CONFERENCE_REFUSED', code: 423 }), { name: 'over', why: 'refused', detail: 'room-locked' });
    assert.equal(phaseAfter({ type: 'CONFERENCE_REFUSED', code: 503 }).name, 'reconnecting');
    for (const misshapen of [{ type: 'CONFERENCE_REFUSED' }, { type: 'CONFERENCE_STATE', host: 1 }]) {
        assert.equal(phaseAfter(misshapen).name, 'in');
    }
});

test('in a room a host acts by the API on those whose calls are known', async () => {
    const host = new FakeHost();
    const held = conference({ call: `sip:board${domain}`, byScenario: false, host: true }, host);
    held.join();
    host.listed = [{ call: 'call-1-2', user: 'otto', name: 'Otto', number: '', state: 'up', muted: true, disturbs: ['echo', 'whistling'] }];
    await held.meeting.lookNow();
    const { moderation } = held.meeting;
    const otto = held.state().peers[0]!;
    assert.deepEqual([moderation?.reaches(otto), moderation?.reaches({ ...otto, call: null })], [true, false]);
    assert.deepEqual([held.state().silenced, [...held.state().disturbing]], [['otto'], [['otto', ['echo']]]]);
    const { disturbing } = held.state();
    await held.meeting.lookNow();
    assert.equal(held.state().disturbing, disturbing, 'what is as it was is not told again');
    await moderation?.mute(otto, false);
    host.listed = host.listed.map(one => ({ ...one, muted: false, disturbs: [] }));
    await held.meeting.lookNow();
    assert.deepEqual(held.state().silenced, [], 'who was unmuted is not shown as muted');
    assert.equal(held.state().disturbing.size, 0);
    await moderation?.end();
    assert.deepEqual(host.done, ['mute call-1-2 false', 'end board']);
});
