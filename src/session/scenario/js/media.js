// Conferences and players.

let lastRoom = 0;
let conferences = new Map();

class Conference extends Emitter {
  constructor(secret, name) {
    if (secret !== SECRET) throw new TypeError("conferences are made by VoxEngine.createConference");
    super();
    this[inner] = { unit: { isCall: false, handle: ++lastRoom }, id: "", over: false, endpoints: new Set() };
    conferences.set(lastRoom, this);
    host.openRoom(lastRoom, name);
    soon(this, ConferenceEvents.Started, { conference: this });
  }

  id() { return this[inner].id ||= host.uuid(); }
  sendMediaTo(target, given) { connect(this, target, given); }
  stopMediaTo(target) { disconnect(this, target); }
  /** All that is mixed there, until the recorder that this gives is stopped, or the conference. */
  record(given) {
    const recorder = new Recorder(SECRET, given ?? {});
    recorder[inner].ends = true;
    tellRecorder(this, recorder);
    return recorder;
  }
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
    endRecordingsOf(this);
    this[inner].over = true;
    conferences.delete(this[inner].unit.handle);
    host.closeRoom(this[inner].unit.handle);
    soon(this, ConferenceEvents.Stopped, { conference: this });
  }
}
lacking("Conference", Conference, "setActiveScenario sendMessage");

/** A call in a conference. */
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
      soon(conference, ConferenceEvents.EndpointUpdated, { conference, endpoint: this });
    }
  }
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
lacking("Endpoint", Endpoint, "manageEndpoint addEventListener removeEventListener");

/** Of one player. */
const MOST_MARKERS = 20;

/** Sound of its own that calls and conferences are sent. Each hears it from its beginning. */
class Player extends Emitter {
  constructor(secret, items, loop) {
    if (secret !== SECRET) throw new TypeError("players are made by VoxEngine");
    super();
    this[inner] = {
      id: "", items, loop, targets: new Map(), over: false,
      // Where it is, in milliseconds: so far it had come at `since`, which is null while nobody hears it.
      played: 0, since: null, duration: 0, paused: false,
      // The timer of each marker, by its place.
      markers: new Map(),
    };
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
    this[inner].targets.set(target, playback);
    if (to.isCall) target[inner].playback = playback;
    start(playback);
  }

  stopMediaTo(target) {
    const playback = this[inner].targets.get(target);
    if (!playback) return;
    end(playback);
    host.stopPlayback(playback.handle);
  }

  /** Everybody hears silence, until `resume`: then what follows. */
  pause() { hesitate(this, true); }
  resume() { hesitate(this, false); }

  /** An event when so many milliseconds were heard, or are left to hear. */
  addMarker(offset) {
    const { markers } = this[inner];
    if (typeof offset !== "number" || !Number.isFinite(offset)) {
      throw new TypeError(`addMarker: ${offset} is no number of milliseconds`);
    }
    if (markers.size >= MOST_MARKERS) throw new RangeError(`addMarker: more than ${MOST_MARKERS} markers`);
    markers.set(offset, 0);
    pace(this);
  }
  removeMarker(offset) {
    clearTimer(this[inner].markers.get(offset));
    this[inner].markers.delete(offset);
  }

  stop() {
    if (this[inner].over) return;
    for (const target of [...this[inner].targets.keys()]) this.stopMediaTo(target);
    this[inner].over = true;
    soon(this, PlayerEvents.Stopped, { player: this });
  }
}

/** Where a player is. */
const position = ({ played, since, paused }) => played + (since === null || paused ? 0 : host.now() - since);

function hesitate(player, on) {
  const state = player[inner];
  if (state.over || state.paused === on) return;
  state.played = position(state);
  state.paused = on;
  if (state.since !== null) state.since = host.now();
  for (const { handle } of state.targets.values()) host.pausePlayback(handle, on);
  pace(player);
}

/** Sets the timers of a player's markers by where it is. */
function pace(player) {
  const state = player[inner];
  for (const [offset, timer] of state.markers) {
    clearTimer(timer);
    const left = (offset < 0 ? state.duration + offset : offset) - position(state);
    const runs = state.since !== null && !state.paused && left >= 0 && (offset >= 0 || state.duration > 0);
    state.markers.set(offset, runs ? setTimer("addMarker", false, reached, left, [player, offset]) : 0);
  }
}

function reached(player, offset) {
  player[inner].markers.delete(offset);
  fire(player, PlayerEvents.PlaybackMarkerReached, { player, offset });
}

/** Somebody hears the beginning of a player. */
function begun(playback, duration) {
  const { player } = playback;
  const state = player[inner];
  if (state.since !== null || playback.at > 0) return;
  Object.assign(state, { played: 0, since: host.now(), duration: state.items.length > 1 ? 0 : duration });
  pace(player);
  fire(player, PlayerEvents.Started, { player, duration: state.duration });
}

/** Plays the item of a player's that is next. */
function start(playback) {
  const { unit: to } = playback.target[inner];
  playbacks.set(playback.handle, playback);
  const { items, loop, paused } = playback.player[inner];
  host.play(to.isCall, to.handle, playback.handle, items[playback.at], loop && items.length === 1);
  if (paused) host.pausePlayback(playback.handle, true);
}

/** A target hears a player no more. */
function end(playback) {
  playbacks.delete(playback.handle);
  const state = playback.player[inner];
  state.targets.delete(playback.target);
  if (state.targets.size === 0) {
    state.since = null;
    pace(playback.player);
  }
  if (playback.target[inner].playback === playback) playback.target[inner].playback = null;
}
