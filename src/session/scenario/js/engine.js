// VoxEngine: the session, and what it makes.

let customData = "";
let terminating = false;

/** Old scripts give what a call needs one by one, newer ones in an object. */
function options(args, names) {
  const [first] = args;
  if (typeof first === "object" && first !== null) return first;
  const given = {};
  names.forEach((name, at) => { given[name] = args[at]; });
  return given;
}

/** A call of ours; its number or user is `to`. */
function dial(kind, to, given) {
  const name = text(to);
  if (!name) throw new TypeError("a call needs somebody to call");
  const headers = given.extraHeaders ?? given.headers;
  const callerid = text(given.callerid);
  const displayName = text(given.displayName);
  const call = new Call(SECRET, ++lastCall, { number: name, callerid, displayName, state: "CONNECTING" });
  if (kind === "conference") host.join(lastCall, name, callerid, displayName, flat(headers));
  else host.dial(lastCall, kind, name, callerid, displayName, flat(headers));
  return call;
}

/** A SIP URI's user part: by which way it is reached is for the routes to say. */
function userOf(uri) {
  const parts = /^(?:sips?:)?([^@;?]+)(?:@.*)?$/i.exec(text(uri));
  if (!parts) throw new TypeError(`callSIP: ${text(uri)} is no SIP URI`);
  return parts[1];
}

function onAlerting(action) {
  application.addEventListener(AppEvents.CallAlerting, action);
}

/** Two calls that belong together: what happens to one happens to the other. */
function easyProcess(caller, callee, onEstablished, direct = false) {
  let early = false;
  const both = (event, action) => {
    caller.addEventListener(event, (e) => action(callee, e));
    callee.addEventListener(event, (e) => action(caller, e));
  };
  callee.addEventListener(CallEvents.Ringing, () => caller.ring());
  callee.addEventListener(CallEvents.AudioStarted, () => {
    if (early || caller[inner].connected || callee[inner].connected) return;
    early = true;
    caller.startEarlyMedia();
    callee.sendMediaTo(caller);
  });
  callee.addEventListener(CallEvents.Connected, () => caller.answer());
  caller.addEventListener(CallEvents.Connected, () => {
    VoxEngine.sendMediaBetween(caller, callee);
    if (onEstablished) onEstablished(caller, callee);
  });
  callee.addEventListener(CallEvents.Failed, (e) => {
    if (!isOver(caller)) caller.reject(e.code);
    VoxEngine.terminate();
  });
  caller.addEventListener(CallEvents.Failed, () => VoxEngine.terminate());
  both(CallEvents.Disconnected, () => VoxEngine.terminate());
  both(CallEvents.MessageReceived, (other, e) => other.sendMessage(e.text));
  both(CallEvents.InfoReceived, (other, e) => other.sendInfo(e.mimeType, e.body, e.headers));
  both(CallEvents.OnHold, (other) => other.hold());
  both(CallEvents.OffHold, (other) => other.unhold());
}

/** Forwards what comes in: `make` calls whoever is to have it. */
function forward(make, callback) {
  onAlerting((e) => {
    const callee = make(e);
    easyProcess(e.call, callee, callback);
  });
}

const item = {
  url: (url) => sound(url),
  tts: spoken,
  tones: (script) => {
    host.checkTones(text(script));
    return ["tones", text(script)];
  },
};

const VoxEngine = {
  addEventListener: (event, callback) => application.addEventListener(event, callback),
  removeEventListener: (event, callback) => application.removeEventListener(event, callback),

  customData(data) {
    if (data !== undefined) customData = text(data);
    return customData;
  },

  /** Ends the session when the code that runs now is done; its calls are hung up. */
  terminate() {
    if (terminating) return;
    terminating = true;
    host.wake();
  },

  createWebSocket: (url, given) => openSocket(url, given),
  /** Whoever knows the session's address may open a WebSocket to it from now on. */
  allowWebSocketConnections() {
    if (listens) return;
    listens = true;
    host.socketListen();
  },

  createRecorder: (given) => new Recorder(SECRET, given ?? {}),
  createConference: () => new Conference(SECRET, ""),
  createTTSPlayer: (words, voice) => new Player(SECRET, [item.tts(words, voice)], false),
  createURLPlayer(url, given) {
    const place = typeof url === "object" && url !== null ? url.url : url;
    return new Player(SECRET, [item.url(place)], given?.loop === true || given === true);
  },
  createToneScriptPlayer(script, given) {
    return new Player(SECRET, [item.tones(script)], given?.loop === true || given === true);
  },
  createSequencePlayer(given) {
    const segments = given?.segments ?? given;
    if (!Array.isArray(segments) || !segments.length) throw new TypeError("createSequencePlayer: there are no segments");
    const items = segments.map((segment) => {
      if (segment.urlPlayer) return item.url(segment.urlPlayer.url);
      if (segment.ttsPlayer) return item.tts(segment.ttsPlayer.text, segment.ttsPlayer.parameters);
      if (segment.toneScriptPlayer) return item.tones(segment.toneScriptPlayer.script);
      throw new TypeError("createSequencePlayer: a segment has a urlPlayer, a ttsPlayer or a toneScriptPlayer");
    });
    return new Player(SECRET, items, false);
  },

  callPSTN: (number, ...rest) => {
    const [from, given] = rest;
    return dial("number", number, { ...(typeof from === "object" ? from : { callerid: from }), ...given });
  },
  callUser(...args) {
    const given = options(args, ["username", "callerid", "displayName", "headers"]);
    return dial("user", given.username, given);
  },
  callSIP(uri, ...rest) {
    const [first, displayName, password, authUser, headers] = rest;
    if ((first?.password ?? password) || (first?.authUser ?? authUser)) {
      throw new RangeError(`callSIP: trunks have the passwords, scenarios do not: ${PAGE}`);
    }
    const given = typeof first === "object" && first !== null ? first : { callerid: first, displayName, headers };
    return dial("number", userOf(uri), given);
  },
  callConference(...args) {
    const given = options(args, ["conferenceId", "callerid", "displayName", "headers"]);
    return dial("conference", given.conferenceId, given);
  },
  callUserDirect(incoming, ...args) {
    const from = unit(incoming, "callUserDirect");
    const given = options(args, ["username", "callerid", "displayName", "headers"]);
    const call = new Call(SECRET, ++lastCall, { number: text(given.username), state: "CONNECTING", direct: incoming });
    incoming[inner].directly = call;
    host.forwardDirect(from.handle, text(given.username));
    return call;
  },

  sendMediaBetween(one, other) {
    connect(one, other);
    connect(other, one);
  },
  stopMediaBetween(one, other) {
    disconnect(one, other);
    disconnect(other, one);
  },

  forwardCallToUserDirect(callback) {
    onAlerting((e) => {
      host.forwardDirect(e.call[inner].unit.handle, "");
      if (callback) callback(e.call, e.call);
    });
  },
  forwardCallToUser: (callback) => forward((e) => {
    return VoxEngine.callUser(e.destination, e.callerid, e.displayName, e.headers);
  }, callback),
  forwardCallToPSTN: (number, callerid) => forward((e) => {
    const to = number ? number(e.destination) : e.destination;
    return VoxEngine.callPSTN(to, callerid ? callerid(e.callerid) : e.callerid);
  }),
  forwardCallToSIP: (callback) => forward((e) => VoxEngine.callSIP(e.toURI, { callerid: e.callerid }), callback),
  easyProcess,

  playSoundAndHangup(url) {
    onAlerting((e) => {
      e.call.addEventListener(CallEvents.Connected, () => e.call.startPlayback(url));
      e.call.addEventListener(CallEvents.PlaybackFinished, () => e.call.hangup());
      for (const over of [CallEvents.Disconnected, CallEvents.Failed]) {
        e.call.addEventListener(over, () => VoxEngine.terminate());
      }
      e.call.answer();
    });
  },
};
closed("VoxEngine", VoxEngine);
