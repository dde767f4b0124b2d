// What happens, as the gateway tells it.

const pairs = (list) => {
  const headers = {};
  for (let at = 0; at + 1 < list.length; at += 2) headers[list[at]] = list[at + 1];
  return headers;
};

/** Tells a call's listeners. */
function tell(call, name, fields) {
  return fire(call, name, { call, id: call.id(), ...fields });
}

const on = watch("on", {
  started(data, ...facts) {
    session.customData = data;
    if (application[listeners]?.has("Application.Started")) part("started").tell(...facts);
  },

  incoming(handle, number, callerid, displayName, to, list) {
    const headers = pairs(list);
    const call = new Call(SECRET, handle, { number, callerid, displayName, headers, incoming: true });
    fire(application, "Application.CallAlerting", {
      call, id: call.id(), callerid, displayName, headers, destination: number, customData: "",
      fromURI: callerid ? `sip:${callerid}` : "", toURI: to ? `sip:${to}` : "", scheme: {},
    });
  },

  answered(handle) {
    const call = calls.get(handle);
    if (!call) return;
    const state = call[inner];
    Object.assign(state, { state: "CONNECTED", connected: true });
    const direct = state.directly;
    if (direct) {
      Object.assign(direct[inner], { state: "CONNECTED", connected: true });
      tell(direct, "Call.Connected", { headers: {}, customData: direct[inner].customData });
    }
    tell(call, "Call.Connected", { headers: { ...state.headers }, customData: state.customData });
    if (!state.audio) {
      state.audio = true;
      soon(call, "Call.AudioStarted", { call, id: call.id() });
    }
    if (state.heard === "early") firstPacket(call, soon);
  },

  /** Sound comes from the other end. Before the answer it is told only where early sound is heard. */
  firstPacket(handle) {
    const call = calls.get(handle);
    if (!call || call[inner].heard) return;
    call[inner].heard = "early";
    if (call[inner].audio) firstPacket(call, fire);
  },

  message(handle, words) {
    const call = calls.get(handle);
    if (call) tell(call, "Call.MessageReceived", { text: words });
  },
});

function firstPacket(call, teller) {
  call[inner].heard = "told";
  teller(call, "Call.FirstAudioPacketReceived", { call, id: call.id() });
}

/** Events that the last code led to; then the end, if it was asked for. Says whether there may be more. */
function settle() {
  const now = session.upcoming;
  session.upcoming = [];
  for (const [target, name, fields] of now) {
    if (!(target instanceof Call && isOver(target))) fire(target, name, fields);
  }
  if (session.upcoming.length || !session.terminating) return session.upcoming.length > 0;
  session.terminating = "done";
  part("endings").terminate();
  return false;
}

loaded.core = {
  // `base.js`
  PAGE, watch, extend, inner, SECRET, text, session, soon, Emitter, fire, application, SystemSet,
  // `call.js`
  Call, calls, last, leaving, unit, isOver, connect, disconnect, handleOf, ask,
  // `engine.js`
  VoxEngine,
  // `deliver.js`
  on, tell, pairs,
};
watch("globalThis", globalThis);
host.start(part, (kind, ...facts) => on[kind](...facts), settle);
