//! What comes late, of whom, and what does not exist here: names that scenarios use.

/// What an object, or those of a class, get late.
pub(super) struct Owner {
    /// As messages call it.
    pub(super) name: &'static str,
    /// Parts, and what comes with each.
    parts: &'static [(&'static str, &'static str)],
    values: Values,
    absent: Absent,
}

/// What is no part's, and made whenever somebody asks for it.
enum Values {
    None,
    /// The tables below, by their owners' names, and native functions.
    Global {
        tables: &'static str,
        natives: &'static str,
    },
    /// Names of events: a word that all begin with, and the others.
    Events(&'static str, &'static str),
    Texts(&'static [(&'static str, &'static str)]),
    /// A language for each of many names of voices.
    Voices,
    /// Native functions, all of `natives.rs`.
    Natives,
}

/// What is an error to ask for.
enum Absent {
    /// All that it has not.
    Others,
    /// What the original platform has, and we do not.
    These(&'static str),
}

/// What becomes of a name.
pub(super) enum Place {
    /// It comes with a part; `is_global` where that may put it on the global object itself.
    Part { name: &'static str, is_global: bool },
    /// It is a native function.
    Native(String),
    /// It is a table.
    Table(&'static Owner),
    /// It is a text.
    Text(String),
    /// It is an error, and this what does not exist.
    Absent(String),
}

const GLOBAL: &str = "globalThis";

static OWNERS: &[Owner] = &[
    Owner {
        name: GLOBAL,
        parts: &[
            ("log", "Logger"),
            ("voices", "VoiceList"),
            ("timers", "setTimeout setInterval clearTimeout clearInterval"),
            ("texts", "CryptoEngine base64_encode base64_decode str2bytes bytes2str hex2bytes bytes2hex"),
            ("time", "Date getLocalTime"),
            ("net", "Net"),
            ("storage", "ApplicationStorage"),
            ("typed_arrays", "ArrayBuffer SharedArrayBuffer DataView Atomics Uint8ClampedArray Int8Array Uint8Array"),
            ("typed_arrays", "Int16Array Uint16Array Int32Array Uint32Array BigInt64Array BigUint64Array"),
            ("typed_arrays", "Float16Array Float32Array Float64Array"),
            ("weak_refs", "WeakRef FinalizationRegistry"),
        ],
        values: Values::Global {
            tables: "AppEvents CallEvents ConferenceEvents PlayerEvents RecorderEvents WebSocketEvents \
                     WebSocketAudioEncoding WebSocketReadyState Modules Language",
            natives: "require uuidgen",
        },
        absent: Absent::These("ACDRequest AI AMD ASR CallList CCAI IVR PushService"),
    },
    Owner {
        name: "VoxEngine",
        parts: &[
            ("engine_more", "removeEventListener customData stopMediaBetween"),
            ("conference", "createConference"),
            ("dialling", "callPSTN callUser callSIP callConference"),
            ("forwarding", "callUserDirect forwardCallToUserDirect forwardCallToUser forwardCallToPSTN"),
            ("forwarding", "forwardCallToSIP easyProcess playSoundAndHangup"),
            ("player", "createTTSPlayer createURLPlayer createToneScriptPlayer createSequencePlayer"),
            ("recorder", "createRecorder"),
            ("socket", "createWebSocket allowWebSocketConnections"),
        ],
        values: Values::None,
        absent: Absent::Others,
    },
    Owner {
        name: "Call",
        parts: &[
            ("playing", "startPlayback say stopPlayback"),
            ("call_more", "headers customData toString state ring startEarlyMedia reject decline answerDirect"),
            ("call_more", "handleTones sendDigits sendInfo hold unhold transferTo record"),
        ],
        values: Values::None,
        absent: Absent::These(
            "vad clientType notifyBeep detectProgressTone detectVoicemailTone handleMicStatus handleBeeps reInvite \
             acceptReinvite rejectReinvite getStatistics setTransport sendReInvite handleVoicemail addSound \
             removeSound startPlaybackAll enableRelatedCalls",
        ),
    },
    Owner {
        name: "Conference",
        parts: &[("endpoint", "add get getList record")],
        values: Values::None,
        absent: Absent::These("setActiveScenario sendMessage"),
    },
    Owner {
        name: "Endpoint",
        parts: &[],
        values: Values::None,
        absent: Absent::These("manageEndpoint addEventListener removeEventListener"),
    },
    Owner {
        name: "Recorder",
        parts: &[],
        values: Values::None,
        absent: Absent::These("setConfig update sendMediaTo stopMediaTo"),
    },
    // What the object model stands on, and what it is told.
    Owner::table("host", Values::Natives),
    Owner {
        name: "on",
        parts: &[
            ("deliver_more", "request ringing earlyMedia soundStopped disturbs digit info held referred roomFailed"),
            ("endings", "failed ended over"),
            ("playing", "playing played"),
            ("timers", "timer"),
            ("refusals", "refused"),
            ("net", "fetched"),
            ("socket", "socket"),
            ("recorder", "recorded"),
            ("storage", "storedText storedKeys notStored"),
        ],
        values: Values::None,
        absent: Absent::Others,
    },
    Owner::table(
        "AppEvents",
        Values::Events("Application", "Started CallAlerting Terminating Terminated HttpRequest WebSocket"),
    ),
    Owner::table(
        "CallEvents",
        Values::Events(
            "Call",
            "Connected Disconnected Failed Ringing AudioStarted FirstAudioPacketReceived MessageReceived InfoReceived \
             ToneReceived PlaybackStarted PlaybackReady PlaybackFinished RecordStarted RecordStopped OnHold OffHold \
             TransferComplete TransferFailed RtpStopped DisturbanceBegan DisturbanceEnded",
        ),
    ),
    Owner::table(
        "ConferenceEvents",
        Values::Events("Conference", "Started Stopped ConferenceError EndpointAdded EndpointUpdated EndpointRemoved"),
    ),
    Owner::table(
        "PlayerEvents",
        Values::Events("Player", "Created Started Stopped PlaybackReady PlaybackFinished PlaybackMarkerReached Error"),
    ),
    Owner::table("RecorderEvents", Values::Events("Recorder", "Started Stopped RecorderError")),
    Owner::table("WebSocketEvents", Values::Events("WebSocket", "OPEN CLOSE ERROR MESSAGE MEDIA_STARTED MEDIA_ENDED")),
    Owner::table(
        "WebSocketAudioEncoding",
        Values::Texts(&[("PCM16_8KHZ", "PCM8"), ("PCM16_16KHZ", "PCM16"), ("ULAW", "ULAW"), ("ALAW", "ALAW")]),
    ),
    Owner::table(
        "WebSocketReadyState",
        Values::Texts(&[("CONNECTING", "CONNECTING"), ("OPEN", "OPEN"), ("CLOSING", "CLOSING"), ("CLOSED", "CLOSED")]),
    ),
    Owner::table("Modules", Values::Texts(MODULES)),
    Owner::table("Language", Values::Voices),
    Owner::whole("Logger"),
    Owner::whole("CryptoEngine"),
    Owner::whole("Net"),
    Owner::whole("ApplicationStorage"),
];

/// All are there from the start.
const MODULES: &[(&str, &str)] = &[
    ("Conference", "conference"),
    ("Player", "player"),
    ("Recorder", "recorder"),
    ("ApplicationStorage", "applicationstorage"),
    ("WebSocket", "websocket"),
    ("Crypto", "crypto"),
];

/// Whether a module exists.
pub(super) fn is_module(name: &str) -> bool {
    MODULES.iter().any(|(_, module)| *module == name)
}

/// A voice is the tag of its language, and who speaks is the administrator's choice: `UK_ENGLISH_FEMALE` is `en-GB`.
const LANGUAGES: &[(&str, &str)] = &[
    ("UK_ENGLISH", "en-GB"),
    ("US_ENGLISH", "en-US"),
    ("AU_ENGLISH", "en-AU"),
    ("CA_ENGLISH", "en-CA"),
    ("IN_ENGLISH", "en-IN"),
    ("FR_FRENCH", "fr-FR"),
    ("CA_FRENCH", "fr-CA"),
    ("GERMAN", "de-DE"),
    ("ES_SPANISH", "es-ES"),
    ("US_SPANISH", "es-US"),
    ("ITALIAN", "it-IT"),
    ("BR_PORTUGUESE", "pt-BR"),
    ("PT_PORTUGUESE", "pt-PT"),
    ("DUTCH", "nl-NL"),
    ("POLISH", "pl-PL"),
    ("RU_RUSSIAN", "ru-RU"),
    ("RUSSIAN", "ru-RU"),
    ("SWEDISH", "sv-SE"),
    ("DANISH", "da-DK"),
    ("NORWEGIAN", "nb-NO"),
    ("FINNISH", "fi-FI"),
    ("CZECH", "cs-CZ"),
    ("TURKISH", "tr-TR"),
    ("JAPANESE", "ja-JP"),
    ("KOREAN", "ko-KR"),
    ("CHINESE", "zh-CN"),
];

impl Owner {
    /// The one of that name.
    pub(super) fn of(name: &str) -> Option<&'static Self> {
        OWNERS.iter().find(|owner| owner.name == name)
    }

    /// Of one that has all its members from the start.
    const fn whole(name: &'static str) -> Self {
        Self { name, parts: &[], values: Values::None, absent: Absent::Others }
    }

    const fn table(name: &'static str, values: Values) -> Self {
        Self { name, parts: &[], values, absent: Absent::Others }
    }

    /// Where a name leads. `is_any_objects` says whether all objects have it.
    pub(super) fn place(&self, name: &str, is_any_objects: impl FnOnce() -> bool) -> Option<Place> {
        let has = |names: &str| names.split(' ').any(|one| one == name);
        if let Some((part, _)) = self.parts.iter().find(|(_, names)| has(names)) {
            return Some(Place::Part { name: part, is_global: self.name == GLOBAL });
        }
        let known =
            |list: &[(&str, &str)], name| list.iter().find(|(one, _)| *one == name).map(|(_, text)| (*text).to_owned());
        let text = match self.values {
            Values::Global { tables, .. } if has(tables) => return Self::of(name).map(Place::Table),
            Values::Global { natives, .. } if has(natives) => return Some(Place::Native(name.to_owned())),
            Values::Natives => return Some(Place::Native(name.to_owned())),
            Values::None | Values::Global { .. } => None,
            Values::Events(first, names) => has(names).then(|| format!("{first}.{name}")),
            Values::Texts(list) => known(list, name),
            Values::Voices => {
                let language = name.strip_suffix("_MALE").or_else(|| name.strip_suffix("_FEMALE")).unwrap_or(name);
                known(LANGUAGES, language)
            }
        };
        if let Some(text) = text {
            return Some(Place::Text(text));
        }
        let is_absent = match self.absent {
            Absent::Others => !matches!(name, "then" | "toJSON") && !is_any_objects(),
            Absent::These(names) => has(names),
        };
        is_absent.then(|| match self.name {
            GLOBAL => Place::Absent(name.to_owned()),
            owner => Place::Absent(format!("{owner}.{name}")),
        })
    }

    /// The names that are listed: those of a table.
    pub(super) fn names(&self) -> Vec<&'static str> {
        match self.values {
            Values::Events(_, names) => names.split(' ').collect(),
            Values::Texts(list) => list.iter().map(|(name, _)| *name).collect(),
            Values::None | Values::Global { .. } | Values::Voices | Values::Natives => Vec::new(),
        }
    }
}
