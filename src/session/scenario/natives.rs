//! What the object model stands on: functions that push verbs, and a few that compute.

use super::hashes;
use super::octets;
use super::shared::{Fetch, Shared};
use crate::dialplan::{SoundSource, SoundUrl};
use crate::session::{
    CallHandle, CallerId, DialTarget, PlayItem, PlaybackHandle, RoomHandle, RoomName, TimerHandle, Unit, Verb,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rquickjs::function::{IntoJsFunc, Rest};
use rquickjs::{Ctx, Exception, Function, Object, Persistent, Result, Value};
use std::rc::Rc;
use std::time::Duration;

/// The longest a timer runs.
const LONGEST_TIMER: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The functions, each with what they have in common.
struct Maker<'a, 'js> {
    ctx: &'a Ctx<'js>,
    host: Object<'js>,
    shared: &'a Rc<Shared>,
}

impl<'js> Maker<'_, 'js> {
    fn add<P>(&self, name: &str, function: impl IntoJsFunc<'js, P> + 'js) -> Result<()> {
        self.host.set(name, Function::new(self.ctx.clone(), function)?)
    }

    /// A function that pushes a verb made of one argument.
    fn verb<A: 'js>(&self, name: &str, make: impl Fn(A) -> Verb + 'js) -> Result<()>
    where
        (A,): rquickjs::function::FromParams<'js>,
    {
        let shared = Rc::clone(self.shared);
        self.add(name, move |a: A| shared.push(make(a)))
    }

    /// Of two arguments.
    fn verb2<A: 'js, B: 'js>(&self, name: &str, make: impl Fn(A, B) -> Verb + 'js) -> Result<()>
    where
        (A, B): rquickjs::function::FromParams<'js>,
    {
        let shared = Rc::clone(self.shared);
        self.add(name, move |a: A, b: B| shared.push(make(a, b)))
    }
}

/// `host`, as `js/base.js` takes it.
pub(super) fn make<'js>(ctx: &Ctx<'js>, shared: &Rc<Shared>) -> Result<Object<'js>> {
    let maker = Maker { ctx, host: Object::new(ctx.clone())?, shared };
    about_the_session(&maker)?;
    about_calls(&maker)?;
    about_sound(&maker)?;
    texts(&maker)?;
    Ok(maker.host)
}

fn about_the_session(maker: &Maker<'_, '_>) -> Result<()> {
    let own = || Rc::clone(maker.shared);
    let shared = own();
    type Entry = Persistent<Function<'static>>;
    maker.add("start", move |deliver: Entry, settle: Entry| shared.entries.set(Some((deliver, settle))))?;
    let shared = own();
    maker.add("wake", move || shared.is_awake.set(true))?;
    let shared = own();
    maker.add("log", move |text: String| shared.log(&text))?;
    let shared = own();
    maker.add("breach", move |what: String| shared.break_told(what))?;
    let shared = own();
    maker.add("now", move || shared.now())?;
    let shared = own();
    maker.add("random", move || shared.random())?;
    let shared = own();
    maker.add("uuid", move || shared.uuid())?;
    maker.verb2("setTimer", |timer, milliseconds: f64| Verb::SetTimer {
        timer: TimerHandle(id(timer)),
        after: Duration::try_from_secs_f64(milliseconds / 1_000.0).unwrap_or_default().min(LONGEST_TIMER),
    })?;
    maker.verb("clearTimer", |timer| Verb::ClearTimer { timer: TimerHandle(id(timer)) })?;
    let shared = own();
    maker.add("fetch", move |id, url, method, headers, body, timeout, connect_timeout| {
        let fetch = Fetch { id: self::id(id), url, method, headers: pairs(headers), body, timeout, connect_timeout };
        shared.turn.borrow_mut().fetches.push(fetch);
    })?;
    let shared = own();
    maker.add("endSession", move || shared.push(Verb::EndSession))
}

fn about_calls(maker: &Maker<'_, '_>) -> Result<()> {
    let own = || Rc::clone(maker.shared);
    maker.verb("ring", |call| Verb::Ring { call: CallHandle(id(call)) })?;
    maker.verb("earlyMedia", |call| Verb::EarlyMedia { call: CallHandle(id(call)) })?;
    maker.verb("answer", |call| Verb::Answer { call: CallHandle(id(call)) })?;
    maker.verb2("reject", |call, status| Verb::Reject { call: CallHandle(id(call)), status })?;
    maker.verb2("hangup", |call, cause: String| Verb::Hangup { call: CallHandle(id(call)), cause: cause.into() })?;
    // All digits come anyway.
    maker.add("handleDigits", |_call: f64, _on: bool| ())?;
    maker.verb2("sendDigits", |call, digits| Verb::SendDigits { call: CallHandle(id(call)), digits })?;
    for name in ["sendMessage", "sendInfo", "hold", "refer", "forwardDirect", "join"] {
        let shared = own();
        let later = move |_: Rest<Value<'_>>| shared.log(&format!("{name} is not possible in this version"));
        maker.add(name, later)?;
    }
    let shared = own();
    maker.add("dial", move |call, kind: String, to: String, _number: String, _name: String, _headers: Vec<String>| {
        let to = if kind == "user" { DialTarget::User(to) } else { DialTarget::Number(to) };
        shared.push(Verb::Dial {
            call: CallHandle(id(call)),
            to,
            caller: CallerId::Trunk,
            timeout: None,
            headers: Vec::new(),
        });
    })
}

fn about_sound(maker: &Maker<'_, '_>) -> Result<()> {
    let own = || Rc::clone(maker.shared);
    let shared = own();
    maker.add("connect", move |from_call, from, to_call, to| {
        shared.push(Verb::Connect { source: unit(from_call, from), sink: unit(to_call, to) });
    })?;
    let shared = own();
    maker.add("disconnect", move |from_call, from, to_call, to| {
        shared.push(Verb::Disconnect { source: unit(from_call, from), sink: unit(to_call, to) });
    })?;
    let shared = own();
    maker.add("openRoom", move |room| {
        let name = RoomName::Plain(format!("{}-room-{room}", shared.session));
        shared.push(Verb::OpenRoom { room: RoomHandle(id(room)), name });
    })?;
    // A room that nobody is in is gone.
    maker.add("closeRoom", |_room: f64| ())?;
    maker.verb("stopPlayback", |playback| Verb::StopPlayback { playback: PlaybackHandle(id(playback)) })?;
    let shared = own();
    maker.add("play", move |ctx: Ctx<'_>, to_call, to, playback, kind: String, what: String, language: String| {
        let item = item(&kind, what, language).map_err(|why| Exception::throw_type(&ctx, &why))?;
        let to = unit(to_call, to);
        shared.push(Verb::Play { to, playback: PlaybackHandle(id(playback)), items: vec![item], repeat: false });
        Ok::<_, rquickjs::Error>(())
    })
}

fn texts(maker: &Maker<'_, '_>) -> Result<()> {
    fn or<T>(ctx: &Ctx<'_>, value: Option<T>, why: &str) -> Result<T> {
        value.ok_or_else(|| Exception::throw_range(ctx, why))
    }
    maker.add("hash", |ctx: Ctx<'_>, name: String, data: Vec<u8>| {
        or(&ctx, hashes::hash(&name, &data), "no such hash")
    })?;
    maker.add("hmac", |ctx: Ctx<'_>, name: String, key: Vec<u8>, data: Vec<u8>| {
        or(&ctx, hashes::hmac(&name, &key, &data), "no such hash")
    })?;
    maker.add("encode", |ctx: Ctx<'_>, text: String, encoding: String| {
        or(&ctx, octets::encode(&text, &encoding), "the encoding is unknown, or lacks a character")
    })?;
    maker.add("decode", |ctx: Ctx<'_>, data: Vec<u8>, encoding: String| {
        or(&ctx, octets::decode(&data, &encoding), "the encoding is unknown")
    })?;
    maker.add("hex", |data: Vec<u8>, upper: bool| {
        let text = octets::hex(&data);
        if upper { text.to_ascii_uppercase() } else { text }
    })?;
    maker.add("unhex", |ctx: Ctx<'_>, text: String| {
        or(&ctx, octets::unhex(&text), "these are no pairs of hex digits")
    })?;
    maker.add("base64", |data: Vec<u8>| STANDARD.encode(data))?;
    maker.add("unbase64", |ctx: Ctx<'_>, text: String| {
        let decoded = STANDARD.decode(text).ok().map(|octets| String::from_utf8_lossy(&octets).into_owned());
        or(&ctx, decoded, "this is no base64")
    })
}

/// A handle as the object model has it, where all numbers are floating.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "handles are whole, and of 32 bits")]
const fn id(handle: f64) -> u32 {
    handle as u32
}

const fn unit(is_call: bool, handle: f64) -> Unit {
    if is_call { Unit::Call(CallHandle(id(handle))) } else { Unit::Room(RoomHandle(id(handle))) }
}

/// Names and values that stand one after the other.
fn pairs(flat: Vec<String>) -> Vec<(String, String)> {
    let mut flat = flat.into_iter();
    std::iter::from_fn(|| Some((flat.next()?, flat.next()?))).collect()
}

fn item(kind: &str, what: String, language: String) -> std::result::Result<PlayItem, String> {
    let _ = language;
    Ok(match kind {
        "url" => PlayItem::File(SoundSource::Url(SoundUrl::read(&what)?)),
        "prompt" => PlayItem::Prompt(what),
        _ => PlayItem::Text(what),
    })
}
