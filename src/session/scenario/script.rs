//! A script, compiled once for all sessions that run it.

use super::{Fault, limits};
use rquickjs::{CatchResultExt, Context, Ctx, Error, Result, Runtime, Value, qjs};
use std::ffi::CString;

/// A script's bytecode. Sessions that run it neither parse its text nor keep it: its functions show themselves as
/// native ones. Places in it are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    file: String,
    code: std::result::Result<Box<[u8]>, Fault>,
}

impl Script {
    /// Compiles a text. Where it is no script, whoever runs it fails by the first mistake.
    #[must_use]
    pub fn compile(file: &str, source: &str) -> Self {
        Self { file: file.to_owned(), code: compile(file, source) }
    }

    /// The first mistake, with its place, where it is no script.
    #[must_use]
    pub fn fault(&self) -> Option<&Fault> {
        self.code.as_ref().err()
    }

    /// Its name, as places in it show it.
    pub(super) fn file(&self) -> &str {
        &self.file
    }

    /// Runs it; its declarations are the context's.
    pub(super) fn run(&self, ctx: &Ctx<'_>) -> Result<()> {
        let Ok(code) = &self.code else { return Ok(()) };
        evaluate(ctx, code).map(drop)
    }
}

/// Runs bytecode that [`write`] wrote. Gives what it comes to.
pub(super) fn evaluate<'js>(ctx: &Ctx<'js>, code: &[u8]) -> Result<Value<'js>> {
    let context = ctx.as_raw().as_ptr();
    // SAFETY: the same engine wrote the bytes, and copies what it needs of them. The context is alive and entered; a
    // function's value goes to the one who runs it, and what that gives to the one who drops it.
    let outcome = unsafe {
        let script = qjs::JS_ReadObject(context, code.as_ptr(), code.len() as _, qjs::JS_READ_OBJ_BYTECODE as _);
        if qjs::JS_VALUE_GET_NORM_TAG(script) == qjs::JS_TAG_EXCEPTION {
            return Err(Error::Exception);
        }
        qjs::JS_EvalFunction(context, script)
    };
    // SAFETY: as above.
    unsafe {
        if qjs::JS_VALUE_GET_NORM_TAG(outcome) == qjs::JS_TAG_EXCEPTION {
            return Err(Error::Exception);
        }
        Ok(Value::from_raw(ctx.clone(), outcome))
    }
}

/// Bytecode with places, and without the text.
fn compile(file: &str, source: &str) -> std::result::Result<Box<[u8]>, Fault> {
    if source.chars().count() > limits::SOURCE {
        return Err(Fault::new(format!("{file} is longer than {} characters", limits::SOURCE)));
    }
    let unmade = |error: Error| Fault::new(format!("the engine cannot be made: {error}"));
    let engine = Runtime::new().map_err(unmade)?;
    engine.set_memory_limit(limits::MEMORY);
    engine.set_max_stack_size(limits::STACK);
    let context = Context::full(&engine).map_err(unmade)?;
    context.with(|ctx| {
        write(&ctx, file, source, 0).catch(&ctx).map_err(|error| Fault::of(&ctx, error, &[file.to_owned()]))
    })
}

/// Compiles a text, to bytecode without it, and without what else `less` says.
pub(super) fn write(ctx: &Ctx<'_>, file: &str, source: &str, less: u32) -> Result<Box<[u8]>> {
    let (name, text) = (CString::new(file)?, CString::new(source)?);
    let context = ctx.as_raw().as_ptr();
    let only = (qjs::JS_EVAL_TYPE_GLOBAL | qjs::JS_EVAL_FLAG_COMPILE_ONLY) as _;
    let how = (qjs::JS_WRITE_OBJ_BYTECODE | qjs::JS_WRITE_OBJ_STRIP_SOURCE | less) as _;
    // SAFETY: both texts end with a zero that is not counted, and the context is alive and entered. The value is
    // dropped when it is written; what the engine wrote is copied before it is given back.
    unsafe {
        let script = qjs::JS_Eval(context, text.as_ptr(), source.len() as _, name.as_ptr(), only);
        if qjs::JS_VALUE_GET_NORM_TAG(script) == qjs::JS_TAG_EXCEPTION {
            return Err(Error::Exception);
        }
        let script = Value::from_raw(ctx.clone(), script);
        let mut length = 0;
        let written = qjs::JS_WriteObject(context, &mut length, script.as_raw(), how);
        if written.is_null() {
            return Err(Error::Exception);
        }
        let code = std::slice::from_raw_parts(written, length as _).into();
        qjs::js_free(context, written.cast());
        Ok(code)
    }
}
