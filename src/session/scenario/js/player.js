// Players.

const { extend, inner, SECRET, text, soon, Emitter, fire, last, unit, isOver, VoxEngine } = part("core");
const { playbacks, makeRoom, sound, spoken } = part("playing");
const { setTimer, clearTimer } = part("timers");

/** Of one player. */
const MOST_MARKERS = 20;

/** Sound of its own that calls and conferences are sent. Each hears it from its beginning. */
class Player extends Emitter {
  constructor(secret, items, loop) {
    if (secret !== SECRET) throw new TypeError("players are made by VoxEngine");
    super();
    this[inner] = {
      id: "", sends: true, items, loop, targets: new Map(), over: false,
      // Where it is, in milliseconds: so far it had come at `since`, which is null while nobody hears it.
      played: 0, since: null, duration: 0, paused: false,
      // The timer of each marker, by its place.
      markers: new Map(),
    };
    soon(this, "Player.Created", { player: this });
    soon(this, "Player.PlaybackReady", { player: this });
  }

  sendMediaTo(target) {
    const to = unit(target, "sendMediaTo");
    if (isOver(target) || this[inner].over) return;
    this.stopMediaTo(target);
    if (to.isCall) makeRoom(target);
    const playback = { handle: ++last.playback, call: null, player: this, target, at: 0, loop: this[inner].loop };
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
    soon(this, "Player.Stopped", { player: this });
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
  fire(player, "Player.PlaybackMarkerReached", { player, offset });
}

/** Somebody hears the beginning of a player. */
function begun(playback, duration) {
  const { player } = playback;
  const state = player[inner];
  if (state.since !== null || playback.at > 0) return;
  Object.assign(state, { played: 0, since: host.now(), duration: state.items.length > 1 ? 0 : duration });
  pace(player);
  fire(player, "Player.Started", { player, duration: state.duration });
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

/** One target has heard a player's item. */
function playedOn(playback, completed) {
  const { player } = playback;
  playbacks.delete(playback.handle);
  playback.at += 1;
  const wasLast = playback.at >= player[inner].items.length;
  if (completed && (!wasLast || playback.loop)) {
    if (wasLast) playback.at = 0;
    playback.handle = ++last.playback;
    return start(playback);
  }
  end(playback);
  if (player[inner].targets.size === 0) fire(player, "Player.PlaybackFinished", { player });
}

function failed(playback, why) {
  end(playback);
  fire(playback.player, "Player.Error", { player: playback.player, error: why });
}

function tones(script) {
  host.checkTones(text(script));
  return ["tones", text(script)];
}

const isLoop = (given) => given?.loop === true || given === true;

extend(VoxEngine, {
  createTTSPlayer: (words, voice) => new Player(SECRET, [spoken(words, voice)], false),
  createURLPlayer(url, given) {
    const place = typeof url === "object" && url !== null ? url.url : url;
    return new Player(SECRET, [sound(place)], isLoop(given));
  },
  createToneScriptPlayer: (script, given) => new Player(SECRET, [tones(script)], isLoop(given)),
  createSequencePlayer(given) {
    const segments = given?.segments ?? given;
    if (!Array.isArray(segments) || !segments.length) {
      throw new TypeError("createSequencePlayer: there are no segments");
    }
    const items = segments.map((segment) => {
      if (segment.urlPlayer) return sound(segment.urlPlayer.url);
      if (segment.ttsPlayer) return spoken(segment.ttsPlayer.text, segment.ttsPlayer.parameters);
      if (segment.toneScriptPlayer) return tones(segment.toneScriptPlayer.script);
      throw new TypeError("createSequencePlayer: a segment has a urlPlayer, a ttsPlayer or a toneScriptPlayer");
    });
    return new Player(SECRET, items, false);
  },
});

return { begun, end, playedOn, failed };
