// What plays to calls.

const { extend, inner, text, Call, last, disconnect, handleOf, on, tell } = part("core");

/** The call or player that each playback belongs to. */
const playbacks = new Map();

/** What a call hears from a conference or another call gives way to a playback. */
function makeRoom(call) {
  const state = call[inner];
  if (state.playback) stop(state);
  if (state.hears) disconnect(state.hears, call);
  state.hears = null;
}

/** Ends what plays to a call; nobody is told. */
function stop(state) {
  host.stopPlayback(state.playback.handle);
  forget(state);
}

/** What plays to a call plays no more. */
function forget(state) {
  const { playback } = state;
  playbacks.delete(playback.handle);
  if (playback.player) part("player").end(playback);
  state.playback = null;
}

/** Plays to a call in place of what it heard. */
function play(call, item, loop) {
  const state = call[inner];
  makeRoom(call);
  const playback = { handle: ++last.playback, call, item, loop };
  state.playback = playback;
  playbacks.set(playback.handle, playback);
  host.play(true, state.unit.handle, playback.handle, item, loop);
}

/** A text in the language of a voice; without one in the session's. */
function spoken(words, voice) {
  const said = text(words);
  return ["text", said.includes("<speak") ? part("markup").without(said) : said, language(voice)];
}

/** The language of a voice in any way of naming it; empty is the session's own. */
function language(voice) {
  const name = typeof voice === "object" && voice !== null ? (voice.language ?? voice.voice) : voice;
  if (name === undefined || name === null || name === "") return "";
  if (typeof name !== "string" || !host.isLanguage(name)) {
    throw new TypeError("a voice is a value of Language or VoiceList");
  }
  return name;
}

/** What a URL or the name of a prompt means to the gateway. */
function sound(url) {
  const place = text(url);
  if (!place) throw new TypeError("a playback needs a URL, or the name of a prompt");
  return [place.includes("://") ? "url" : "prompt", place];
}

extend(Call.prototype, {
  startPlayback(url, options) {
    const loop = typeof options === "object" && options !== null ? options.loop === true : options === true;
    const item = sound(url);
    if (handleOf(this, "startPlayback") !== null) play(this, item, loop);
  },
  say(words, voice) {
    const item = spoken(words, voice);
    if (handleOf(this, "say") !== null) play(this, item, false);
  },
  /** Ends playbacks and what is said; no PlaybackFinished follows. */
  stopPlayback() {
    if (this[inner].playback && !this[inner].over) stop(this[inner]);
  },
});

extend(on, {
  playing(handle, duration) {
    const playback = playbacks.get(handle);
    if (!playback) return;
    if (playback.player) return part("player").begun(playback, duration);
    const { call } = playback;
    tell(call, "Call.PlaybackReady");
    if (playbacks.has(handle)) tell(call, "Call.PlaybackStarted", { duration });
  },

  played(handle, completed) {
    const playback = playbacks.get(handle);
    if (!playback) return;
    if (playback.player) return part("player").playedOn(playback, completed);
    ended(playback, completed ? {} : { error: "it was cut off" });
  },
});

/** A call's playback is over. */
function ended({ handle, call }, fields) {
  playbacks.delete(handle);
  call[inner].playback = null;
  tell(call, "Call.PlaybackFinished", fields);
}

return { playbacks, makeRoom, stop, forget, spoken, sound, ended };
