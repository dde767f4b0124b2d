//! The object model: parts, each compiled once for all sessions, and loaded by those who use it.
//!
//! What a session loads it has for itself, half a kilobyte for each function, and a conference uses a quarter of them.
//! So each file of `js/` is a function of its own, which `part` of `js/base.js` runs when its part is first asked for.
//! Names of `owners.rs` have it asked for (`late.rs`).

use super::guards;
use super::late::Late;
use super::script;
use super::shared::Shared;
use rquickjs::{Context, Ctx, Error, Function, Object, Result, Runtime, Undefined, qjs};
use std::rc::Rc;
use std::sync::OnceLock;

/// What all use.
const CORE: &str = "core";

/// The files of `js/`, by the names of parts.
const PARTS: &[(&str, &str)] = &[
    (
        CORE,
        concat!(
            include_str!("js/base.js"),
            include_str!("js/call.js"),
            include_str!("js/engine.js"),
            include_str!("js/deliver.js"),
        ),
    ),
    ("call_more", include_str!("js/call_more.js")),
    ("conference", include_str!("js/conference.js")),
    ("deliver_more", include_str!("js/deliver_more.js")),
    ("dialling", include_str!("js/dialling.js")),
    ("endings", include_str!("js/endings.js")),
    ("endpoint", include_str!("js/endpoint.js")),
    ("engine_more", include_str!("js/engine_more.js")),
    ("forwarding", include_str!("js/forwarding.js")),
    ("lists", include_str!("js/lists.js")),
    ("log", include_str!("js/log.js")),
    ("markup", include_str!("js/markup.js")),
    ("net", include_str!("js/net.js")),
    ("player", include_str!("js/player.js")),
    ("playing", include_str!("js/playing.js")),
    ("recorder", include_str!("js/recorder.js")),
    ("refusals", include_str!("js/refusals.js")),
    ("socket", include_str!("js/socket.js")),
    ("started", include_str!("js/started.js")),
    ("storage", include_str!("js/storage.js")),
    ("texts", include_str!("js/texts.js")),
    ("time", include_str!("js/time.js")),
    ("timers", include_str!("js/timers.js")),
    ("typed_arrays", include_str!("js/typed_arrays.js")),
    ("voices", include_str!("js/voices.js")),
    ("weak_refs", include_str!("js/weak_refs.js")),
];

/// Puts into a context what of the object model all use, and what loads the rest.
pub(super) fn load<'js>(ctx: &Ctx<'js>, shared: &Rc<Shared>) -> Result<()> {
    guards::set(ctx, shared)?;
    let behind = Object::new(ctx.clone())?;
    let host = Late::register(ctx, shared)?.object(ctx, "host", &behind)?;
    let load = |ctx: Ctx<'js>, name: String| part(&ctx, &name);
    part(ctx, CORE)?.call((Undefined, host, Function::new(ctx.clone(), load)?))
}

/// A part's function.
fn part<'js>(ctx: &Ctx<'js>, name: &str) -> Result<Function<'js>> {
    static COMPILED: OnceLock<Vec<Box<[u8]>>> = OnceLock::new();
    let at = PARTS.iter().position(|(known, _)| *known == name).ok_or(Error::Unknown)?;
    let compiled = match COMPILED.get() {
        Some(compiled) => compiled,
        None => {
            let compiled = compile()?;
            COMPILED.get_or_init(|| compiled)
        }
    };
    script::evaluate(ctx, &compiled[at])?.get()
}

fn compile() -> Result<Vec<Box<[u8]>>> {
    let context = Context::full(&Runtime::new()?)?;
    context.with(|ctx| {
        let one = |(name, source): &(&str, &str)| {
            let function = format!("(function (part, host, load) {{ \"use strict\"; {source}\n}})");
            // Who reads a stack looks for places of their own.
            script::write(&ctx, name, &function, qjs::JS_WRITE_OBJ_STRIP_DEBUG)
        };
        PARTS.iter().map(one).collect()
    })
}
