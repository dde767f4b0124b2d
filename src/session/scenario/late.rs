//! Members that come with a part of the object model when they are first asked for, and names that do not exist here.
//!
//! Behind an object whose members come so, or a class's prototype, stands an object of a class of our own. The engine
//! asks it for each name that it has not found before; it loads the part, which gives it the member.

use super::natives;
use super::owners::{Owner, Place};
use super::shared::Shared;
use rquickjs::{Ctx, Error, Exception, Function, JsLifetime, Object, Result, Value, qjs};
use std::ffi::{c_int, c_void};
use std::ptr::NonNull;
use std::rc::Rc;

/// The error of whoever uses what there is not.
pub(super) fn absent(ctx: &Ctx<'_>, name: &str) -> Error {
    Exception::throw_reference(ctx, &format!("{name} does not exist here: docs/scenarios.md tells what does"))
}

/// The class of the objects that stand behind others.
#[derive(Clone, Copy)]
pub(super) struct Late(qjs::JSClassID);

/// What native functions share.
struct Natives(Rc<Shared>);

// SAFETY: it has nothing of the engine's.
unsafe impl<'js> JsLifetime<'js> for Natives {
    type Changed<'to> = Self;
}

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
pub(super) fn part<'js>(ctx: &Ctx<'js>, name: &str) -> Result<Value<'js>> {
    let part = ctx.userdata::<Parts<'js>>().map(|parts| parts.0.clone());
    part.ok_or_else(|| Exception::throw_internal(ctx, "the object model is not there yet"))?.call((name,))
}

static METHODS: qjs::JSClassExoticMethods = qjs::JSClassExoticMethods {
    get_own_property: Some(get_own_property),
    get_own_property_names: Some(get_own_property_names),
    delete_property: None,
    define_own_property: None,
    has_property: None,
    get_property: None,
    set_property: Some(set_property),
};

impl Late {
    pub(super) fn register(ctx: &Ctx<'_>, shared: &Rc<Shared>) -> Result<Self> {
        // It fails where one is being used, and none is yet.
        let _ = ctx.store_userdata(Natives(Rc::clone(shared)));
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
        let owner = Owner::of(name).ok_or_else(|| Exception::throw_internal(ctx, "nothing comes late here"))?;
        self.object_of(ctx, owner, behind)
    }

    fn object_of<'js>(self, ctx: &Ctx<'js>, owner: &'static Owner, behind: &Object<'js>) -> Result<Object<'js>> {
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
    owner.place(&name, || unsafe { is_any_objects(ctx, property) })
}

/// Whether objects have a property from the start. What stands behind an object is not asked: it may be the script's,
/// and the engine, which asks for what is behind itself, takes it badly where a script changes that meanwhile.
///
/// # Safety
/// The property is a name of the engine's.
unsafe fn is_any_objects(ctx: &Ctx<'_>, property: qjs::JSAtom) -> bool {
    let all = Object::new(ctx.clone()).ok().and_then(|object| object.get_prototype());
    // SAFETY: as the caller says; nothing is asked for but whether it is there.
    all.is_some_and(|all| unsafe {
        qjs::JS_GetOwnProperty(ctx.as_raw().as_ptr(), std::ptr::null_mut(), all.as_raw(), property) > 0
    })
}

/// Brings about what somebody asks for, and gives it.
///
/// # Safety
/// As the engine calls the methods of a class.
unsafe fn bring<'js>(ctx: &Ctx<'js>, object: qjs::JSValue, property: qjs::JSAtom, place: Place) -> Result<Value<'js>> {
    let raw = ctx.as_raw().as_ptr();
    let late = || {
        let mut class = 0;
        // SAFETY: as the caller says.
        unsafe { qjs::JS_GetAnyOpaque(object, &raw mut class) };
        Late(class)
    };
    // SAFETY: as the caller says; what the engine is given is its own.
    let define = |value: &Value<'js>| unsafe {
        let flags = qjs::JS_PROP_C_W_E as c_int;
        qjs::JS_DefinePropertyValue(raw, object, property, qjs::JS_DupValue(raw, value.as_raw()), flags)
    };
    let mut whose = object;
    match place {
        Place::Absent(name) => return Err(absent(ctx, &name)),
        // The same text for all who ask, as long as somebody has it: that of its atom.
        // SAFETY: the text is as long as it says; the atom is ours to drop, and the value goes to the caller.
        Place::Text(text) => unsafe {
            let atom = qjs::JS_NewAtomLen(raw, text.as_ptr().cast(), text.len() as _);
            let value = Value::from_raw(ctx.clone(), qjs::JS_AtomToValue(raw, atom));
            qjs::JS_FreeAtom(raw, atom);
            return Ok(value);
        },
        Place::Table(owner) => {
            let behind = Object::new(ctx.clone())?.get_prototype().ok_or(Error::Unknown)?;
            let table = late().object_of(ctx, owner, &behind)?.into_value();
            define(&table);
            return Ok(table);
        }
        Place::Native(name) => {
            let shared = ctx.userdata::<Natives>().map(|natives| Rc::clone(&natives.0)).ok_or(Error::Unknown)?;
            let native = natives::make(ctx, &shared, late(), &name)?.into_value();
            define(&native);
            return Ok(native);
        }
        Place::Part { name, is_global } => {
            part(ctx, name)?;
            if is_global {
                whose = ctx.globals().as_raw();
            }
        }
    }
    // SAFETY: as the caller says.
    let value = unsafe { Value::from_raw(ctx.clone(), qjs::JS_GetProperty(raw, whose, property)) };
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
        // Whoever asks whether it is there has nothing loaded for that.
        let Some(description) = description.as_mut() else { return c_int::from(!matches!(place, Place::Absent(_))) };
        let Ok(value) = bring(&ctx, object, property, place) else { return -1 };
        description.flags = qjs::JS_PROP_C_W_E as c_int;
        description.getter = qjs::JS_UNDEFINED;
        description.setter = qjs::JS_UNDEFINED;
        description.value = qjs::JS_DupValue(ctx.as_raw().as_ptr(), value.as_raw());
        1
    }
}

unsafe extern "C" fn get_own_property_names(
    ctx: *mut qjs::JSContext,
    list: *mut *mut qjs::JSPropertyEnum,
    length: *mut u32,
    object: qjs::JSValue,
) -> c_int {
    // SAFETY: as above; the engine gives the list back, and drops its atoms.
    unsafe {
        let mut class = 0;
        let owner = qjs::JS_GetAnyOpaque(object, &raw mut class).cast::<Owner>().as_ref();
        let names = owner.map_or_else(Vec::new, Owner::names);
        *list = qjs::js_malloc(ctx, (size_of::<qjs::JSPropertyEnum>() * names.len().max(1)) as _).cast();
        if list.read().is_null() {
            return -1;
        }
        for (at, name) in names.iter().enumerate() {
            let atom = qjs::JS_NewAtomLen(ctx, name.as_ptr().cast(), name.len() as _);
            list.read().add(at).write(qjs::JSPropertyEnum { is_enumerable: true, atom });
        }
        *length = names.len() as u32;
        0
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
