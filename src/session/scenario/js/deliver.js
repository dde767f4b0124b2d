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

/** A call is over: so is all that it was part of. */
function forget(handle, call, state) {
  calls.delete(handle);
  const own = call[inner];
  Object.assign(own, { over: true, state, hears: null });
  if (own.playback) part("playing").forget(own);
  for (const endpoint of own.endpoints ?? []) endpoint.remove();
  for (const leave of leaving) leave(call);
}

function failed(handle, call, code, reason) {
  forget(handle, call, "FAILED");
  tell(call, "Call.Failed", { code, reason, headers: {} });
}

const on = watch("on", {
  started(sessionId, data, accessURL, accessSecureURL) {
    session.customData = data;
    fire(application, "Application.Started", {
      sessionId, accountId: 0, applicationId: 0, logURL: "", accessURL, accessSecureURL, userId: 0,
    });
  },

  incoming(handle, number, callerid, displayName, to, list) {
    const headers = pairs(list);
    const call = new Call(SECRET, handle, { number, callerid, displayName, headers, incoming: true });
    fire(application, "Application.CallAlerting", {
      call, id: call.id(), callerid, displayName, headers, destination: number, customData: call.customData(),
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
      tell(direct, "Call.Connected", { headers: {}, customData: direct.customData() });
    }
    tell(call, "Call.Connected", { headers: call.headers(), customData: call.customData() });
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

  failed(handle, code, reason) {
    const call = calls.get(handle);
    if (call) failed(handle, call, code, reason);
  },

  ended(handle, reason, seconds) {
    const call = calls.get(handle);
    if (!call) return;
    const { connected, rejected, directly } = call[inner];
    if (directly && !isOver(directly)) on.ended(directly[inner].unit.handle, reason, seconds);
    if (!connected) return failed(handle, call, rejected ?? 487, reason);
    forget(handle, call, "DISCONNECTED");
    tell(call, "Call.Disconnected", { reason, duration: seconds, cost: 0, headers: {}, internalCode: 200 });
  },

  message(handle, words) {
    const call = calls.get(handle);
    if (call) tell(call, "Call.MessageReceived", { text: words });
  },

  over() {
    tellRefusals();
    fire(application, "Application.Terminating", {});
    fire(application, "Application.Terminated", {});
  },
});

function firstPacket(call, teller) {
  call[inner].heard = "told";
  teller(call, "Call.FirstAudioPacketReceived", { call, id: call.id() });
}

function tellRefusals() {
  if (session.refusals) part("refusals").tellRefusals();
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
  tellRefusals();
  fire(application, "Application.Terminating", {});
  host.endSession();
  fire(application, "Application.Terminated", {});
  return false;
}

loaded.core = {
  // `base.js`
  host, PAGE, watch, extend, inner, SECRET, text, session, soon, Emitter, fire, application, SystemSet,
  // `call.js`
  Call, calls, last, leaving, flat, unit, isOver, connect, disconnect, handleOf, ask,
  // `engine.js`
  VoxEngine,
  // `deliver.js`
  on, tell, failed, pairs,
};
watch("globalThis", globalThis);
host.start(part, (kind, ...facts) => on[kind](...facts), settle);
