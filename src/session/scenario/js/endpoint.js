// Calls in a conference, and what else few scenarios do with one.

const { watch, extend, inner, SECRET, text, soon, Call, connect, disconnect, isOver } = part("core");
const { Conference } = part("conference");

extend(Conference.prototype, {
  /** All that is mixed there, until the recorder that this gives is stopped, or the conference. */
  record(given) { return part("recorder").recordConference(this, given ?? {}); },
  getList() { return [...(this[inner].endpoints ?? [])]; },
  get(id) { return this.getList().find((endpoint) => endpoint.id() === id) ?? null; },

  /** Takes a call in: it hears the others and is heard, or one of the two. */
  add({ call, mode = "MIX", direction = "BOTH", displayName } = {}) {
    if (!(call instanceof Call)) throw new TypeError("add: `call` is no call");
    const ways = { SEND: [true, false], RECEIVE: [false, true], BOTH: [true, true] }[direction];
    if (!ways) throw new RangeError(`add: the direction is SEND, RECEIVE or BOTH, not ${direction}`);
    if (mode !== "MIX" && mode !== "FORWARD") throw new RangeError(`add: the mode is MIX or FORWARD, not ${mode}`);
    const endpoint = new Endpoint(SECRET, this, call, mode, direction, displayName ?? call.displayName());
    (this[inner].endpoints ??= new Set()).add(endpoint);
    (call[inner].endpoints ??= []).push(endpoint);
    if (ways[0]) connect(call, this);
    if (ways[1]) connect(this, call);
    soon(this, "Conference.EndpointAdded", { conference: this, endpoint });
    return endpoint;
  },
});

class Endpoint {
  constructor(secret, conference, call, mode, direction, displayName) {
    if (secret !== SECRET) throw new TypeError("endpoints are made by Conference.add");
    this[inner] = { conference, call, mode, direction, displayName, id: host.uuid() };
  }
  id() { return this[inner].id; }
  call() { return this[inner].call; }
  mode() { return this[inner].mode; }
  direction() { return this[inner].direction; }
  displayName() { return this[inner].displayName; }
  setDisplayName(name) {
    const { conference } = this[inner];
    this[inner].displayName = text(name);
    if (conference[inner].endpoints.has(this)) {
      soon(conference, "Conference.EndpointUpdated", { conference, endpoint: this });
    }
  }
  remove() {
    const { conference, call } = this[inner];
    if (!conference[inner].endpoints.delete(this)) return;
    if (!isOver(call)) {
      if (this[inner].direction !== "RECEIVE") disconnect(call, conference);
      if (this[inner].direction !== "SEND") disconnect(conference, call);
    }
    soon(conference, "Conference.EndpointRemoved", { conference, endpoint: this });
  }
}
watch("Endpoint", Endpoint.prototype);
