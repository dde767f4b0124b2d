// The conference itself. Browsers talk and see each other directly: from here they hear the telephones alone, and the
// telephones hear everybody.
//
// Browsers send, as JSON: { type: "CALL_PARTICIPANT", number }, { type: "HANGUP_PARTICIPANT", id },
// { type: "SEND_TONE", id, tone }, { type: "ICE_FAILED", caller, callee, displayName }. They are told who is there by
// { peers: [{ callerid, displayName }], pstnCalls: [{ id, callerid }] }, and of changes by CALL_PARTICIPANT,
// CALL_PARTICIPANT_CONNECTED, CALL_PARTICIPANT_FAILED and CALL_PARTICIPANT_DISCONNECTED, each with `id` and `number`.
require(Modules.Conference);

const VOICE = Language.UK_ENGLISH_FEMALE;

/** What browsers hear, and what telephones hear. */
const forBrowsers = VoxEngine.createConference();
const forTelephones = VoxEngine.createConference();

/** Calls by their ids: two may have one number. */
const browsers = new Map();
const telephones = new Map();

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

function addBrowser(call) {
  const gone = () => {
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
  const gone = (type) => () => {
    telephones.delete(call.id());
    tellBrowsers(about(type));
    endWhenEmpty();
  };
  telephones.set(call.id(), call);
  call.addEventListener(CallEvents.Connected, () => greet(call, () => {
    VoxEngine.sendMediaBetween(call, forTelephones);
    call.sendMediaTo(forBrowsers);
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
