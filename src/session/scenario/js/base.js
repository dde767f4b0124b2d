// The object model of scenarios, on the few functions of `host` that push verbs. A scenario sees only what is put on
// `globalThis`.
//
// The files of this folder are parts: each is the body of a function, which returns what other parts may use of it. A
// part is loaded when it is first asked for, as all that is loaded takes memory in every session and a scenario uses
// little of it. This file, `call.js`, `engine.js` and `deliver.js` are one part, the core, which is loaded first. It is
// given `host` and `load`, which gives a part's function; the others are given `part` and `host`. The members that come
// with each part stand in `owners.rs`.

const PAGE = "docs/scenarios.md";

const loaded = Object.create(null);
/** What a part returns. */
function part(name) { return (loaded[name] ??= load(name)(part, host) ?? true); }

/** Has an object's members that come late looked for, and those that do not exist; `name` is what messages call it. */
function watch(name, object) {
  return Object.setPrototypeOf(object, host.late(name, Object.getPrototypeOf(object)));
}

/** Members that come late. */
function extend(object, members) {
  Object.defineProperties(Object.getPrototypeOf(object), Object.getOwnPropertyDescriptors(members));
}

/** Where objects keep what scenarios are not to see. */
const inner = Symbol("inner");
const SECRET = Symbol("made by the gateway");

const text = (value) => (value === undefined || value === null ? "" : String(value));

const session = {
  customData: "",
  /** The scenario has ended it; "done" when that was told. */
  terminating: false,
  /** Events that come as soon as the code that caused them is done. */
  upcoming: [],
  /** What the last one who heard of the last event gave back. */
  given: undefined,
  /** How often each message was refused since one was told. */
  refusals: null,
};

function soon(target, name, fields) {
  session.upcoming.push([target, name, fields]);
  host.wake();
}

const listeners = Symbol("listeners");

/** Who can be listened to. */
class Emitter {
  constructor() { this[listeners] = null; }

  id() { return this[inner].id ||= host.uuid(); }

  addEventListener(event, callback) {
    if (typeof event !== "string") throw new TypeError("addEventListener: the event is no event's name");
    if (typeof callback !== "function") throw new TypeError(`addEventListener(${event}): the callback is no function`);
    this[listeners] ??= new Map();
    const known = this[listeners].get(event);
    if (known) known.push(callback);
    else this[listeners].set(event, [callback]);
  }

  removeEventListener(event, callback) {
    const known = this[listeners]?.get(event);
    if (!known) return;
    const left = callback === undefined ? [] : known.filter((other) => other !== callback);
    if (left.length) this[listeners].set(event, left);
    else this[listeners].delete(event);
  }
}

function fire(target, name, fields) {
  const callbacks = target[listeners]?.get(name);
  if (!callbacks) return false;
  const event = { name, ...fields };
  let last;
  for (const callback of callbacks.length > 1 ? callbacks.slice() : callbacks) last = callback(event) ?? last;
  session.given = last;
  return true;
}

/** The session itself, for its events. */
const application = new Emitter();

// A list may be an iterator's that seems to have no end, and the engine's own code would not see it.
const SystemSet = Set;
globalThis.Set = class Set extends SystemSet {
  constructor(list) {
    super();
    if (list !== undefined && list !== null) for (const item of list) this.add(item);
  }
};
