// Conferences and players.

let lastRoom = 0;

class Conference extends Emitter {
  constructor(secret, name) {
    if (secret !== SECRET) throw new TypeError("conferences are made by VoxEngine.createConference");
    super();
    this[inner] = { unit: { isCall: false, handle: ++lastRoom }, id: "", over: false, endpoints: new Set() };
    host.openRoom(this[inner].unit.handle, name);
    soon(this, ConferenceEvents.Started, { conference: this });
  }

  id() { return this[inner].id ||= host.uuid(); }
  sendMediaTo(target, given) { connect(this, target, given); }
  stopMediaTo(target) { disconnect(this, target); }
  getList() { return [...this[inner].endpoints]; }
  get(id) { return this.getList().find((endpoint) => endpoint.id() === id) ?? null; }

  /** Takes a call in: it hears the others and is heard, or one of the two. */
  add({ call, mode = "MIX", direction = "BOTH", displayName } = {}) {
    if (!(call instanceof Call)) throw new TypeError("add: `call` is no call");
    const ways = { SEND: [true, false], RECEIVE: [false, true], BOTH: [true, true] }[direction];
    if (!ways) throw new RangeError(`add: the direction is SEND, RECEIVE or BOTH, not ${direction}`);
    if (mode !== "MIX" && mode !== "FORWARD") throw new RangeError(`add: the mode is MIX or FORWARD, not ${mode}`);
    const endpoint = new Endpoint(SECRET, this, call, mode, direction, displayName ?? call.displayName());
    this[inner].endpoints.add(endpoint);
    (call[inner].endpoints ??= []).push(endpoint);
    if (ways[0]) connect(call, this);
    if (ways[1]) connect(this, call);
    soon(this, ConferenceEvents.EndpointAdded, { conference: this, endpoint });
    return endpoint;
  }

  stop() {
    if (this[inner].over) return;
    for (const endpoint of this[inner].endpoints) endpoint.remove();
    forgetAtSockets(this);
    this[inner].over = true;
    host.closeRoom(this[inner].unit.handle);
    soon(this, ConferenceEvents.Stopped, { conference: this });
  }
}
lacking("Conference.", Conference.prototype, "record setActiveScenario sendMessage");

/** A call in a conference. */
class Endpoint extends Emitter {
  constructor(secret, conference, call, mode, direction, displayName) {
    if (secret !== SECRET) throw new TypeError("endpoints are made by Conference.add");
    super();
    this[inner] = { conference, call, mode, direction, displayName, id: host.uuid() };
  }
  id() { return this[inner].id; }
  call() { return this[inner].call; }
  mode() { return this[inner].mode; }
  direction() { return this[inner].direction; }
  displayName() { return this[inner].displayName; }
  remove() {
    const { conference, call } = this[inner];
    if (!conference[inner].endpoints.delete(this)) return;
    if (!isOver(call)) {
      if (this[inner].direction !== "RECEIVE") disconnect(call, conference);
      if (this[inner].direction !== "SEND") disconnect(conference, call);
    }
    soon(conference, ConferenceEvents.EndpointRemoved, { conference, endpoint: this });
  }
}
lacking("Endpoint.", Endpoint.prototype, "manageEndpoint setDisplayName");

/** Sound of its own that calls and conferences are sent. Each hears it from its beginning. */
class Player extends Emitter {
  constructor(secret, items, loop) {
    if (secret !== SECRET) throw new TypeError("players are made by VoxEngine");
    super();
    this[inner] = { id: "", items, loop, targets: new Map(), over: false };
    soon(this, PlayerEvents.Created, { player: this });
    soon(this, PlayerEvents.PlaybackReady, { player: this });
  }

  id() { return this[inner].id ||= host.uuid(); }

  sendMediaTo(target) {
    const to = unit(target, "sendMediaTo");
    if (isOver(target) || this[inner].over) return;
    this.stopMediaTo(target);
    if (to.isCall) makeRoom(target);
    const playback = { handle: ++lastPlayback, call: null, player: this, target, at: 0, loop: this[inner].loop };
    const isFirst = this[inner].targets.size === 0;
    this[inner].targets.set(target, playback);
    if (to.isCall) target[inner].playback = playback;
    start(playback);
    if (isFirst) soon(this, PlayerEvents.Started, { player: this });
  }

  stopMediaTo(target) {
    const playback = this[inner].targets.get(target);
    if (!playback) return;
    end(playback);
    host.stopPlayback(playback.handle);
  }

  stop() {
    if (this[inner].over) return;
    for (const target of [...this[inner].targets.keys()]) this.stopMediaTo(target);
    this[inner].over = true;
    soon(this, PlayerEvents.Stopped, { player: this });
  }
}
lacking("Player.", Player.prototype, "pause resume addMarker removeMarker");

/** Plays the item of a player's that is next. */
function start(playback) {
  const { unit: to } = playback.target[inner];
  playbacks.set(playback.handle, playback);
  const { items, loop } = playback.player[inner];
  host.play(to.isCall, to.handle, playback.handle, items[playback.at], loop && items.length === 1);
}

/** A target hears a player no more. */
function end(playback) {
  playbacks.delete(playback.handle);
  playback.player[inner].targets.delete(playback.target);
  if (playback.target[inner].playback === playback) playback.target[inner].playback = null;
}
