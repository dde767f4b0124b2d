// WebSockets: texts, and sound both ways.

const {
  watch, extend, inner, SECRET, text, soon, Emitter, fire, application, last, leaving, unit, isOver, VoxEngine, on,
} = part("core");
const { makeRoom } = part("playing");

const MOST_SOCKETS = 10;
const LONGEST_TEXT = 1 << 20;
const sockets = new Map();
let lastSocket = 0;
let listens = false;

/** The property of a socket that may hold a callback, for each event. */
const callbacks = {
  OPEN: "onopen", MESSAGE: "onmessage", CLOSE: "onclose", ERROR: "onerror",
  MEDIA_STARTED: "onmediastarted", MEDIA_ENDED: "onmediaended",
};

class WebSocket extends Emitter {
  constructor(secret, handle, url, readyState) {
    if (secret !== SECRET) throw new TypeError("WebSockets are made by VoxEngine.createWebSocket");
    super();
    // Streams that bring sound, by tag, with who hears them; and those that take it away, by whose it is.
    this[inner] = {
      handle, id: "", url, readyState, over: false, ins: new Map(), outs: new Map(),
      sends: true, take: tellSocket, leave: notTellSocket,
    };
    for (const property of Object.values(callbacks)) this[property] = null;
    sockets.set(handle, this);
  }

  get url() { return this[inner].url; }
  get readyState() { return this[inner].readyState; }

  send(data) {
    if (typeof data !== "string") throw new TypeError("send: this takes a text");
    if (data.length > LONGEST_TEXT) throw new RangeError(`send: the text is longer than ${LONGEST_TEXT} characters`);
    const { handle, readyState } = this[inner];
    if (readyState === "OPEN" || readyState === "CONNECTING") host.socketSend(handle, data);
    else host.log("send: the WebSocket is closed");
  }

  close() {
    const state = this[inner];
    if (state.readyState === "CLOSING" || state.over) return;
    state.readyState = "CLOSING";
    host.socketClose(state.handle);
  }

  /** Has a call or conference hear what comes, or what comes under a tag. */
  sendMediaTo(target, given) {
    const to = unit(target, "sendMediaTo");
    if (isOver(target) || isOver(this)) return;
    const tag = text(given?.tag);
    if (this[inner].ins.get(tag)?.targets.has(target)) return;
    if (to.isCall) {
      makeRoom(target);
      target[inner].hears = this;
    }
    const brought = bringing(this, tag);
    brought.targets.add(target);
    host.streamTo(brought.stream, to.isCall, to.handle);
  }

  stopMediaTo(target) {
    const to = unit(target, "stopMediaTo");
    for (const { stream, targets } of this[inner].ins.values()) {
      if (targets.delete(target) && !isOver(target)) host.streamNotTo(stream, to.isCall, to.handle);
    }
    if (target[inner].hears === this) target[inner].hears = null;
  }

  clearMediaBuffer(given) {
    if (!isOver(this)) host.socketClear(this[inner].handle, given?.tag);
  }
}

/** The stream of a socket that brings what has that tag. */
function bringing(socket, tag) {
  const { ins, handle } = socket[inner];
  let brought = ins.get(tag);
  if (!brought) {
    brought = { stream: ++last.stream, targets: new Set() };
    ins.set(tag, brought);
    host.streamIn(brought.stream, handle, tag);
  }
  return brought;
}

/** Sends to a socket what a call says, or what is heard in a conference. */
function tellSocket(source, socket, given = {}) {
  const from = unit(source, "sendMediaTo");
  if (isOver(source) || isOver(socket)) return;
  const { encoding = "PCM8", tag, customParameters } = given;
  if (!["PCM8", "PCM16", "ULAW", "ALAW"].includes(encoding)) {
    throw new RangeError(`sendMediaTo: ${encoding} is no value of WebSocketAudioEncoding`);
  }
  notTellSocket(source, socket);
  // Nobody hears themselves.
  const less = bringing(socket, "").stream;
  const stream = ++last.stream;
  socket[inner].outs.set(source, stream);
  const custom = customParameters === undefined ? "" : JSON.stringify(customParameters);
  const rate = encoding === "PCM16" ? 16000 : 8000;
  host.streamOut(stream, less, rate, socket[inner].handle, [encoding, text(tag), custom]);
  host.streamFrom(from.isCall, from.handle, stream);
}

function notTellSocket(source, socket) {
  const { outs } = socket[inner];
  const stream = outs.get(source);
  if (stream === undefined) return;
  outs.delete(source);
  host.streamEnd(stream);
}

/** A call or conference is over: no socket has to do with it. */
leaving.push((thing) => {
  for (const socket of sockets.values()) {
    notTellSocket(thing, socket);
    for (const { targets } of socket[inner].ins.values()) targets.delete(thing);
  }
});

function openSocket(url, given) {
  const list = typeof given === "string" || Array.isArray(given) ? { protocols: given } : given ?? {};
  const protocols = [list.protocols ?? []].flat().map(text);
  const headers = (list.headers ?? []).flatMap(({ name, value }) => [text(name), text(value)]);
  const socket = new WebSocket(SECRET, ++lastSocket, text(url), "CONNECTING");
  if (sockets.size > MOST_SOCKETS) {
    sockets.delete(lastSocket);
    Object.assign(socket[inner], { readyState: "CLOSED", over: true });
    const reason = `more than ${MOST_SOCKETS} WebSockets at once`;
    soon(socket, "WebSocket.ERROR", { websocket: socket, reason });
    soon(socket, "WebSocket.CLOSE", { websocket: socket, code: 1006, reason, wasClean: false });
  } else {
    host.socketOpen(lastSocket, text(url), protocols, headers);
  }
  return socket;
}

/** What happens to a socket. */
const socketOn = {
  opened: (socket) => {
    if (socket[inner].readyState === "CONNECTING") socket[inner].readyState = "OPEN";
    return ["OPEN", {}];
  },
  message: (_, words) => ["MESSAGE", { text: words, data: words }],
  mediaStarted: (_, tag, encoding, custom) => {
    let customParameters;
    try { customParameters = custom ? JSON.parse(custom) : undefined; } catch { customParameters = custom; }
    return ["MEDIA_STARTED", { tag: tag || undefined, encoding, customParameters }];
  },
  mediaEnded: (_, tag, _2, _3, duration) => ["MEDIA_ENDED", { tag: tag || undefined, mediaInfo: { duration } }],
  failed: (_, reason) => ["ERROR", { reason }],
  closed: (socket, reason, clean, _, code) => {
    const state = socket[inner];
    Object.assign(state, { readyState: "CLOSED", over: true });
    sockets.delete(state.handle);
    for (const { stream, targets } of state.ins.values()) {
      for (const target of targets) if (target[inner].hears === socket) target[inner].hears = null;
      host.streamEnd(stream);
    }
    for (const stream of state.outs.values()) host.streamEnd(stream);
    state.ins.clear();
    state.outs.clear();
    return ["CLOSE", { code, reason, wasClean: clean === "clean" }];
  },
};

extend(on, {
  socket(handle, kind, ...facts) {
    if (kind === "came") {
      if (!listens) return host.socketClose(handle);
      const websocket = new WebSocket(SECRET, handle, "", "OPEN");
      return void fire(application, "Application.WebSocket", { websocket, WebSocket: websocket });
    }
    const socket = sockets.get(handle);
    if (!socket) return;
    const [name, fields] = socketOn[kind](socket, ...facts);
    const event = { websocket: socket, ...fields };
    const callback = socket[callbacks[name]];
    if (typeof callback === "function") callback.call(socket, { name: `WebSocket.${name}`, ...event });
    fire(socket, `WebSocket.${name}`, event);
  },
});

extend(VoxEngine, {
  createWebSocket: openSocket,
  /** Whoever knows the session's address may open a WebSocket to it from now on. */
  allowWebSocketConnections() {
    if (listens) return;
    listens = true;
    host.socketListen();
  },
});
