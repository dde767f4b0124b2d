//! What the object model stands on: functions that push verbs, and a few that compute.

use super::hashes;
use super::late::{self, Late};
use super::octets;
use super::owners;
use super::recordings;
use super::shared::{Fetch, Shared};
use super::sockets;
use super::tone_script;
use crate::dialplan::{SoundSource, SoundUrl};
use crate::session::{
    CallHandle, CallerId, DialTarget, Party, PlayItem, PlaybackHandle, ReferTarget, RoomHandle, RoomName,
    StorageHandle, StorageRequest, TimerHandle, Unit, Verb,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rquickjs::context::{Intrinsic, intrinsic};
use rquickjs::function::{IntoJsFunc, Opt};
use rquickjs::{Coerced, Ctx, Exception, Function, Object, Persistent, Result};
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

/// The longest a timer runs.
const LONGEST_TIMER: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Makes the function that is wanted, of all there are.
pub(super) struct Maker<'a, 'js> {
    pub(super) ctx: &'a Ctx<'js>,
    pub(super) shared: &'a Rc<Shared>,
    wanted: &'a str,
    made: RefCell<Option<Function<'js>>>,
}

impl<'js> Maker<'_, 'js> {
    pub(super) fn add<P>(&self, name: &str, function: impl IntoJsFunc<'js, P> + 'js) -> Result<()> {
        if name == self.wanted {
            self.made.replace(Some(Function::new(self.ctx.clone(), function)?));
        }
        Ok(())
    }

    /// A function that pushes a verb made of one argument.
    pub(super) fn verb<A: 'js>(&self, name: &str, make: impl Fn(A) -> Verb + 'js) -> Result<()>
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

/// The function of that name: one of `host`, or one that scenarios have.
pub(super) fn make<'js>(ctx: &Ctx<'js>, shared: &Rc<Shared>, late: Late, name: &str) -> Result<Function<'js>> {
    let maker = Maker { ctx, shared, wanted: name, made: RefCell::default() };
    about_the_model(&maker, late)?;
    about_the_session(&maker)?;
    about_calls(&maker)?;
    about_sound(&maker)?;
    sockets::make(&maker)?;
    recordings::make(&maker)?;
    texts(&maker)?;
    maker.made.into_inner().ok_or_else(|| Exception::throw_internal(ctx, "there is no such native function"))
}

fn about_the_model<'js>(maker: &Maker<'_, 'js>, late: Late) -> Result<()> {
    let shared = Rc::clone(maker.shared);
    type Entry = Persistent<Function<'static>>;
    maker.add("start", move |ctx: Ctx<'js>, part: Function<'js>, deliver: Entry, settle: Entry| {
        late::set_loader(&ctx, part);
        shared.entries.set(Some((deliver, settle)));
    })?;
    maker.add("late", move |ctx: Ctx<'js>, name: String, behind: Object<'js>| late.object(&ctx, &name, &behind))?;
    maker.add("require", |ctx: Ctx<'js>, name: Opt<Coerced<String>>| {
        let name = name.0.map_or_else(|| "undefined".to_owned(), |name| name.0);
        if owners::is_module(&name) { Ok(()) } else { Err(late::absent(&ctx, &format!("the module {name}"))) }
    })?;
    maker.add("absent", |ctx: Ctx<'js>, name: String| Err::<(), _>(late::absent(&ctx, &name)))?;
    // SAFETY: the context is alive and entered.
    maker.add("addDate", |ctx: Ctx<'js>| unsafe { intrinsic::Date::add_intrinsic(ctx.as_raw()) })?;
    // SAFETY: the same.
    maker.add("addTypedArrays", |ctx: Ctx<'js>| unsafe { intrinsic::TypedArrays::add_intrinsic(ctx.as_raw()) })?;
    // SAFETY: the same.
    maker.add("addWeakRefs", |ctx: Ctx<'js>| unsafe { intrinsic::WeakRef::add_intrinsic(ctx.as_raw()) })
}

fn about_the_session(maker: &Maker<'_, '_>) -> Result<()> {
    let own = || Rc::clone(maker.shared);
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
    let shared = own();
    maker.add("uuidgen", move || shared.uuid())?;
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
    maker.add("store", move |request: f64, kind: String, key: String, value: String, seconds: f64| {
        let what = match &*kind {
            "put" => {
                StorageRequest::Put { key, value, keep: Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX) }
            }
            "get" => StorageRequest::Get { key },
            "remove" => StorageRequest::Remove { key },
            _ => StorageRequest::Keys { pattern: key },
        };
        shared.push(Verb::Store { request: StorageHandle(id(request)), what });
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
    maker.verb2("handleDigits", |call, on| Verb::HandleDigits { call: CallHandle(id(call)), on })?;
    maker.verb2("sendDigits", |call, digits| Verb::SendDigits { call: CallHandle(id(call)), digits })?;
    maker.verb2("hold", |call, on| Verb::Hold { call: CallHandle(id(call)), on })?;
    maker.verb2("sendMessage", |call, text| Verb::SendMessage { call: CallHandle(id(call)), text })?;
    maker.verb2("forwardDirect", |call, to: String| Verb::ForwardDirect {
        call: CallHandle(id(call)),
        to: Some(to).filter(|to| !to.is_empty()),
    })?;
    let shared = own();
    maker.add("refer", move |call, to: String, other: f64| {
        let to = if other == 0.0 { ReferTarget::Number(to) } else { ReferTarget::Call(CallHandle(id(other)), to) };
        shared.push(Verb::Refer { call: CallHandle(id(call)), to });
    })?;
    let shared = own();
    maker.add("sendInfo", move |call, content_type: String, headers: Vec<String>, body: String| {
        shared.push(Verb::SendInfo { call: CallHandle(id(call)), content_type, headers: pairs(headers), body });
    })?;
    let shared = own();
    maker.add("dial", move |call, kind: String, to: String, number: String, name: String, headers: Vec<String>| {
        let to = if kind == "user" { DialTarget::User(to) } else { DialTarget::Number(to) };
        let caller = if number.is_empty() { CallerId::Trunk } else { CallerId::Given(party(number, name)) };
        let headers = pairs(headers);
        shared.push(Verb::Dial { call: CallHandle(id(call)), to, caller, timeout: None, headers });
    })?;
    let shared = own();
    maker.add("join", move |call, to: String, number: String, name: String, headers: Vec<String>| {
        let (from, headers) = (party(number, name), pairs(headers));
        shared.push(Verb::Join { call: CallHandle(id(call)), to, from, headers });
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
    maker.verb("openRoom", |room| Verb::OpenRoom { room: RoomHandle(id(room)), name: RoomName::Own })?;
    maker.verb("closeRoom", |room| Verb::CloseRoom { room: RoomHandle(id(room)) })?;
    maker.verb("stopPlayback", |playback| Verb::StopPlayback { playback: PlaybackHandle(id(playback)) })?;
    maker.verb2("pausePlayback", |playback, on| Verb::PausePlayback { playback: PlaybackHandle(id(playback)), on })?;
    maker.add("checkTones", |ctx: Ctx<'_>, script: String| {
        tone_script::items(&script).map(drop).map_err(|why| Exception::throw_range(&ctx, &why))
    })?;
    let shared = own();
    maker.add("play", move |ctx: Ctx<'_>, to_call, to, playback, item: Vec<String>, repeat: bool| {
        let items = self::items(item).map_err(|why| Exception::throw_type(&ctx, &why))?;
        let to = unit(to_call, to);
        shared.push(Verb::Play { to, playback: PlaybackHandle(id(playback)), items, repeat });
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
    // RFC 5646 section 2.1, in short.
    maker.add("isLanguage", |tag: String| {
        let mut parts = tag.split('-');
        let is_first =
            parts.next().is_some_and(|part| matches!(part.len(), 2 | 3) && is_of(part, u8::is_ascii_alphabetic));
        is_first && parts.all(|part| matches!(part.len(), 2..=8) && is_of(part, u8::is_ascii_alphanumeric))
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

fn is_of(text: &str, class: fn(&u8) -> bool) -> bool {
    text.bytes().all(|octet| class(&octet))
}

/// A handle as the object model has it, where all numbers are floating.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "handles are whole, and of 32 bits")]
pub(super) const fn id(handle: f64) -> u32 {
    handle as u32
}

const fn unit(is_call: bool, handle: f64) -> Unit {
    if is_call { Unit::Call(CallHandle(id(handle))) } else { Unit::Room(RoomHandle(id(handle))) }
}

fn party(number: String, name: String) -> Party {
    Party { number, name: Some(name).filter(|name| !name.is_empty()) }
}

/// Names and values that stand one after the other.
pub(super) fn pairs(flat: Vec<String>) -> Vec<(String, String)> {
    let mut flat = flat.into_iter();
    std::iter::from_fn(|| Some((flat.next()?, flat.next()?))).collect()
}

/// What is played: a kind, and what of it; of a text its language too, if it is not the session's.
fn items(written: Vec<String>) -> std::result::Result<Vec<PlayItem>, String> {
    let mut parts = written.into_iter();
    let (Some(kind), Some(what)) = (parts.next(), parts.next()) else {
        return Err("an item is a kind and a name".to_owned());
    };
    let language = parts.next().filter(|language| !language.is_empty());
    Ok(vec![match (kind.as_str(), language) {
        ("tones", _) => return tone_script::items(&what),
        ("url", _) => PlayItem::File(SoundSource::Url(SoundUrl::read(&what)?)),
        ("prompt", _) => PlayItem::Prompt(what),
        (_, Some(language)) => PlayItem::TextIn { language, text: what },
        (_, None) => PlayItem::Text(what),
    }])
}
