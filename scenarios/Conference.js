// The conference itself. Browsers talk and see each other directly: from here they hear the telephones alone, and the
// telephones hear everybody.
//
// Browsers send, as JSON: { type: "CALL_PARTICIPANT", number }, { type: "HANGUP_PARTICIPANT", id },
// { type: "SEND_TONE", id, tone }, { type: "ICE_FAILED", caller, callee, displayName }, and where two do not reach each
// other directly { type: "RELAY_SOUND", peer, on }. They are told who is there by { peers: [{ callerid, displayName }],
// pstnCalls: [{ id, callerid }] }, and of changes by CALL_PARTICIPANT, CALL_PARTICIPANT_RINGING,
// CALL_PARTICIPANT_CONNECTED, CALL_PARTICIPANT_FAILED (with `code` and `reason`) and CALL_PARTICIPANT_DISCONNECTED, each
// with `id` and `number`.
require(Modules.Conference);

const VOICE = Language.UK_ENGLISH_FEMALE;

/** What browsers hear, and what telephones hear. */
const forBrowsers = VoxEngine.createConference();
const forTelephones = VoxEngine.createConference();

/** Calls by their ids: two may have one number. */
const browsers = new Map();
const telephones = new Map();
/** Telephones that have been greeted. */
const inside = new Set();
/** What a browser hears of its own, with the peers that reach it through here; by its call's id. */
const relays = new Map();

function tellBrowsers(message) {
  const text = JSON.stringify(message);
  for (const call of browsers.values()) call.sendMessage(text);
}

function tellWhoIsThere() {
  tellBrowsers({
    peers: [...browsers.values()].map((call) => ({ callerid: call.callerid(), displayName: call.displayName() })),
    pstnCalls: [...telephones.values()].map((call) => ({ id: call.id(), callerid: shown(call) })),
  });
}

/** The other end's number, whoever called. */
const shown = (call) => (call.incoming() ? call.callerid() : call.number());

function endWhenEmpty() {
  if (browsers.size + telephones.size === 0) VoxEngine.terminate();
}

/** Greets a call, and only then lets it in. */
function greet(call, enter) {
  const greeted = () => {
    call.removeEventListener(CallEvents.PlaybackFinished, greeted);
    enter();
  };
  call.addEventListener(CallEvents.PlaybackFinished, greeted);
  call.say("You have joined the conference.", VOICE);
}

/** Whether a browser hears a peer from here. */
function relay(to, user, on) {
  const from = [...browsers.values()].find((call) => call !== to && call.callerid() === user);
  if (!from) return;
  if (on && !relays.has(to.id())) {
    const mix = VoxEngine.createConference();
    for (const call of inside) call.sendMediaTo(mix);
    mix.sendMediaTo(to);
    relays.set(to.id(), { to, mix, peers: new Set() });
  }
  const relayed = relays.get(to.id());
  if (on) {
    relayed.peers.add(from);
    from.sendMediaTo(relayed.mix);
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
    if (browsers.delete(call.id())) tellWhoIsThere();
    endWhenEmpty();
  };
  call.addEventListener(CallEvents.Connected, () => {
    browsers.set(call.id(), call);
    greet(call, () => {
      forBrowsers.sendMediaTo(call);
      call.sendMediaTo(forTelephones);
      tellWhoIsThere();
    });
  });
  call.addEventListener(CallEvents.MessageReceived, ({ text }) => onMessage(call, text));
  call.addEventListener(CallEvents.Disconnected, gone);
  call.addEventListener(CallEvents.Failed, gone);
}

function addTelephone(call) {
  const about = (type) => ({ type, id: call.id(), number: shown(call), inbound: call.incoming() });
  const gone = (type) => ({ code, reason }) => {
    telephones.delete(call.id());
    inside.delete(call);
    tellBrowsers({ ...about(type), code, reason });
    endWhenEmpty();
  };
  telephones.set(call.id(), call);
  call.addEventListener(CallEvents.Ringing, () => tellBrowsers(about("CALL_PARTICIPANT_RINGING")));
  call.addEventListener(CallEvents.Connected, () => greet(call, () => {
    VoxEngine.sendMediaBetween(call, forTelephones);
    call.sendMediaTo(forBrowsers);
    for (const { mix } of relays.values()) call.sendMediaTo(mix);
    inside.add(call);
    tellBrowsers(about("CALL_PARTICIPANT_CONNECTED"));
  }));
  call.addEventListener(CallEvents.Disconnected, gone("CALL_PARTICIPANT_DISCONNECTED"));
  call.addEventListener(CallEvents.Failed, gone("CALL_PARTICIPANT_FAILED"));
}

function onMessage(from, text) {
  let message;
  try {
    message = JSON.parse(text);
  } catch {
    Logger.write(`a message that is no JSON, from ${from.id()}`);
    return;
  }
  const telephone = telephones.get(message?.id);
  switch (message?.type) {
    case "CALL_PARTICIPANT": {
      const call = VoxEngine.callPSTN(String(message.number));
      addTelephone(call);
      tellBrowsers({ type: "CALL_PARTICIPANT", id: call.id(), number: call.number() });
      break;
    }
    case "HANGUP_PARTICIPANT":
      telephone?.hangup();
      break;
    case "SEND_TONE":
      if (telephone && /^[0-9*#A-D]$/.test(message.tone)) telephone.sendDigits(message.tone);
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
    default:
      Logger.write(`a message of no known type, from ${from.id()}`);
  }
}

VoxEngine.addEventListener(AppEvents.CallAlerting, ({ call, headers }) => {
  if (headers["X-ClientType"] === "web") addBrowser(call);
  else addTelephone(call);
  call.answer();
});
