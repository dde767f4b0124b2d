// What is not about calls: log, timers, texts and octets, hashes, time.

const Logger = closed("Logger", { write(value) { host.log(shown(value)); } });

/** As a log shows it: errors with their place. */
function shown(value) {
  if (value instanceof Error) return value.stack ? `${value}\n${value.stack}` : String(value);
  try { return String(value); } catch { return Object.prototype.toString.call(value); }
}

const MOST_TIMERS = 100;
let timers = new Map();
let lastTimer = 0;

function setTimer(name, every, callback, delay, args) {
  if (typeof callback !== "function") throw new TypeError(`${name}: the callback is no function`);
  if (timers.size >= MOST_TIMERS) host.breach(`more than ${MOST_TIMERS} timers`);
  const after = Math.max(every ? 10 : 0, Number(delay) || 0);
  const handle = ++lastTimer;
  timers.set(handle, { callback, args, every: every ? after : null });
  host.setTimer(handle, after);
  return handle;
}

const setTimeout = (callback, delay, ...args) => setTimer("setTimeout", false, callback, delay, args);
const setInterval = (callback, delay, ...args) => setTimer("setInterval", true, callback, delay, args);
function clearTimer(handle) {
  if (timers.delete(handle)) host.clearTimer(handle);
}

/** A text's octets, or a list of octets as it is. */
function octets(data, encoding = "utf-8") {
  if (typeof data === "string") return host.encode(data, encoding);
  if (Array.isArray(data) || data instanceof Uint8Array) return Array.from(data, (value) => value & 255);
  throw new TypeError("this takes a text or a list of octets");
}

const CryptoEngine = closed("CryptoEngine", {
  md5: (data) => host.hash("md5", octets(data)),
  sha1: (data) => host.hash("sha1", octets(data)),
  sha256: (data) => host.hash("sha256", octets(data)),
  hmac_sha1: (key, data) => host.hmac("sha1", octets(key), octets(data)),
  hmac_sha256: (key, data) => host.hmac("sha256", octets(key), octets(data)),
});

// The time stands still while a callback runs: the gateway says what it is.
const SystemDate = Date;
globalThis.Date = class Date extends SystemDate {
  constructor(...when) {
    if (when.length) super(...when);
    else super(host.now());
  }
  static now() { return host.now(); }
};
Math.random = host.random;

/** The date whose UTC parts show the time of a place, by its offset: "+02:00", "UTC", or minutes. */
function getLocalTime(zone = "UTC") {
  let minutes = 0;
  const offset = /^(?:UTC|GMT)?([+-])(\d{1,2}):?(\d{2})?$/.exec(String(zone));
  if (typeof zone === "number") minutes = zone;
  else if (offset) minutes = (offset[1] === "-" ? -1 : 1) * (Number(offset[2]) * 60 + Number(offset[3] ?? 0));
  else if (!/^(UTC|GMT|Z)$/.test(zone)) throw new RangeError(`getLocalTime: ${zone} is no offset: ${PAGE}`);
  return new SystemDate(host.now() + minutes * 60000);
}
