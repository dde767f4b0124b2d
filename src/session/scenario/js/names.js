// The names of the events that nearly every scenario hears of, and of modules.

const { host, watch, extend } = part("base");

/** A table of events: `prefix` and a name are an event's. */
function events(owner, prefix, names) {
  const members = {};
  for (const name of names.split(" ")) members[name] = `${prefix}.${name}`;
  return watch(owner, members);
}

const names = ["Conference", "Player", "Recorder", "ApplicationStorage", "WebSocket", "Crypto"];
const Modules = watch("Modules", Object.fromEntries(names.map((name) => [name, name.toLowerCase()])));

extend(globalThis, {
  AppEvents: events(
    "AppEvents", "Application", "Started CallAlerting Terminating Terminated HttpRequest WebSocket",
  ),
  CallEvents: events(
    "CallEvents", "Call",
    "Connected Disconnected Failed Ringing AudioStarted FirstAudioPacketReceived MessageReceived InfoReceived " +
      "ToneReceived PlaybackStarted PlaybackReady PlaybackFinished RecordStarted RecordStopped OnHold OffHold " +
      "TransferComplete TransferFailed RtpStopped DisturbanceBegan DisturbanceEnded",
  ),
  Modules,
  /** Loads a module. All that exist are there from the start; one that does not is an error. */
  require(name) {
    if (!Object.values(Modules).includes(name)) host.absent(`the module ${name}`);
  },
});

return { events };
