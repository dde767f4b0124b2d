// Recordings, in files of the gateway.

const {
  watch, extend, inner, SECRET, soon, Emitter, fire, last, leaving, unit, isOver, VoxEngine, on, tell,
} = part("core");

const MOST_RECORDINGS = 10;
const recordings = new Map();
let lastRecording = 0;

/** A recording begins: of these streams, which the caller connects. Gives its number. */
function recording(owner, streams, stereo) {
  const number = ++lastRecording;
  recordings.set(number, { owner, streams });
  host.record(number, streams, stereo);
  return number;
}

function full() {
  return recordings.size >= MOST_RECORDINGS && `more than ${MOST_RECORDINGS} recordings at once`;
}

/** Ends a recording: its file is whole when the event says so. */
function endRecording(number) {
  const known = recordings.get(number);
  if (!known || !known.streams) return;
  known.streams.forEach((stream) => host.streamEnd(stream));
  known.streams = null;
}

/** Records what one call or conference is heard to say; another source takes the place of the one before. */
class Recorder extends Emitter {
  constructor(secret, given = {}) {
    if (secret !== SECRET) throw new TypeError("recorders are made by VoxEngine.createRecorder");
    super();
    this[inner] = { id: "", source: null, over: false, muted: false, number: 0, stream: 0, take, leave };
    const why = full();
    if (why) {
      this[inner].over = true;
      return void soon(this, "Recorder.RecorderError", { recorder: this, error: why });
    }
    const stream = ++last.stream;
    host.streamRecord(stream, given.hd_audio === true ? 16000 : 8000, false);
    this[inner].stream = stream;
    this[inner].number = recording(this, [stream], false);
  }

  stop() { endRecording(this[inner].number); }

  /** Silence is recorded in the place of what is said, until it is told not to. */
  mute(on) {
    const state = this[inner];
    const muted = on === true;
    if (muted === state.muted) return;
    state.muted = muted;
    const { source } = state;
    if (!source || isOver(source) || !isRecording(this)) return;
    const from = unit(source, "mute");
    if (muted) host.streamNotFrom(from.isCall, from.handle, state.stream);
    else host.streamFrom(from.isCall, from.handle, state.stream);
  }
}

/** A call is over, and so is its recording; or a conference, and so is what was recorded of it alone. */
leaving.push((thing) => {
  if (thing[inner].recording) endRecording(thing[inner].recording);
  for (const { owner } of recordings.values()) {
    if (owner instanceof Recorder && owner[inner].ends && owner[inner].source === thing) owner.stop();
  }
});

const isRecording = (recorder) => !!recordings.get(recorder[inner].number)?.streams;
watch("Recorder", Recorder.prototype);

function take(source, recorder) {
  const from = unit(source, "sendMediaTo");
  if (isOver(source) || isOver(recorder) || !isRecording(recorder)) return;
  recorder[inner].source = source;
  if (!recorder[inner].muted) host.streamFrom(from.isCall, from.handle, recorder[inner].stream);
}

function leave(source, recorder) {
  if (recorder[inner].source !== source || isOver(source) || isOver(recorder)) return;
  const from = unit(source, "stopMediaTo");
  recorder[inner].source = null;
  if (isRecording(recorder) && !recorder[inner].muted) {
    host.streamNotFrom(from.isCall, from.handle, recorder[inner].stream);
  }
}

/** Records a conference, until the recorder that this gives is stopped, or the conference. */
function recordConference(conference, given) {
  const recorder = new Recorder(SECRET, given);
  recorder[inner].ends = true;
  take(conference, recorder);
  return recorder;
}

/** Records a call: what it says, and what is heard there. */
function recordCall(call, given = {}) {
  const state = call[inner];
  if (state.recording) return host.log("record: the call is being recorded");
  if (full()) return host.log(`record: ${full()}`);
  const streams = [++last.stream, ++last.stream];
  streams.forEach((stream, at) => {
    host.streamRecord(stream, 8000, at === 1);
  });
  state.recording = recording(call, streams, given.stereo === true);
  for (const stream of streams) host.streamFrom(true, state.unit.handle, stream);
}

extend(on, {
  recorded(number, kind, words, seconds) {
    const known = recordings.get(number);
    if (!known) return;
    const { owner } = known;
    if (kind === "started") {
      if (owner instanceof Recorder) fire(owner, "Recorder.Started", { recorder: owner, url: words });
      else tell(owner, "Call.RecordStarted", { url: words });
      return;
    }
    endRecording(number);
    recordings.delete(number);
    if (owner instanceof Recorder) {
      owner[inner].over = true;
      if (kind === "failed") fire(owner, "Recorder.RecorderError", { recorder: owner, error: words });
      else fire(owner, "Recorder.Stopped", { recorder: owner, url: words, duration: seconds, cost: 0 });
      return;
    }
    owner[inner].recording = 0;
    if (kind === "failed") host.log(`record: ${words}`);
    tell(owner, "Call.RecordStopped", {
      url: kind === "failed" ? "" : words, duration: seconds, cost: 0, error: kind === "failed" ? words : undefined,
    });
  },
});

extend(VoxEngine, { createRecorder: (given) => new Recorder(SECRET, given ?? {}) });

return { recordCall, recordConference };
