// A call, whoever made it.

let calls = new Map();
let lastCall = 0;
let lastPlayback = 0;
/** What plays: the call or player that each playback belongs to. */
let playbacks = new Map();

/** `X-` headers and what is to be sent with them, as name, value, name, value. */
function flat(headers) {
  const list = [];
  for (const [name, value] of Object.entries(headers ?? {})) list.push(name, text(value));
  return list;
}

/** What an object sends its sound as, or hears as. */
function unit(thing, verb) {
  const place = thing?.[inner]?.unit;
  if (!place) throw new TypeError(`${verb}: this is neither a call nor a conference`);
  return place;
}

function connect(source, sink, given) {
  if (source instanceof Player || source instanceof WebSocket) return source.sendMediaTo(sink, given);
  if (sink instanceof WebSocket) return tellSocket(source, sink, given);
  if (sink instanceof Recorder) return tellRecorder(source, sink);
  const [from, to] = [unit(source, "sendMediaTo"), unit(sink, "sendMediaTo")];
  if (isOver(source) || isOver(sink)) return;
  const target = sink[inner];
  // A call hears one thing at a time.
  if (to.isCall) {
    if (target.playback) stop(target);
    if (target.hears instanceof WebSocket) target.hears.stopMediaTo(sink);
    target.hears = source;
  }
  host.connect(from.isCall, from.handle, to.isCall, to.handle);
}

function disconnect(source, sink) {
  if (source instanceof Player || source instanceof WebSocket) return source.stopMediaTo(sink);
  if (sink instanceof WebSocket) return notTellSocket(source, sink);
  if (sink instanceof Recorder) return notTellRecorder(source, sink);
  const [from, to] = [unit(source, "stopMediaTo"), unit(sink, "stopMediaTo")];
  if (isOver(source) || isOver(sink)) return;
  if (to.isCall && sink[inner].hears !== source) return;
  if (to.isCall) sink[inner].hears = null;
  host.disconnect(from.isCall, from.handle, to.isCall, to.handle);
}

const isOver = (thing) => thing[inner].over === true;

/** What a call hears from a conference or another call gives way to a playback. */
function makeRoom(call) {
  const state = call[inner];
  if (state.playback) stop(state);
  if (state.hears) disconnect(state.hears, call);
  state.hears = null;
}

/** Ends what plays to a call; nobody is told. */
function stop(state) {
  const { playback } = state;
  playbacks.delete(playback.handle);
  host.stopPlayback(playback.handle);
  if (playback.player) end(playback);
  state.playback = null;
}

/** Plays to a call in place of what it heard. */
function play(call, item, loop) {
  const state = call[inner];
  makeRoom(call);
  const playback = { handle: ++lastPlayback, call, item, loop };
  state.playback = playback;
  playbacks.set(playback.handle, playback);
  host.play(true, state.unit.handle, playback.handle, item, loop);
}

/** A text in the language of a voice; without one in the session's. */
const spoken = (words, voice) => ["text", withoutMarkup(text(words)), language(voice)];

const withoutMarkup = (words) => (/^\s*<speak[\s>]/.test(words) ? words.replace(/<[^>]*>/g, " ") : words);

const SECRET = Symbol("made by the gateway");

class Call extends Emitter {
  constructor(secret, handle, facts) {
    if (secret !== SECRET) throw new TypeError("calls are made by VoxEngine");
    super();
    this[inner] = {
      unit: { isCall: true, handle },
      id: "", customData: "", state: "ALERTING", over: false, connected: false, audio: false, tones: false,
      playback: null, hears: null, number: "", callerid: "", displayName: "", headers: {}, incoming: false,
      ...facts,
    };
    calls.set(handle, this);
  }

  /** The call's handle, unless it is over: then the log says what came too late. */
  #handle(verb) {
    const state = this[inner];
    if (!state.over) return state.unit.handle;
    host.log(`${verb}: the call is over`);
    return null;
  }

  #do(verb, ...rest) {
    const handle = this.#handle(verb);
    if (handle !== null) host[verb](handle, ...rest);
  }

  id() { return this[inner].id ||= host.uuid(); }
  number() { return this[inner].number; }
  callerid() { return this[inner].callerid; }
  displayName() { return this[inner].displayName; }
  headers() { return { ...this[inner].headers }; }
  incoming() { return this[inner].incoming; }
  state() { return this[inner].state; }
  customData(data) {
    if (data !== undefined) this[inner].customData = text(data);
    return this[inner].customData;
  }
  toString() { return this.id(); }

  answer() { this.#do("answer"); }
  ring() { this.#do("ring"); }
  startEarlyMedia() { this.#do("earlyMedia"); }
  reject(code = 603) {
    if (!(code >= 400 && code < 700)) throw new RangeError(`reject: ${code} is no status of a refusal, 400 to 699`);
    this[inner].rejected = code | 0;
    this.#do("reject", code | 0);
  }
  decline(code = 603) { this.reject(code); }
  hangup() { this.#do("hangup", "scenario"); }

  /** With a peer made by `callUserDirect`: the two talk past the gateway from now on. */
  answerDirect(peer) {
    unit(peer, "answerDirect");
    if (peer[inner].direct !== this) throw new TypeError("answerDirect: that call was not made by callUserDirect for this one");
  }

  startPlayback(url, options) {
    const loop = typeof options === "object" && options !== null ? options.loop === true : options === true;
    const item = sound(url);
    if (this.#handle("startPlayback") !== null) play(this, item, loop);
  }
  say(words, voice) {
    const item = spoken(words, voice);
    if (this.#handle("say") !== null) play(this, item, false);
  }
  /** Ends playbacks and what is said; no PlaybackFinished follows. */
  stopPlayback() {
    if (this[inner].playback && !this[inner].over) stop(this[inner]);
  }

  handleTones(on) {
    this[inner].tones = on === true;
    this.#do("handleDigits", this[inner].tones);
  }
  sendDigits(digits) {
    const keys = text(digits);
    if (!/^[0-9*#A-Da-dpP,]*$/.test(keys)) throw new RangeError(`sendDigits: ${keys} has other characters than digits`);
    this.#do("sendDigits", keys.replace(/[pP,]/g, "").toUpperCase());
  }
  sendMessage(words) { this.#do("sendMessage", text(words)); }
  sendInfo(mimeType, body, headers) { this.#do("sendInfo", text(mimeType), flat(headers), text(body)); }
  hold() { this.#do("hold", true); }
  unhold() { this.#do("hold", false); }
  /** The other end is to call a number in our place, or to have the other end of another call. */
  transferTo(target) {
    const other = target instanceof Call ? target[inner] : null;
    const to = other ? (other.incoming ? other.callerid : other.number) : text(target);
    if (!to && !other) throw new TypeError("transferTo: there is nobody to call");
    if (other?.over) throw new TypeError("transferTo: that call is over");
    this.#do("refer", to, other?.unit.handle ?? 0);
  }

  /** Both sides, in a file of the gateway's. */
  record(given) {
    if (this.#handle("record") !== null) recordCall(this, given ?? {});
  }

  sendMediaTo(target, given) { connect(this, target, given); }
  stopMediaTo(target) { disconnect(this, target); }
}
lacking("Call", Call, "vad clientType notifyBeep detectProgressTone detectVoicemailTone " +
  "handleMicStatus handleBeeps reInvite acceptReinvite rejectReinvite getStatistics setTransport sendReInvite " +
  "handleVoicemail addSound removeSound startPlaybackAll enableRelatedCalls");

/** What a URL or the name of a prompt means to the gateway. */
function sound(url) {
  const place = text(url);
  if (!place) throw new TypeError("a playback needs a URL, or the name of a prompt");
  return [place.includes("://") ? "url" : "prompt", place];
}
