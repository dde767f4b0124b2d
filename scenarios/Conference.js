// The conference itself. Browsers talk and see each other directly: from here they hear the telephones alone, and the
// telephones hear everybody.
//
// Browsers send, as JSON: { type: "CALL_PARTICIPANT", number }, { type: "HANGUP_PARTICIPANT", id } and { type:
// "SEND_TONE", id, tone } (of a telephone that their user has had called; hosts, of any), { type: "ICE_FAILED", caller,
// callee, displayName }, and where two do not reach each other directly { type: "RELAY_SOUND", peer, on }. They are told who is
// there by { peers: [{ callerid, displayName }], pstnCalls: [{ id, callerid, caller, state }] }, and of changes by
// CALL_PARTICIPANT (with `caller`, the user who has had it called), CALL_PARTICIPANT_RINGING, CALL_PARTICIPANT_CONNECTED,
// CALL_PARTICIPANT_FAILED (with `code` and `reason`) and CALL_PARTICIPANT_DISCONNECTED, each with `id` and `number`.
//
// Hosts also send { type: "LOCK_CONFERENCE", on }, { type: "MUTE_PARTICIPANT", id, on },
// { type: "REMOVE_PARTICIPANT", id } and { type: "END_CONFERENCE" }; an `id` is a telephone's, or a browser's `callerid`.
// Every browser is told { type: "CONFERENCE_STATE", host, locked, muted: [id] }, hosts with disturbing: [{ id, disturbs:
// ["echo"] }] too, before it is sent away { type: "PARTICIPANT_REMOVED" }, and at the end { type: "CONFERENCE_ENDED" }.
// The gates that calls come by tell how they disturb: { type: "DISTURBANCE", disturbance, on }.
require(Modules.Conference);

const VOICE = Language.UK_ENGLISH_FEMALE;
/** How a call is refused that a locked conference does not take. */
const LOCKED = 423;

/** What browsers hear, and what telephones hear. */
const forBrowsers = VoxEngine.createConference();
const forTelephones = VoxEngine.createConference();

/** Calls by their ids: two may have one number. */
const browsers = new Map();
const telephones = new Map();
/** Which user has had a telephone called, by its id; of those that called in themselves, nobody. */
const callers = new Map();
/** Calls that have been greeted: they hear the others, and are heard. */
const inside = new Set();
/** What a browser hears of its own, with the peers that reach it through here; by its call's id. */
const relays = new Map();

/** Ids of the browsers' calls that are hosts'. */
const hosts = new Set();
/** Whom a host has muted: telephones' ids and browsers' users. */
const muted = new Set();
/** How others can be disturbed. */
const DISTURBANCES = ["echo", "noise", "music"];
/** How they are, and by whom: sets, by what messages call a call. */
const disturbing = new Map();
/** Users who have been let in: whose connection was lost comes back where it is locked too. */
const members = new Set();
let locked = false;

function tellBrowsers(message) {
  const text = JSON.stringify(message);
  for (const call of browsers.values()) call.sendMessage(text);
}

function tellWhoIsThere() {
  tellBrowsers({
    peers: [...browsers.values()].map((call) => ({ callerid: call.callerid(), displayName: call.displayName() })),
    pstnCalls: [...telephones.values()].map((call) => ({
      id: call.id(), callerid: shown(call), caller: callers.get(call.id()), state: inside.has(call) ? "in" : "calling",
    })),
  });
}

/** Tells browsers, all if none is named, how it stands. */
function tellState(calls = [...browsers.values()]) {
  for (const call of calls) {
    const state = { type: "CONFERENCE_STATE", host: hosts.has(call.id()), locked, muted: [...muted] };
    if (state.host) state.disturbing = [...disturbing].map(([id, all]) => ({ id, disturbs: [...all] }));
    call.sendMessage(JSON.stringify(state));
  }
}

/** The other end's number, whoever called. */
const shown = (call) => (call.incoming() ? call.callerid() : call.number());

/** What a call is called in messages. */
const idOf = (call) => (browsers.has(call.id()) ? call.callerid() : call.id());

/** A call disturbs the others, or does so no more. Hosts are told. */
function disturbs(call, disturbance, on) {
  if (!DISTURBANCES.includes(disturbance)) return;
  const all = disturbing.get(idOf(call)) ?? new Set();
  if (on) all.add(disturbance);
  else all.delete(disturbance);
  if (all.size > 0) disturbing.set(idOf(call), all);
  else disturbing.delete(idOf(call));
  tellState([...browsers.values()].filter((browser) => hosts.has(browser.id())));
}

function endWhenEmpty() {
  if (browsers.size + telephones.size === 0) VoxEngine.terminate();
}

/** Greets a call, and only then lets it in. Where nobody can say it, a prompt of the gateway's is heard. */
function greet(call, enter = () => {}) {
  let isPrompt = false;
  const greeted = ({ error }) => {
    if (error && !isPrompt) {
      isPrompt = true;
      call.startPlayback("joining");
      return;
    }
    call.removeEventListener(CallEvents.PlaybackFinished, greeted);
    inside.add(call);
    (relays.get(call.id())?.mix ?? (telephones.has(call.id()) ? forTelephones : forBrowsers)).sendMediaTo(call);
    isHeard(call, !muted.has(idOf(call)));
    enter();
  };
  call.addEventListener(CallEvents.PlaybackFinished, greeted);
  call.say("You have joined a conference.", VOICE);
}

/** The mixes that a call is heard in, when it is not muted. */
function mixesOf(call) {
  const isTelephone = telephones.has(call.id());
  const relayed = [...relays.values()].filter(({ peers }) => (isTelephone ? inside.has(call) : peers.has(call)));
  const mixes = relayed.map(({ mix }) => mix);
  if (inside.has(call)) mixes.push(forTelephones);
  if (inside.has(call) && isTelephone) mixes.push(forBrowsers);
  return mixes;
}

function isHeard(call, on) {
  for (const mix of mixesOf(call)) {
    if (on) call.sendMediaTo(mix);
    else call.stopMediaTo(mix);
  }
}

/** Whether a browser hears a peer from here. */
function relay(to, user, on) {
  const from = [...browsers.values()].find((call) => call !== to && call.callerid() === user);
  if (!from) return;
  if (on && !relays.has(to.id())) {
    const mix = VoxEngine.createConference();
    mix.sendMediaTo(to);
    relays.set(to.id(), { to, mix, peers: new Set() });
    for (const call of telephones.values()) {
      if (inside.has(call) && !muted.has(idOf(call))) call.sendMediaTo(mix);
    }
  }
  const relayed = relays.get(to.id());
  if (on) {
    relayed.peers.add(from);
    if (!muted.has(user)) from.sendMediaTo(relayed.mix);
  } else if (relayed?.peers.has(from)) {
    from.stopMediaTo(relayed.mix);
    endRelay(relayed, from);
  }
}

/** A peer is relayed no more: after the last one the browser hears what the others hear. */
function endRelay({ to, mix, peers }, peer) {
  if (!peers.delete(peer) || peers.size > 0) return;
  relays.delete(to.id());
  forBrowsers.sendMediaTo(to);
  mix.stop();
}

function addBrowser(call) {
  const gone = () => {
    relays.get(call.id())?.mix.stop();
    relays.delete(call.id());
    for (const relayed of [...relays.values()]) endRelay(relayed, call);
    inside.delete(call);
    hosts.delete(call.id());
    disturbing.delete(call.callerid());
    if (browsers.delete(call.id())) tellWhoIsThere();
    // Whose connection was lost may have called again already.
    const isBack = [...browsers.values()].some((other) => other.callerid() === call.callerid());
    if (!isBack && muted.delete(call.callerid())) tellState();
    endWhenEmpty();
  };
  call.addEventListener(CallEvents.Connected, () => {
    browsers.set(call.id(), call);
    members.add(call.callerid());
    // Browsers call each other meanwhile.
    tellWhoIsThere();
    tellState([call]);
    greet(call);
  });
  call.addEventListener(CallEvents.MessageReceived, ({ text }) => onMessage(call, text));
  call.addEventListener(CallEvents.Disconnected, gone);
  call.addEventListener(CallEvents.Failed, gone);
}

function addTelephone(call) {
  const about = (type) => ({ type, id: call.id(), number: shown(call), inbound: call.incoming() });
  const gone = (type) => ({ code, reason }) => {
    telephones.delete(call.id());
    callers.delete(call.id());
    disturbing.delete(call.id());
    inside.delete(call);
    tellBrowsers({ ...about(type), code, reason });
    if (muted.delete(call.id())) tellState();
    endWhenEmpty();
  };
  telephones.set(call.id(), call);
  // Of a call of ours we are told ourselves, of one that came in its gate is.
  call.addEventListener(CallEvents.DisturbanceBegan, ({ disturbance }) => disturbs(call, disturbance, true));
  call.addEventListener(CallEvents.DisturbanceEnded, ({ disturbance }) => disturbs(call, disturbance, false));
  call.addEventListener(CallEvents.MessageReceived, ({ text }) => {
    const message = parsed(call, text);
    if (message?.type === "DISTURBANCE") disturbs(call, message.disturbance, message.on === true);
  });
  call.addEventListener(CallEvents.Ringing, () => tellBrowsers(about("CALL_PARTICIPANT_RINGING")));
  call.addEventListener(CallEvents.Connected, () => greet(call, () => {
    tellBrowsers(about("CALL_PARTICIPANT_CONNECTED"));
  }));
  call.addEventListener(CallEvents.Disconnected, gone("CALL_PARTICIPANT_DISCONNECTED"));
  call.addEventListener(CallEvents.Failed, gone("CALL_PARTICIPANT_FAILED"));
}

/** Calls by what messages call them: a user may have two for a while. */
function callsOf(id) {
  return [...browsers.values(), ...telephones.values()].filter((call) => idOf(call) === id);
}

function mute(id, on) {
  const calls = callsOf(id);
  if (calls.length === 0) return;
  if (on) muted.add(id);
  else muted.delete(id);
  for (const call of calls) isHeard(call, !on);
  tellState();
}

function remove(id) {
  members.delete(id);
  for (const call of callsOf(id)) {
    if (browsers.has(call.id())) call.sendMessage(JSON.stringify({ type: "PARTICIPANT_REMOVED" }));
    call.hangup();
  }
}

function end() {
  tellBrowsers({ type: "CONFERENCE_ENDED" });
  for (const call of [...browsers.values(), ...telephones.values()]) call.hangup();
}

/** What a host asks for, and nobody else may. */
function onHostsMessage(from, { type, id, on }) {
  if (!hosts.has(from.id())) {
    Logger.write(`${type} of somebody who is no host, from ${from.id()}`);
    return;
  }
  switch (type) {
    case "LOCK_CONFERENCE":
      locked = on === true;
      tellState();
      break;
    case "MUTE_PARTICIPANT":
      mute(String(id), on === true);
      break;
    case "REMOVE_PARTICIPANT":
      remove(String(id));
      break;
    case "END_CONFERENCE":
      end();
      break;
  }
}

/** What a message says; undefined where it is no JSON. */
function parsed(from, text) {
  try {
    return JSON.parse(text);
  } catch {
    Logger.write(`a message that is no JSON, from ${from.id()}`);
    return undefined;
  }
}

/** Whether a browser's user has had a telephone called, or is a host. */
function isTheirs(telephone, from, type) {
  const is = hosts.has(from.id()) || callers.get(telephone.id()) === from.callerid();
  if (!is) Logger.write(`${type} of another's telephone, from ${from.id()}`);
  return is;
}

function onMessage(from, text) {
  const message = parsed(from, text);
  if (message === undefined) return;
  const telephone = telephones.get(message?.id);
  switch (message?.type) {
    case "CALL_PARTICIPANT": {
      const call = VoxEngine.callPSTN(String(message.number));
      callers.set(call.id(), from.callerid());
      addTelephone(call);
      tellBrowsers({ type: "CALL_PARTICIPANT", id: call.id(), number: call.number(), caller: from.callerid() });
      break;
    }
    case "HANGUP_PARTICIPANT":
      if (telephone && isTheirs(telephone, from, message.type)) telephone.hangup();
      break;
    case "SEND_TONE":
      if (!telephone || !/^[0-9*#A-D]$/.test(message.tone)) break;
      if (isTheirs(telephone, from, message.type)) telephone.sendDigits(message.tone);
      break;
    case "DISTURBANCE":
      disturbs(from, message.disturbance, message.on === true);
      break;
    case "RELAY_SOUND":
      relay(from, String(message.peer), message.on === true);
      break;
    case "ICE_FAILED": {
      // The direct call failed: whoever placed it is to try again.
      const user = String(message.caller).replace(/^sips?:/, "").split("@")[0];
      for (const call of browsers.values()) {
        if (call.callerid() === user) call.sendMessage(text);
      }
      break;
    }
    case "LOCK_CONFERENCE":
    case "MUTE_PARTICIPANT":
    case "REMOVE_PARTICIPANT":
    case "END_CONFERENCE":
      onHostsMessage(from, message);
      break;
    default:
      Logger.write(`a message of no known type, from ${from.id()}`);
  }
}

VoxEngine.addEventListener(AppEvents.CallAlerting, ({ call, headers }) => {
  const isBrowser = headers["X-ClientType"] === "web";
  const isHost = isBrowser && headers["X-Conference-Role"] === "host";
  if (locked && !isHost && !(isBrowser && members.has(call.callerid()))) {
    call.reject(LOCKED);
    return;
  }
  if (isHost) hosts.add(call.id());
  if (isBrowser) addBrowser(call);
  else addTelephone(call);
  call.answer();
});
