// What outlives the session: short texts by name, which all scenarios share.

const { watch, extend, text, on } = part("core");

const storing = new Map();
let lastStored = 0;

/** A promise of what the database says. */
function store(kind, key, value = "", keep = 0) {
  return new Promise((resolve, reject) => {
    const id = ++lastStored;
    storing.set(id, { resolve, reject });
    host.store(id, kind, text(key), text(value), keep);
  });
}

/** Whoever waits for what comes now. */
function asked(id) {
  const asked = storing.get(id);
  storing.delete(id);
  return asked;
}

extend(globalThis, {
  ApplicationStorage: watch("ApplicationStorage", {
    put: (key, value, ttl) => {
      const keep = Number(ttl);
      if (!(keep >= 0)) throw new RangeError(`ApplicationStorage.put: ${ttl} is no number of seconds`);
      return store("put", key, value, keep);
    },
    get: (key) => store("get", key),
    remove: (key) => store("remove", key),
    keys: (pattern = "*") => store("keys", pattern),
  }),
});

extend(on, {
  storedText: (id, key, value, expireAt) => asked(id)?.resolve(key === undefined ? null : { key, value, expireAt }),
  storedKeys: (id, keys) => asked(id)?.resolve({ keys }),
  notStored: (id, why) => asked(id)?.reject(new Error(`ApplicationStorage: ${why}`)),
});
