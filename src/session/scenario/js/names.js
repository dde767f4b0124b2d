// Names of events, modules and voices.

function events(owner, prefix, names) {
  const members = {};
  for (const name of names.split(" ")) members[name] = `${prefix}.${name}`;
  return closed(owner, members);
}

const AppEvents = events(
  "AppEvents", "Application", "Started CallAlerting Terminating Terminated HttpRequest WebSocket",
);
const CallEvents = events(
  "CallEvents", "Call",
  "Connected Disconnected Failed Ringing AudioStarted FirstAudioPacketReceived MessageReceived InfoReceived " +
    "ToneReceived PlaybackStarted PlaybackReady PlaybackFinished RecordStarted RecordStopped OnHold OffHold " +
    "TransferComplete TransferFailed RtpStopped DisturbanceBegan DisturbanceEnded",
);
const ConferenceEvents = events(
  "ConferenceEvents", "Conference", "Started Stopped ConferenceError EndpointAdded EndpointUpdated EndpointRemoved",
);
const PlayerEvents = events(
  "PlayerEvents", "Player", "Created Started Stopped PlaybackReady PlaybackFinished PlaybackMarkerReached Error",
);
const RecorderEvents = events("RecorderEvents", "Recorder", "Started Stopped RecorderError");
const WebSocketEvents = events("WebSocketEvents", "WebSocket", "OPEN CLOSE ERROR MESSAGE MEDIA_STARTED MEDIA_ENDED");

const Modules = {};
for (const name of ["Conference", "Player", "Recorder", "ApplicationStorage", "WebSocket", "Crypto"]) {
  Modules[name] = name.toLowerCase();
}
closed("Modules", Modules);

/** Loads a module. All that exist are there from the start; one that does not is an error. */
function require(name) {
  if (!Object.values(Modules).includes(name)) throw absent(`the module ${name}`);
}

// A voice is the tag of its language. Who speaks is the administrator's choice.
const languages = " UK_ENGLISH=en-GB US_ENGLISH=en-US AU_ENGLISH=en-AU CA_ENGLISH=en-CA IN_ENGLISH=en-IN " +
  "FR_FRENCH=fr-FR CA_FRENCH=fr-CA GERMAN=de-DE ES_SPANISH=es-ES US_SPANISH=es-US ITALIAN=it-IT " +
  "BR_PORTUGUESE=pt-BR PT_PORTUGUESE=pt-PT DUTCH=nl-NL POLISH=pl-PL RU_RUSSIAN=ru-RU RUSSIAN=ru-RU SWEDISH=sv-SE " +
  "DANISH=da-DK NORWEGIAN=nb-NO FINNISH=fi-FI CZECH=cs-CZ TURKISH=tr-TR JAPANESE=ja-JP KOREAN=ko-KR CHINESE=zh-CN ";

/** `Language.UK_ENGLISH_FEMALE` and the like. */
const Language = new Proxy({}, {
  get(_, name) {
    if (typeof name === "symbol") return undefined;
    const key = ` ${name.replace(/_(FE)?MALE$/, "")}=`;
    const at = languages.indexOf(key);
    if (at < 0) throw absent(`Language.${name}`);
    return languages.slice(at + key.length, languages.indexOf(" ", at + key.length));
  },
});

/** `VoiceList.Amazon.en_GB_Amy` and the like: a provider's name, and a voice that begins with its language. */
const VoiceList = new Proxy({}, {
  get(_, provider) {
    if (typeof provider === "symbol") return undefined;
    return new Proxy({}, {
      get(_, voice) {
        if (typeof voice === "symbol") return undefined;
        const language = /^([a-z]{2,3})_([A-Z]{2})(_|$)/.exec(voice);
        if (language) return `${language[1]}-${language[2]}`;
        // `VoiceList.Amazon.Neural.en_GB_Amy`
        return VoiceList[`${provider}.${voice}`];
      },
    });
  },
});

/** The language of a voice in any way of naming it; empty is the session's own. */
function language(voice) {
  const name = typeof voice === "object" && voice !== null ? (voice.language ?? voice.voice) : voice;
  if (name === undefined || name === null) return "";
  if (typeof name !== "string" || !/^([A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*)?$/.test(name)) {
    throw new TypeError("a voice is a value of Language or VoiceList");
  }
  return name;
}
