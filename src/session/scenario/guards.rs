//! What loops in the engine's own code, and may do so for ever, is made to end here. The engine asks in loops and calls
//! of the script alone whether it is to be stopped.
//!
//! In the place of some methods of the language stand functions of ours: they see what they are called on and with, and
//! then call what they stand for. The engine makes such a function when a script first asks for it.

use super::late;
use super::limits::Breach;
use super::shared::Shared;
use rquickjs::{Ctx, Error, Exception, Function, JsLifetime, Object, Result, Value, qjs};
use std::ffi::{CStr, c_int};
use std::ptr::NonNull;
use std::rc::Rc;

/// No array can have so many elements: there is no memory for them. A longer one has holes, or only says so.
const LONGEST_LIST: i64 = 1 << 24;
/// Comparisons of characters that take the engine some seconds.
const MOST_COMPARED: i64 = 1 << 34;
/// Characters of a text that may have more marks in a row than the engine puts in order in some milliseconds.
const MANY_MARKS: i64 = 5_000;

/// What is seen to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Guard {
    /// It is called on a list that ends.
    List,
    /// And with such ones.
    Lists,
    /// It takes the time of the one text times the other.
    Texts,
    /// It puts marks in order.
    Marks,
    /// It is ours altogether: a method of `js/lists.js`.
    Ours,
}

use Guard::{List, Lists, Marks, Ours, Texts};

/// Whose methods, and with each how many parameters it says it has.
static METHODS: [(&str, &CStr, u8, Guard); 32] = [
    ("Array", c"fill", 1, List),
    ("Array", c"join", 1, List),
    ("Array", c"toLocaleString", 0, List),
    ("Array", c"reverse", 0, List),
    ("Array", c"sort", 1, List),
    ("Array", c"copyWithin", 2, List),
    ("Array", c"shift", 0, List),
    ("Array", c"unshift", 1, List),
    ("Array", c"slice", 2, List),
    ("Array", c"splice", 2, List),
    ("Array", c"concat", 1, Lists),
    ("Array", c"flat", 0, Ours),
    ("Array", c"flatMap", 1, Ours),
    ("Array", c"toReversed", 0, List),
    ("Array", c"toSorted", 1, List),
    ("Array", c"toSpliced", 2, List),
    ("Array", c"with", 2, List),
    ("String", c"indexOf", 1, Texts),
    ("String", c"lastIndexOf", 1, Texts),
    ("String", c"includes", 1, Texts),
    ("String", c"split", 2, Texts),
    ("String", c"replace", 2, Texts),
    ("String", c"replaceAll", 2, Texts),
    ("String", c"normalize", 0, Marks),
    ("Set", c"union", 1, Ours),
    ("Set", c"intersection", 1, Ours),
    ("Set", c"difference", 1, Ours),
    ("Set", c"symmetricDifference", 1, Ours),
    ("Set", c"isSubsetOf", 1, Ours),
    ("Set", c"isSupersetOf", 1, Ours),
    ("Set", c"isDisjointFrom", 1, Ours),
    ("Iterator", c"drop", 1, Ours),
];

/// What the engine's own methods were, at the same places.
struct Natives<'js> {
    methods: Vec<Option<Function<'js>>>,
    shared: Rc<Shared>,
}

// SAFETY: the lifetime is that of the functions.
unsafe impl<'js> JsLifetime<'js> for Natives<'js> {
    type Changed<'to> = Natives<'to>;
}

/// As the engine takes functions, which it makes when they are asked for.
struct Entries([qjs::JSCFunctionListEntry; METHODS.len()]);

// SAFETY: nobody writes there, and the names live as long as the process.
unsafe impl Sync for Entries {}

static ENTRIES: Entries = Entries(entries());

const fn entries() -> [qjs::JSCFunctionListEntry; METHODS.len()] {
    const fn entry(at: usize) -> qjs::JSCFunctionListEntry {
        let (_, name, length, _) = METHODS[at];
        let func = qjs::JSCFunctionListEntry__bindgen_ty_1__bindgen_ty_1 {
            length,
            cproto: qjs::JSCFunctionEnum_JS_CFUNC_generic_magic as u8,
            cfunc: qjs::JSCFunctionType { generic_magic: Some(guarded) },
        };
        qjs::JSCFunctionListEntry {
            name: name.as_ptr(),
            prop_flags: (qjs::JS_PROP_WRITABLE | qjs::JS_PROP_CONFIGURABLE) as u8,
            def_type: qjs::JS_DEF_CFUNC as u8,
            magic: at as i16,
            u: qjs::JSCFunctionListEntry__bindgen_ty_1 { func },
        }
    }
    let mut all = [entry(0); METHODS.len()];
    let mut at = 1;
    while at < all.len() {
        all[at] = entry(at);
        at += 1;
    }
    all
}

/// Puts our functions in their places.
pub(super) fn set(ctx: &Ctx<'_>, shared: &Rc<Shared>) -> Result<()> {
    let prototype = |class: &str| ctx.globals().get::<_, Object<'_>>(class)?.get::<_, Object<'_>>("prototype");
    let mut methods = Vec::with_capacity(METHODS.len());
    for ((class, name, _, guard), entry) in METHODS.iter().zip(&ENTRIES.0) {
        let (prototype, name) = (prototype(class)?, name.to_str()?);
        methods.push(if *guard == Ours { None } else { Some(prototype.get(name)?) });
        prototype.remove(name)?;
        // SAFETY: the context is alive and entered, the property is none, and the entry lives as long as the process.
        unsafe { qjs::JS_SetPropertyFunctionList(ctx.as_raw().as_ptr(), prototype.as_raw(), entry, 1) };
    }
    // They take what only seems to be a list.
    for name in ["includes", "join"] {
        prototype("Iterator")?.remove(name)?;
    }
    // It fails where one is being used, and none is yet.
    let _ = ctx.store_userdata(Natives { methods, shared: Rc::clone(shared) });
    Ok(())
}

unsafe extern "C" fn guarded(
    ctx: *mut qjs::JSContext,
    this: qjs::JSValue,
    count: c_int,
    arguments: *mut qjs::JSValue,
    magic: c_int,
) -> qjs::JSValue {
    let (Some(alive), Ok(at)) = (NonNull::new(ctx), usize::try_from(magic)) else { return qjs::JS_UNDEFINED };
    // SAFETY: the engine calls it with a context that is alive and entered, and with values that stay its own.
    unsafe {
        let given = match usize::try_from(count) {
            Ok(count) if !arguments.is_null() => std::slice::from_raw_parts(arguments, count),
            _ => &[],
        };
        match seen_to(&Ctx::from_raw(alive), at, this, given) {
            Ok(function) => qjs::JS_Call(ctx, function.as_raw(), this, count, arguments),
            Err(_) => qjs::JS_EXCEPTION,
        }
    }
}

/// The function that is to be called, if what it is called on and with is fit for it.
///
/// # Safety
/// The values are those of a call that the engine makes.
unsafe fn seen_to<'js>(ctx: &Ctx<'js>, at: usize, this: qjs::JSValue, given: &[qjs::JSValue]) -> Result<Function<'js>> {
    let unmade = || Exception::throw_internal(ctx, "the engine has lost a function");
    let (class, name, _, guard) = METHODS[at];
    let (native, shared) = {
        let natives = ctx.userdata::<Natives<'js>>().ok_or_else(unmade)?;
        (natives.methods[at].clone(), Rc::clone(&natives.shared))
    };
    let endless = |why| {
        shared.break_limit(Breach::Time);
        Exception::throw_range(ctx, why)
    };
    // SAFETY: as the caller says; the engine keeps its own.
    let value = |raw| unsafe { Value::from_raw(ctx.clone(), qjs::JS_DupValue(ctx.as_raw().as_ptr(), raw)) };
    // SAFETY: as the caller says.
    let length = |value| unsafe { length(ctx, value) };
    // SAFETY: the same.
    let tag = |value| unsafe { qjs::JS_VALUE_GET_NORM_TAG(value) };
    let lists = || late::part(ctx, "lists")?.get::<Object<'js>>();
    let finite = |list| match tag(list) == qjs::JS_TAG_OBJECT && length(list)? > LONGEST_LIST {
        true => Err(endless("the list is too long")),
        false => Ok(()),
    };
    match guard {
        List => finite(this)?,
        Lists => std::iter::once(&this).chain(given).try_for_each(|list| finite(*list))?,
        Texts => {
            let part = given.first().copied();
            let part = part.filter(|part| matches!(tag(*part), qjs::JS_TAG_STRING | qjs::JS_TAG_STRING_ROPE));
            if let Some(part) = part
                && length(this)?.saturating_mul(length(part)?) > MOST_COMPARED
            {
                return Err(endless("the texts are too long"));
            }
        }
        Marks if length(this)? >= MANY_MARKS => {
            if lists()?.get::<_, Function<'js>>("hasManyMarks")?.call((value(this),))? {
                return Err(endless("too many marks follow each other"));
            }
        }
        Marks => {}
        Ours => {
            if class == "Array" {
                finite(this)?;
            }
            return lists()?.get::<_, Object<'js>>(class)?.get(name.to_str()?);
        }
    }
    native.ok_or_else(unmade)
}

/// What something says of its length; nothing has none.
///
/// # Safety
/// The value is alive.
unsafe fn length(ctx: &Ctx<'_>, value: qjs::JSValue) -> Result<i64> {
    // SAFETY: as the caller says.
    unsafe {
        if matches!(qjs::JS_VALUE_GET_NORM_TAG(value), qjs::JS_TAG_UNDEFINED | qjs::JS_TAG_NULL) {
            return Ok(0);
        }
        let mut length = 0;
        match qjs::JS_GetLength(ctx.as_raw().as_ptr(), value, &raw mut length) {
            0 => Ok(length),
            _ => Err(Error::Exception),
        }
    }
}
