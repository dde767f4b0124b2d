//! Who calls: what of a peer's claims is believed (RFC 3325), and what we claim to a peer. Pure functions.

use crate::dialplan::number::NumberRules;
use crate::dialplan::{FromUser, IdentityHeader, Trunk};
use crate::session::Party;
use crate::sip::message::{HeaderName as H, Headers, Host, NameAddr, Request, Scheme, Uri};

/// The longest display name that is taken over, in characters.
const LONGEST_NAME: usize = 64;

/// Who calls, as far as it may be told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Caller {
    /// What sessions, records and rooms see; empty when withheld.
    pub party: Party,
    /// Whether the caller asked not to be shown (RFC 3323), or said nothing.
    pub withheld: bool,
    /// The number of a caller who is not to be shown, where a trusted peer asserts it all the same (RFC 3325 section
    /// 9.3): to tell callers apart, and for nobody's eyes.
    pub hidden_number: Option<String>,
    /// The number that was called before the call was forwarded to us, if a trusted peer says so.
    pub diverted_from: Option<String>,
}

/// What of a request's headers may go on from a peer. Of one that is not trusted, nothing that claims an identity or
/// that we have no word for: names are compared as the parser understood them, however they were written.
pub fn believed(headers: &Headers, trusted: bool) -> Headers {
    let mut believed = headers.clone();
    if !trusted {
        believed.retain(|name, _| {
            !matches!(
                name,
                H::PAssertedIdentity
                    | H::PPreferredIdentity
                    | H::PAssociatedUri
                    | H::PAccessNetworkInfo
                    | H::RemotePartyId
                    | H::Diversion
                    | H::HistoryInfo
                    | H::Identity
                    | H::ReferredBy
                    | H::ReplyTo
                    | H::CallInfo
                    | H::AlertInfo
                    | H::Organization
                    | H::Other(_)
            )
        });
    }
    believed
}

/// Most extension headers that are handed on, and octets of each.
const EXTENSIONS: usize = 32;
const LONGEST_EXTENSION: usize = 1_024;

/// A request's `X-` headers, names and values as written. What is no text is left out.
pub fn extensions(headers: &Headers) -> Vec<(String, String)> {
    let named = headers.iter().filter(|(name, _)| is_extension(name.as_str()));
    let text = |value: &bytes::Bytes| std::str::from_utf8(value).ok().map(|text| text.trim().to_owned());
    let whole = named.filter_map(|(name, value)| Some((name.as_str().to_owned(), text(value)?)));
    whole.filter(|(_, value)| is_extension_value(value)).take(EXTENSIONS).collect()
}

/// Those of these headers that may go on as they are, most of the first.
pub fn only_extensions(headers: Vec<(String, String)>) -> Vec<(String, String)> {
    let may_go = |(name, value): &(String, String)| is_extension(name) && is_extension_value(value);
    headers.into_iter().filter(may_go).take(EXTENSIONS).collect()
}

/// The same as headers of a request of ours.
pub fn extensions_to(headers: Vec<(String, String)>) -> Headers {
    let mut extensions = Headers::new();
    for (name, value) in only_extensions(headers) {
        extensions.push(H::from(name.as_str()), value);
    }
    extensions
}

/// Whether a header of that name says what only its users understand.
fn is_extension(name: &str) -> bool {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    name.len() <= 64 && name.get(..2).is_some_and(|x| x.eq_ignore_ascii_case("x-")) && name.bytes().all(is_token)
}

/// Whether such a header may have this value.
fn is_extension_value(value: &str) -> bool {
    value.len() <= LONGEST_EXTENSION && !value.chars().any(char::is_control)
}

/// Who calls by `request`. What asks for privacy is honoured whoever says it.
pub fn caller(request: &Request, trusted: bool, numbers: &NumberRules) -> Caller {
    let headers = believed(&request.headers, trusted);
    let asserted = parsed(&headers, &H::PAssertedIdentity);
    let remote = parsed(&headers, &H::RemotePartyId)
        .into_iter()
        .find(|remote| remote.params.get("party").is_none_or(|party| party.eq_ignore_ascii_case("calling")));
    let diverted_from = parsed(&headers, &H::Diversion).first().map(|first| number(&first.uri, numbers));
    let hidden = wants_privacy(&headers) || remote.as_ref().is_some_and(hides);
    // A tel URI and a SIP URI may both be asserted: the one that is a number serves better.
    let is_number = |identity: &&NameAddr| number(&identity.uri, numbers).starts_with('+');
    let asserted = asserted.iter().find(is_number).or(asserted.first()).cloned();
    let is_asserted = trusted && (asserted.is_some() || remote.is_some());
    let identity = asserted.or(remote).or_else(|| request.from().ok());
    let shown = identity.clone().filter(|identity| !hidden && !is_anonymous(identity));
    let Some(identity) = shown else {
        // From is the caller's own word, be the peer trusted or not.
        let hidden_number = identity
            .filter(|identity| is_asserted && !is_anonymous(identity))
            .map(|identity| number(&identity.uri, numbers))
            .filter(|number| !number.is_empty());
        return Caller { party: Party::default(), withheld: true, hidden_number, diverted_from };
    };
    let name = identity
        .display
        .as_ref()
        .or(request.from().ok().as_ref().and_then(|from| from.display.as_ref()))
        .map(|name| name.chars().filter(|letter| !letter.is_control()).take(LONGEST_NAME).collect::<String>());
    let party = Party { number: number(&identity.uri, numbers), name: name.filter(|name| !name.is_empty()) };
    Caller { party, withheld: false, hidden_number: None, diverted_from }
}

/// What a call to a trunk says of who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// From, without a tag.
    pub from: NameAddr,
    /// P-Asserted-Identity or P-Preferred-Identity, Privacy and Diversion, as the trunk wants them.
    pub headers: Headers,
}

/// What a call to `trunk` says of who calls. `caller` is who called us, where a call is forwarded; `called` the number
/// of ours that was called then. `host` is the trunk's domain. `withheld` hides us (RFC 3323, RFC 3325 section 9.3):
/// the trunk still learns the number where it has a header for it.
pub fn claims(
    trunk: &Trunk,
    numbers: &NumberRules,
    caller: Option<&Caller>,
    called: Option<&str>,
    host: &Host,
    withheld: bool,
) -> Claims {
    let policy = trunk.identity;
    let address = |user: &str| NameAddr::new(Uri::sip(Some(user), host.clone(), None));
    let forwarded = caller.filter(|_| policy.show_caller);
    let withheld = withheld || forwarded.is_some_and(|caller| caller.withheld);
    let shown = forwarded.filter(|caller| caller.party.number.starts_with('+')).map(|caller| &caller.party);
    let written = |number: &str| numbers.written(number, policy.format);
    let number = shown.map(|party| party.number.as_str()).or(trunk.caller_id.as_deref()).map(written);
    let mut headers = Headers::new();
    let header = match policy.header {
        IdentityHeader::From => None,
        IdentityHeader::Asserted => Some(H::PAssertedIdentity),
        IdentityHeader::Preferred => Some(H::PPreferredIdentity),
    };
    if let (Some(header), Some(number)) = (header, &number) {
        headers.push_display(header, &address(number));
    }
    if withheld {
        headers.push(H::Privacy, "id");
    }
    if let Some(called) = called.filter(|called| policy.diversion && called.starts_with('+')) {
        let mut diversion = address(&written(called));
        diversion.params.set("reason", "unconditional");
        headers.push_display(H::Diversion, &diversion);
    }
    let username = trunk.username.as_deref();
    let user = match policy.from {
        FromUser::Username => username.or(number.as_deref()),
        FromUser::Number => number.as_deref().or(username),
    };
    let from = match user {
        Some(user) if policy.from == FromUser::Username && username.is_some() => address(user),
        _ if withheld => NameAddr::new(Uri::sip(Some("anonymous"), Host::Name("anonymous.invalid".into()), None))
            .with_display("Anonymous"),
        Some(user) => match shown.and_then(|party| party.name.as_deref()) {
            Some(name) => address(user).with_display(name),
            None => address(user),
        },
        None => NameAddr::new(Uri::sip(None, host.clone(), None)),
    };
    Claims { from, headers }
}

/// All addresses in the headers of this name; what cannot be read, or is neither SIP nor tel, is left out.
fn parsed(headers: &Headers, name: &H) -> Vec<NameAddr> {
    let read = headers.values(name).filter_map(|value| NameAddr::parse(&value).ok());
    read.filter(|address| matches!(address.uri.scheme, Scheme::Sip | Scheme::Sips | Scheme::Tel)).take(4).collect()
}

fn number(uri: &Uri, numbers: &NumberRules) -> String {
    // With its parameters: a local tel number is completed by its context. A host alone is no number.
    if uri.user.is_none() { String::new() } else { numbers.normalise(&uri.to_string()) }
}

/// RFC 3323 section 4.2, RFC 3325 section 9.3.
fn wants_privacy(headers: &Headers) -> bool {
    let hiding = |value: &str| ["id", "user", "full"].iter().any(|word| value.trim().eq_ignore_ascii_case(word));
    headers.values(&H::Privacy).any(|value| String::from_utf8_lossy(&value).split(';').any(hiding))
}

/// Remote-Party-ID's own way.
fn hides(remote: &NameAddr) -> bool {
    remote.params.get("privacy").is_some_and(|privacy| !privacy.eq_ignore_ascii_case("off"))
}

fn is_anonymous(identity: &NameAddr) -> bool {
    let user = identity.uri.user_decoded().unwrap_or_default();
    let nobody = ["", "anonymous", "restricted", "unavailable", "unknown"];
    nobody.iter().any(|word| user.eq_ignore_ascii_case(word))
        || identity.uri.host.to_string().eq_ignore_ascii_case("anonymous.invalid")
}

#[cfg(test)]
#[path = "identity_tests.rs"]
mod tests;
