//! The object model, compiled once for all sessions.

use super::natives;
use super::shared::Shared;
use rquickjs::module::WriteOptions;
use rquickjs::{Context, Ctx, Module, Result, Runtime};
use std::rc::Rc;
use std::sync::OnceLock;

/// The name of the module, as stacks show it.
const NAME: &str = "partyline";

/// The files of `js/`, in order: one module.
const SOURCE: &str = concat!(
    include_str!("js/base.js"),
    include_str!("js/guards.js"),
    include_str!("js/names.js"),
    include_str!("js/call.js"),
    include_str!("js/media.js"),
    include_str!("js/tools.js"),
    include_str!("js/net.js"),
    include_str!("js/socket.js"),
    include_str!("js/storage.js"),
    include_str!("js/recorder.js"),
    include_str!("js/engine.js"),
    include_str!("js/deliver.js"),
);

/// Puts the object model into a context.
pub(super) fn load(ctx: &Ctx<'_>, shared: &Rc<Shared>) -> Result<()> {
    ctx.globals().set("host", natives::make(ctx, shared)?)?;
    // SAFETY: the bytes are what the same engine wrote, and they live as long as the process: bytecode is not copied.
    let module = unsafe { Module::load(ctx.clone(), bytecode()?) }?;
    let (_, done) = module.eval()?;
    done.finish()
}

fn bytecode() -> Result<&'static [u8]> {
    static BYTECODE: OnceLock<Vec<u8>> = OnceLock::new();
    if let Some(bytes) = BYTECODE.get() {
        return Ok(bytes);
    }
    let context = Context::full(&Runtime::new()?)?;
    let bytes = context.with(|ctx| {
        // Who reads a stack looks for places of their own.
        let options = WriteOptions { strip_source: true, strip_debug: true, ..WriteOptions::default() };
        Module::declare(ctx, NAME, SOURCE)?.write(options)
    })?;
    Ok(BYTECODE.get_or_init(|| bytes))
}
