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
  const playback = own.playback;
  if (playback) {
    playbacks.delete(playback.handle);
    if (playback.player) end(playback);
    own.playback = null;
  }
  for (const endpoint of own.endpoints ?? []) endpoint.remove();
  forgetAtSockets(call);
  if (own.recording) endRecording(own.recording);
}

function failed(handle, call, code, reason) {
  forget(handle, call, "FAILED");
  tell(call, CallEvents.Failed, { code, reason, headers: {} });
}

/** Of `AppEvents.HttpRequest`, in characters. */
const LONGEST_ANSWER = 65_536;

const on = {
  started(sessionId, data, accessURL, accessSecureURL) {
    customData = data;
    fire(application, AppEvents.Started, {
      sessionId, accountId: 0, applicationId: 0, logURL: "", accessURL, accessSecureURL, userId: 0,
    });
  },

  /** Somebody has asked the session's URL. Gives the answer; `undefined` where nobody listens. */
  request(method, path, content) {
    if (!fire(application, AppEvents.HttpRequest, { method, path, content })) return undefined;
    if (given === undefined || given === null || given instanceof Promise) return "";
    const answer = typeof given === "object" ? JSON.stringify(given) : String(given);
    if (answer?.length <= LONGEST_ANSWER) return answer;
    host.log(`HttpRequest: the answer is longer than ${LONGEST_ANSWER} characters`);
    return "";
  },

  incoming(handle, number, callerid, displayName, to, list) {
    const headers = pairs(list);
    const call = new Call(SECRET, handle, { number, callerid, displayName, headers, incoming: true });
    fire(application, AppEvents.CallAlerting, {
      call, id: call.id(), callerid, displayName, headers, destination: number, customData: call.customData(),
      fromURI: callerid ? `sip:${callerid}` : "", toURI: to ? `sip:${to}` : "", scheme: {},
    });
  },

  ringing(handle) {
    const call = calls.get(handle);
    if (!call) return;
    call[inner].state = "PROGRESSING";
    tell(call, CallEvents.Ringing, { headers: {} });
  },

  earlyMedia(handle) {
    const call = calls.get(handle);
    if (!call || call[inner].audio) return;
    call[inner].audio = true;
    tell(call, CallEvents.AudioStarted);
  },

  answered(handle) {
    const call = calls.get(handle);
    if (!call) return;
    const state = call[inner];
    Object.assign(state, { state: "CONNECTED", connected: true });
    const direct = state.directly;
    if (direct) {
      Object.assign(direct[inner], { state: "CONNECTED", connected: true });
      tell(direct, CallEvents.Connected, { headers: {}, customData: direct.customData() });
    }
    tell(call, CallEvents.Connected, { headers: call.headers(), customData: call.customData() });
    if (!state.audio) {
      state.audio = true;
      soon(call, CallEvents.AudioStarted, { call, id: call.id() });
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

  soundStopped(handle) {
    const call = calls.get(handle);
    if (call) tell(call, CallEvents.RtpStopped);
  },

  disturbs(handle, disturbance, isHeard) {
    const call = calls.get(handle);
    if (call) tell(call, isHeard ? CallEvents.DisturbanceBegan : CallEvents.DisturbanceEnded, { disturbance });
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
    tell(call, CallEvents.Disconnected, { reason, duration: seconds, cost: 0, headers: {}, internalCode: 200 });
  },

  digit(handle, tone) {
    const call = calls.get(handle);
    if (call?.[inner].tones) tell(call, CallEvents.ToneReceived, { tone });
  },

  message(handle, words) {
    const call = calls.get(handle);
    if (call) tell(call, CallEvents.MessageReceived, { text: words });
  },

  info(handle, mimeType, list, body) {
    const call = calls.get(handle);
    if (call) tell(call, CallEvents.InfoReceived, { mimeType, body, headers: pairs(list) });
  },

  held(handle, isHeld) {
    const call = calls.get(handle);
    if (call) tell(call, isHeld ? CallEvents.OnHold : CallEvents.OffHold);
  },

  referred(handle, code, reason) {
    const call = calls.get(handle);
    if (!call) return;
    if (code === 200) tell(call, CallEvents.TransferComplete, { role: "transferor" });
    else tell(call, CallEvents.TransferFailed, { code, reason, role: "transferor" });
  },

  playing(handle, duration) {
    const playback = playbacks.get(handle);
    if (!playback) return;
    if (playback.player) return begun(playback, duration);
    const { call } = playback;
    tell(call, CallEvents.PlaybackReady);
    if (playbacks.has(handle)) tell(call, CallEvents.PlaybackStarted, { duration });
  },

  roomFailed(handle, why) {
    const conference = conferences.get(handle);
    if (conference) fire(conference, ConferenceEvents.ConferenceError, { conference, error: why });
  },

  played(handle, completed) {
    const playback = playbacks.get(handle);
    if (!playback) return;
    if (playback.player) return playedOn(playback, completed);
    playbacks.delete(handle);
    const { call } = playback;
    call[inner].playback = null;
    tell(call, CallEvents.PlaybackFinished, completed ? {} : { error: "it was cut off" });
  },

  timer(handle) {
    if (handle === REFUSALS) return tellRefusals();
    const timer = timers.get(handle);
    if (!timer) return;
    if (timer.every === null) timers.delete(handle);
    else host.setTimer(handle, timer.every);
    timer.callback(...timer.args);
  },

  refused(handle, verb, why, missing) {
    if (verb === "send_message" || verb === "send_info") return messageRefused(why);
    host.log(`${verb}: ${why}`);
    const call = calls.get(handle);
    if ((verb === "dial" || verb === "join") && call) return failed(handle, call, 480, why);
    if (verb === "forward_direct" && call) return notForwarded(handle, call, why);
    const playback = verb === "play" && (call?.[inner].playback ?? playing(missing));
    if (!playback) return;
    if (playback.player) {
      end(playback);
      return fire(playback.player, PlayerEvents.Error, { player: playback.player, error: why });
    }
    playbacks.delete(playback.handle);
    playback.call[inner].playback = null;
    tell(playback.call, CallEvents.PlaybackFinished, { error: why });
  },

  fetched(id, code, words, octets, list, error) {
    const done = fetches.get(id);
    fetches.delete(id);
    done?.(answer(code, words, octets, list, error));
  },

  socket: socketNews,
  recorded,

  storedText(id, key, value, expireAt) {
    const asked = storing.get(id);
    storing.delete(id);
    asked?.resolve(key === undefined ? null : { key, value, expireAt });
  },

  storedKeys(id, keys) {
    const asked = storing.get(id);
    storing.delete(id);
    asked?.resolve({ keys });
  },

  notStored(id, why) {
    const asked = storing.get(id);
    storing.delete(id);
    asked?.reject(new Error(`ApplicationStorage: ${why}`));
  },

  over() {
    tellRefusals();
    fire(application, AppEvents.Terminating, {});
    fire(application, AppEvents.Terminated, {});
  },
};

function firstPacket(call, teller) {
  call[inner].heard = "told";
  teller(call, CallEvents.FirstAudioPacketReceived, { call, id: call.id() });
}

/** A call cannot go past the gateway: who asked for a peer hears of it, else the caller has waited long enough. */
function notForwarded(handle, call, why) {
  const peer = call[inner].directly;
  if (!peer) return host.reject(handle, 480);
  call[inner].directly = null;
  failed(peer[inner].unit.handle, peer, 480, why);
}

/** The timer of refused messages; those of scripts have higher numbers. */
const REFUSALS = 0;
/** How long refused messages are counted, in milliseconds, once one was told. */
const COUNTING = 10_000;
/** Of each kind: how many were refused since. */
let refusals = null;

/** A message that could not be sent is a line in the log; many are one more. */
function messageRefused(line) {
  if (!refusals) {
    refusals = new Map();
    host.setTimer(REFUSALS, COUNTING);
  }
  const before = refusals.get(line);
  if (before === undefined) host.log(line);
  refusals.set(line, before === undefined ? 0 : before + 1);
}

function tellRefusals() {
  for (const [line, count] of refusals ?? []) if (count) host.log(`${line}, and for ${count} more`);
  refusals = null;
}

/** What plays the sound of that name. A URL's is without its query. */
function playing(sound) {
  for (const playback of playbacks.values()) {
    const [kind, name] = playback.item ?? playback.player[inner].items[playback.at];
    if (name === sound || (kind === "url" && name.split(/[?#]/)[0] === sound)) return playback;
  }
  return undefined;
}

/** One target has heard a player's item. */
function playedOn(playback, completed) {
  const { player } = playback;
  playbacks.delete(playback.handle);
  playback.at += 1;
  const wasLast = playback.at >= player[inner].items.length;
  if (completed && (!wasLast || playback.loop)) {
    if (wasLast) playback.at = 0;
    playback.handle = ++lastPlayback;
    return start(playback);
  }
  end(playback);
  if (player[inner].targets.size === 0) fire(player, PlayerEvents.PlaybackFinished, { player });
}

/** Events that the last code led to; then the end, if it was asked for. Says whether there may be more. */
function settle() {
  const now = upcoming;
  upcoming = [];
  for (const [target, name, fields] of now) {
    if (!isGone(target)) fire(target, name, fields);
  }
  if (upcoming.length || !terminating) return upcoming.length > 0;
  terminating = "done";
  tellRefusals();
  fire(application, AppEvents.Terminating, {});
  host.endSession();
  fire(application, AppEvents.Terminated, {});
  return false;
}

const isGone = (target) => target instanceof Call && isOver(target);

host.start((kind, ...facts) => on[kind](...facts), settle);

Object.assign(globalThis, {
  VoxEngine, AppEvents, CallEvents, ConferenceEvents, PlayerEvents, RecorderEvents, WebSocketEvents,
  WebSocketAudioEncoding, WebSocketReadyState,
  Modules, require, Language, VoiceList, Logger, CryptoEngine, Net, ApplicationStorage,
  setTimeout, setInterval, clearTimeout: clearTimer, clearInterval: clearTimer,
  base64_encode: (data) => host.base64(octets(data)),
  base64_decode: (data) => host.unbase64(text(data)),
  str2bytes: (data, encoding) => host.encode(text(data), encoding ?? "utf-8"),
  bytes2str: (data, encoding) => host.decode(octets(data), encoding ?? "utf-8"),
  hex2bytes: (data) => host.unhex(text(data)),
  bytes2hex: (data, upper = false) => host.hex(octets(data), upper === true),
  uuidgen: host.uuid,
  getLocalTime,
});
// Names that scripts of the original platform may use and that do not exist here. (A guard as objects have it would make
// every misspelt variable `undefined`.)
for (const name of ["ACDRequest", "AI", "AMD", "ASR", "CallList", "CCAI", "IVR", "PushService"]) {
  Object.defineProperty(globalThis, name, {
    configurable: true,
    get() { throw absent(name); },
    set(value) { Object.defineProperty(globalThis, name, { value, writable: true, configurable: true }); },
  });
}
