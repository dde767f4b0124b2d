// The object model of scenarios, on the few functions of `host` that push verbs. The files of this folder are one
// module, in the order that `prelude.rs` gives; a scenario sees only what they put on `globalThis`.

const host = globalThis.host;
delete globalThis.host;

const PAGE = "docs/scenarios.md";

const absent = (name) => new ReferenceError(`${name} does not exist here: ${PAGE} tells what does`);

/** What an object lacks: its own name, and then the names; its own name alone where all that it has not is an error. */
const lacks = Symbol("lacks");

/** Whatever stands below has every name looked at that it has not. One for all: each takes memory in every session. */
const watched = new Proxy(Object.prototype, {
  get(target, key, receiver) {
    const told = typeof key === "string" && receiver[lacks];
    if (told) look(told, key);
    return Reflect.get(target, key, receiver);
  },
});

function look(told, key) {
  const [owner] = told.split(" ", 1);
  const isAbsent = owner === told
    ? key !== "then" && key !== "toJSON" && !(key in Object.prototype)
    : told.includes(` ${key} `);
  if (isAbsent) throw absent(`${owner}.${key}`);
}

/** Makes reading what an object does not have an error. Its own members are read as fast as ever. */
function closed(name, members) {
  members[lacks] = name;
  return Object.setPrototypeOf(members, watched);
}

/** The same of a class, but for names that the original platform has, and we do not; others are undefined as usual. */
function lacking(owner, { prototype }, names) {
  prototype[lacks] = `${owner} ${names} `;
  if (Object.getPrototypeOf(prototype) === Object.prototype) Object.setPrototypeOf(prototype, watched);
}

/** Where objects keep what scenarios are not to see. */
const inner = Symbol("inner");

const text = (value) => (value === undefined || value === null ? "" : String(value));

/** Events that come as soon as the code that caused them is done. */
let upcoming = [];

function soon(target, name, fields) {
  upcoming.push([target, name, fields]);
  host.wake();
}

let fire;
/** What the last one who heard of the last event gave back. */
let given;

/** Who can be listened to. */
class Emitter {
  #listeners = null;

  addEventListener(event, callback) {
    if (typeof event !== "string") throw new TypeError("addEventListener: the event is no event's name");
    if (typeof callback !== "function") throw new TypeError(`addEventListener(${event}): the callback is no function`);
    this.#listeners ??= new Map();
    const known = this.#listeners.get(event);
    if (known) known.push(callback);
    else this.#listeners.set(event, [callback]);
  }

  removeEventListener(event, callback) {
    const known = this.#listeners?.get(event);
    if (!known) return;
    const left = callback === undefined ? [] : known.filter((other) => other !== callback);
    if (left.length) this.#listeners.set(event, left);
    else this.#listeners.delete(event);
  }

  static {
    fire = (target, name, fields) => {
      const callbacks = target.#listeners?.get(name);
      if (!callbacks) return false;
      const event = { name, ...fields };
      let last;
      for (const callback of callbacks.length > 1 ? callbacks.slice() : callbacks) last = callback(event) ?? last;
      given = last;
      return true;
    };
  }
}

Object.setPrototypeOf(Emitter.prototype, watched);

/** The session itself, for its events. */
const application = new Emitter();
