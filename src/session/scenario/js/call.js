// A call, whoever made it, and what it hears.

const calls = new Map();
/** The numbers that were given last. */
const last = { call: 0, playback: 0, stream: 0 };
/** What other parts do when a call or conference is over: functions of it. */
const leaving = [];

/** What an object sends its sound as, or hears as. */
function unit(thing, verb) {
  const place = thing?.[inner]?.unit;
  if (!place) throw new TypeError(`${verb}: this is neither a call nor a conference`);
  return place;
}

const isOver = (thing) => thing[inner].over === true;

/**
 * Has one heard by the other. What is neither call nor conference knows itself how: players and WebSockets `send`,
 * WebSockets and recorders `take` what a call or conference says, and `leave` it.
 */
function connect(source, sink, given) {
  if (source?.[inner]?.sends) return source.sendMediaTo(sink, given);
  if (sink?.[inner]?.take) return sink[inner].take(source, sink, given);
  const [from, to] = [unit(source, "sendMediaTo"), unit(sink, "sendMediaTo")];
  if (isOver(source) || isOver(sink)) return;
  const target = sink[inner];
  // A call hears one thing at a time.
  if (to.isCall) {
    if (target.playback) part("playing").stop(target);
    if (target.hears?.[inner].sends) target.hears.stopMediaTo(sink);
    target.hears = source;
  }
  host.connect(from.isCall, from.handle, to.isCall, to.handle);
}

function disconnect(source, sink) {
  if (source?.[inner]?.sends) return source.stopMediaTo(sink);
  if (sink?.[inner]?.leave) return sink[inner].leave(source, sink);
  const [from, to] = [unit(source, "stopMediaTo"), unit(sink, "stopMediaTo")];
  if (isOver(source) || isOver(sink)) return;
  if (to.isCall && sink[inner].hears !== source) return;
  if (to.isCall) sink[inner].hears = null;
  host.disconnect(from.isCall, from.handle, to.isCall, to.handle);
}

/** A call's handle, unless it is over: then the log says what came too late. */
function handleOf(call, verb) {
  const state = call[inner];
  if (!state.over) return state.unit.handle;
  host.log(`${verb}: the call is over`);
  return null;
}

/** Asks for something about a call, by the name of the function for it. */
function ask(call, verb, ...rest) {
  const handle = handleOf(call, verb);
  if (handle !== null) host[verb](handle, ...rest);
}

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

  number() { return this[inner].number; }
  callerid() { return this[inner].callerid; }
  displayName() { return this[inner].displayName; }
  incoming() { return this[inner].incoming; }

  answer() { ask(this, "answer"); }
  hangup() { ask(this, "hangup", "scenario"); }
  sendMessage(words) { ask(this, "sendMessage", text(words)); }
  sendMediaTo(target, given) { connect(this, target, given); }
  stopMediaTo(target) { disconnect(this, target); }
}
// Every event and most scripts ask for it: found before the engine looks for what comes late.
Call.prototype.id = Emitter.prototype.id;
Object.defineProperty(Call.prototype, "id", { enumerable: false });
watch("Call", Call.prototype);
