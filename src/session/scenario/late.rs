//! Members that come with a part of the object model when they are first asked for, and names that do not exist here.
//!
//! Behind an object whose members come so, or a class's prototype, stands an object of a class of our own. The engine
//! asks it for each name that it has not found before; it loads the part, which gives it the member.

use rquickjs::{Ctx, Error, Exception, Function, JsLifetime, Object, Result, Value, qjs};
use std::ffi::{c_int, c_void};
use std::ptr::NonNull;

/// What an object, or those of a class, get late.
struct Owner {
    /// As messages call it.
    name: &'static str,
    /// Parts, and what comes with each.
    parts: &'static [(&'static str, &'static str)],
    absent: Absent,
}

/// What is an error to ask for.
enum Absent {
    /// All that it has not.
    Others,
    /// What the original platform has, and we do not.
    These(&'static str),
}

const GLOBAL: &str = "globalThis";

const OWNERS: &[Owner] = &[
    Owner {
        name: GLOBAL,
        parts: &[
            ("names", "AppEvents CallEvents Modules require"),
            ("events", "ConferenceEvents PlayerEvents RecorderEvents WebSocketEvents"),
            ("events", "WebSocketAudioEncoding WebSocketReadyState"),
            ("voices", "Language VoiceList"),
            ("timers", "setTimeout setInterval clearTimeout clearInterval"),
            ("texts", "CryptoEngine base64_encode base64_decode str2bytes bytes2str hex2bytes bytes2hex uuidgen"),
            ("time", "Date getLocalTime"),
            ("net", "Net"),
            ("storage", "ApplicationStorage"),
            ("typed_arrays", "ArrayBuffer SharedArrayBuffer DataView Atomics Uint8ClampedArray Int8Array Uint8Array"),
            ("typed_arrays", "Int16Array Uint16Array Int32Array Uint32Array BigInt64Array BigUint64Array"),
            ("typed_arrays", "Float16Array Float32Array Float64Array"),
            ("weak_refs", "WeakRef FinalizationRegistry"),
        ],
        absent: Absent::These("ACDRequest AI AMD ASR CallList CCAI IVR PushService"),
    },
    Owner {
        name: "VoxEngine",
        parts: &[
            ("conference", "createConference"),
            ("dialling", "callPSTN callUser callSIP callConference"),
            ("forwarding", "callUserDirect forwardCallToUserDirect forwardCallToUser forwardCallToPSTN"),
            ("forwarding", "forwardCallToSIP easyProcess playSoundAndHangup"),
            ("player", "createTTSPlayer createURLPlayer createToneScriptPlayer createSequencePlayer"),
            ("recorder", "createRecorder"),
            ("socket", "createWebSocket allowWebSocketConnections"),
        ],
        absent: Absent::Others,
    },
    Owner {
        name: "Call",
        parts: &[
            ("playing", "startPlayback say stopPlayback"),
            ("call_more", "state ring startEarlyMedia reject decline answerDirect handleTones sendDigits sendInfo"),
            ("call_more", "hold unhold transferTo record"),
        ],
        absent: Absent::These(
            "vad clientType notifyBeep detectProgressTone detectVoicemailTone handleMicStatus handleBeeps reInvite \
             acceptReinvite rejectReinvite getStatistics setTransport sendReInvite handleVoicemail addSound \
             removeSound startPlaybackAll enableRelatedCalls",
        ),
    },
    Owner {
        name: "Conference",
        parts: &[("endpoint", "add get getList record")],
        absent: Absent::These("setActiveScenario sendMessage"),
    },
    Owner {
        name: "Endpoint",
        parts: &[],
        absent: Absent::These("manageEndpoint addEventListener removeEventListener"),
    },
    Owner { name: "Recorder", parts: &[], absent: Absent::These("setConfig update sendMediaTo stopMediaTo") },
    // What is told the object model.
    Owner {
        name: "on",
        parts: &[
            ("deliver_more", "request ringing earlyMedia soundStopped disturbs digit info held referred roomFailed"),
            ("playing", "playing played"),
            ("timers", "timer"),
            ("refusals", "refused"),
            ("net", "fetched"),
            ("socket", "socket"),
            ("recorder", "recorded"),
            ("storage", "storedText storedKeys notStored"),
        ],
        absent: Absent::Others,
    },
    Owner::whole("AppEvents"),
    Owner::whole("CallEvents"),
    Owner::whole("ConferenceEvents"),
    Owner::whole("PlayerEvents"),
    Owner::whole("RecorderEvents"),
    Owner::whole("WebSocketEvents"),
    Owner::whole("WebSocketAudioEncoding"),
    Owner::whole("WebSocketReadyState"),
    Owner::whole("Modules"),
    Owner::whole("Logger"),
    Owner::whole("CryptoEngine"),
    Owner::whole("Net"),
    Owner::whole("ApplicationStorage"),
];

/// What becomes of a name.
enum Place {
    /// It comes with a part; `is_global` where that may put it on the global object itself.
    Part {
        name: &'static str,
        is_global: bool,
    },
    Absent(String),
}

impl Owner {
    /// Of one that has all its members from the start.
    const fn whole(name: &'static str) -> Self {
        Self { name, parts: &[], absent: Absent::Others }
    }

    fn place(&self, name: &str, is_any_objects: impl FnOnce() -> bool) -> Option<Place> {
        let has = |names: &str| names.split(' ').any(|one| one == name);
        if let Some((part, _)) = self.parts.iter().find(|(_, names)| has(names)) {
            return Some(Place::Part { name: part, is_global: self.name == GLOBAL });
        }
        let is_absent = match self.absent {
            Absent::Others => !matches!(name, "then" | "toJSON") && !is_any_objects(),
            Absent::These(names) => has(names),
        };
        is_absent
            .then(|| Place::Absent(if self.name == GLOBAL { name.to_owned() } else { format!("{}.{name}", self.name) }))
    }
}

/// The error of whoever uses what there is not.
pub(super) fn absent(ctx: &Ctx<'_>, name: &str) -> Error {
    Exception::throw_reference(ctx, &format!("{name} does not exist here: docs/scenarios.md tells what does"))
}

/// The class of the objects that stand behind others.
#[derive(Clone, Copy)]
pub(super) struct Late(qjs::JSClassID);

/// `part` of `js/base.js`.
struct Parts<'js>(Function<'js>);

// SAFETY: the lifetime is that of the function.
unsafe impl<'js> JsLifetime<'js> for Parts<'js> {
    type Changed<'to> = Parts<'to>;
}

/// Says by which function parts are loaded.
pub(super) fn set_loader<'js>(ctx: &Ctx<'js>, part: Function<'js>) {
    // It fails where one is being used, and none is yet.
    let _ = ctx.store_userdata(Parts(part));
}

/// What a part returns. It is loaded, if nobody has done so yet.
pub(super) fn part<'js>(ctx: &Ctx<'js>, name: &str) -> Result<Object<'js>> {
    let part = ctx.userdata::<Parts<'js>>().map(|parts| parts.0.clone());
    part.ok_or_else(|| Exception::throw_internal(ctx, "the object model is not there yet"))?.call((name,))
}

static METHODS: qjs::JSClassExoticMethods = qjs::JSClassExoticMethods {
    get_own_property: Some(get_own_property),
    get_own_property_names: None,
    delete_property: None,
    define_own_property: None,
    has_property: Some(has_property),
    get_property: None,
    set_property: Some(set_property),
};

impl Late {
    pub(super) fn register(ctx: &Ctx<'_>) -> Result<Self> {
        let mut id = 0;
        let class = qjs::JSClassDef {
            class_name: c"Object".as_ptr(),
            finalizer: None,
            gc_mark: None,
            call: None,
            exotic: (&raw const METHODS).cast_mut(),
        };
        // SAFETY: the context is alive; the engine copies the definition, and only reads the methods.
        let made = unsafe {
            let runtime = qjs::JS_GetRuntime(ctx.as_raw().as_ptr());
            qjs::JS_NewClassID(runtime, &raw mut id);
            qjs::JS_NewClass(runtime, id, &raw const class)
        };
        if made == 0 { Ok(Self(id)) } else { Err(Error::Allocation) }
    }

    /// The one that stands behind what `name` is about, and before what was behind that.
    pub(super) fn object<'js>(self, ctx: &Ctx<'js>, name: &str, behind: &Object<'js>) -> Result<Object<'js>> {
        let owner = OWNERS.iter().find(|owner| owner.name == name).ok_or(Error::Unknown)?;
        let opaque: *mut c_void = (&raw const *owner).cast_mut().cast();
        // SAFETY: the class is the runtime's; what an object knows of its owner lives as long as the process.
        let object = unsafe {
            let raw = qjs::JS_NewObjectProtoClass(ctx.as_raw().as_ptr(), behind.as_raw(), self.0);
            if qjs::JS_VALUE_GET_NORM_TAG(raw) == qjs::JS_TAG_EXCEPTION {
                return Err(Error::Exception);
            }
            qjs::JS_SetOpaque(raw, opaque);
            Value::from_raw(ctx.clone(), raw)
        };
        object.into_object().ok_or(Error::Unknown)
    }
}

/// What becomes of a property that the engine asks for. Symbols are nothing to us.
///
/// # Safety
/// As the engine calls the methods of a class.
unsafe fn place(ctx: &Ctx<'_>, object: qjs::JSValue, property: qjs::JSAtom) -> Option<Place> {
    let raw = ctx.as_raw().as_ptr();
    // SAFETY: as the caller says; the objects of the class all have an owner, and the name is ours to drop.
    let (owner, name) = unsafe {
        let mut class = 0;
        let owner = qjs::JS_GetAnyOpaque(object, &raw mut class).cast::<Owner>().as_ref()?;
        (owner, Value::from_raw(ctx.clone(), qjs::JS_AtomToValue(raw, property)))
    };
    let name = name.as_string()?.to_string().ok()?;
    // SAFETY: as the caller says.
    owner.place(&name, || unsafe { is_behind(raw, object, property) > 0 })
}

/// Whether what stands behind an object has a property.
///
/// # Safety
/// As the engine calls the methods of a class.
unsafe fn is_behind(ctx: *mut qjs::JSContext, object: qjs::JSValue, property: qjs::JSAtom) -> c_int {
    // SAFETY: as the caller says; what is behind is ours to drop.
    unsafe {
        let behind = qjs::JS_GetPrototype(ctx, object);
        let has = qjs::JS_HasProperty(ctx, behind, property);
        qjs::JS_FreeValue(ctx, behind);
        has
    }
}

/// Loads a part, and gives what it has brought.
///
/// # Safety
/// As the engine calls the methods of a class.
unsafe fn bring<'js>(ctx: &Ctx<'js>, object: qjs::JSValue, property: qjs::JSAtom, place: Place) -> Result<Value<'js>> {
    let (part, is_global) = match place {
        Place::Part { name, is_global } => (name, is_global),
        Place::Absent(name) => return Err(absent(ctx, &name)),
    };
    self::part(ctx, part)?;
    let globals = ctx.globals();
    let whose = if is_global { globals.as_raw() } else { object };
    // SAFETY: as the caller says.
    let value = unsafe { Value::from_raw(ctx.clone(), qjs::JS_GetProperty(ctx.as_raw().as_ptr(), whose, property)) };
    if value.is_exception() { Err(Error::Exception) } else { Ok(value) }
}

unsafe extern "C" fn get_own_property(
    ctx: *mut qjs::JSContext,
    description: *mut qjs::JSPropertyDescriptor,
    object: qjs::JSValue,
    property: qjs::JSAtom,
) -> c_int {
    // SAFETY: the engine calls it with a context that is alive and entered, and a place for the description or none.
    unsafe {
        let Some(alive) = NonNull::new(ctx) else { return 0 };
        let ctx = Ctx::from_raw(alive);
        let Some(place) = place(&ctx, object, property) else { return 0 };
        let Ok(value) = bring(&ctx, object, property, place) else { return -1 };
        if let Some(description) = description.as_mut() {
            description.flags = qjs::JS_PROP_C_W_E as c_int;
            description.getter = qjs::JS_UNDEFINED;
            description.setter = qjs::JS_UNDEFINED;
            description.value = qjs::JS_DupValue(ctx.as_raw().as_ptr(), value.as_raw());
        }
        1
    }
}

unsafe extern "C" fn has_property(ctx: *mut qjs::JSContext, object: qjs::JSValue, property: qjs::JSAtom) -> c_int {
    // SAFETY: as above.
    unsafe {
        let Some(alive) = NonNull::new(ctx) else { return 0 };
        match place(&Ctx::from_raw(alive), object, property) {
            Some(Place::Part { .. }) => 1,
            Some(Place::Absent(_)) => 0,
            None => is_behind(ctx, object, property),
        }
    }
}

/// Whoever gives something a member gives it that alone.
unsafe extern "C" fn set_property(
    ctx: *mut qjs::JSContext,
    _: qjs::JSValue,
    property: qjs::JSAtom,
    value: qjs::JSValue,
    receiver: qjs::JSValue,
    flags: c_int,
) -> c_int {
    // SAFETY: as above; the value stays its owner's.
    unsafe {
        let flags = flags | qjs::JS_PROP_C_W_E as c_int;
        qjs::JS_DefinePropertyValue(ctx, receiver, property, qjs::JS_DupValue(ctx, value), flags)
    }
}
