use std::{
    fmt,
    hash::{Hash, Hasher},
};

/// A header name this program has no word for: kept as written, compared without regard to case.
#[derive(Clone, Debug)]
pub struct OtherName(Box<str>);

impl OtherName {
    /// The name as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl PartialEq for OtherName {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for OtherName {}

impl Hash for OtherName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for byte in self.0.bytes() {
            state.write_u8(byte.to_ascii_lowercase());
        }
        state.write_u8(0xff);
    }
}

macro_rules! header_names {
    ($($variant:ident $name:literal $($compact:literal)?),* $(,)?) => {
        /// A header field's name (RFC 3261 section 20 and the extensions in use). Compact forms are the same name.
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        pub enum HeaderName {
            $(#[doc = concat!("`", $name, "`")] $variant,)*
            /// Any other name; make it with [`HeaderName::from`], so that no known name hides in here.
            Other(OtherName),
        }

        impl HeaderName {
            /// The name as this program writes it: the long form.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $name,)*
                    Self::Other(other) => other.as_str(),
                }
            }
        }

        static KNOWN: &[HeaderName] = &[$(HeaderName::$variant),*];

        const NAMES: &[&str] = &[$($name),*];

        fn compact(letter: u8) -> Option<HeaderName> {
            let name = match letter.to_ascii_lowercase() {
                $($($compact => HeaderName::$variant,)?)*
                _ => return None,
            };
            Some(name)
        }
    };
}

header_names! {
    Accept "Accept",
    AcceptContact "Accept-Contact" b'a',
    AcceptEncoding "Accept-Encoding",
    AcceptLanguage "Accept-Language",
    AlertInfo "Alert-Info",
    Allow "Allow",
    AllowEvents "Allow-Events" b'u',
    AuthenticationInfo "Authentication-Info",
    Authorization "Authorization",
    CallId "Call-ID" b'i',
    CallInfo "Call-Info",
    Contact "Contact" b'm',
    ContentDisposition "Content-Disposition",
    ContentEncoding "Content-Encoding" b'e',
    ContentLanguage "Content-Language",
    ContentLength "Content-Length" b'l',
    ContentType "Content-Type" b'c',
    CSeq "CSeq",
    Date "Date",
    Diversion "Diversion",
    ErrorInfo "Error-Info",
    Event "Event" b'o',
    Expires "Expires",
    From "From" b'f',
    HistoryInfo "History-Info",
    Identity "Identity" b'y',
    InReplyTo "In-Reply-To",
    InfoPackage "Info-Package",
    Join "Join",
    MaxForwards "Max-Forwards",
    MimeVersion "MIME-Version",
    MinExpires "Min-Expires",
    MinSe "Min-SE",
    Organization "Organization",
    PAccessNetworkInfo "P-Access-Network-Info",
    PAssertedIdentity "P-Asserted-Identity",
    PAssociatedUri "P-Associated-URI",
    PCalledPartyId "P-Called-Party-ID",
    PPreferredIdentity "P-Preferred-Identity",
    Path "Path",
    Priority "Priority",
    Privacy "Privacy",
    ProxyAuthenticate "Proxy-Authenticate",
    ProxyAuthenticationInfo "Proxy-Authentication-Info",
    ProxyAuthorization "Proxy-Authorization",
    ProxyRequire "Proxy-Require",
    RAck "RAck",
    RSeq "RSeq",
    Reason "Reason",
    RecordRoute "Record-Route",
    RecvInfo "Recv-Info",
    ReferSub "Refer-Sub",
    ReferTo "Refer-To" b'r',
    ReferredBy "Referred-By" b'b',
    RemotePartyId "Remote-Party-ID",
    Replaces "Replaces",
    ReplyTo "Reply-To",
    Require "Require",
    RetryAfter "Retry-After",
    Route "Route",
    Server "Server",
    ServiceRoute "Service-Route",
    SessionExpires "Session-Expires" b'x',
    Subject "Subject" b's',
    SubscriptionState "Subscription-State",
    Supported "Supported" b'k',
    Timestamp "Timestamp",
    To "To" b't',
    Unsupported "Unsupported",
    UserAgent "User-Agent",
    Via "Via" b'v',
    WwwAuthenticate "WWW-Authenticate",
    Warning "Warning",
    RejectContact "Reject-Contact" b'j',
    RequestDisposition "Request-Disposition" b'd',
}

const SLOTS: usize = 512;

/// Where a name of this shape is looked for first: its length, first and last letter, mixed.
const fn slot(name: &[u8]) -> usize {
    let length = name.len();
    let first = (name[0] | 0x20) as usize;
    let last = (name[length - 1] | 0x20) as usize;
    let middle = (name[length / 2] | 0x20) as usize;
    (length * 31 + first * 7 + last * 59 + middle * 131) % SLOTS
}

/// Index into `NAMES` plus one, by `slot` with linear probing; 0 is free.
const TABLE: [u8; SLOTS] = {
    let mut table = [0u8; SLOTS];
    let mut index = 0;
    while index < NAMES.len() {
        let mut at = slot(NAMES[index].as_bytes());
        while table[at] != 0 {
            at = (at + 1) % SLOTS;
        }
        table[at] = index as u8 + 1;
        index += 1;
    }
    table
};

impl HeaderName {
    /// The name that these bytes spell, in any case and in long or compact form; `None` if they are no token.
    pub fn from_wire(name: &[u8]) -> Option<Self> {
        if let [letter] = name
            && let Some(known) = compact(*letter)
        {
            return Some(known);
        }
        if name.is_empty() {
            return None;
        }
        // Known names are tokens: only one that is not known has to be looked at for that.
        let mut at = slot(name);
        while let Some(index) = TABLE[at].checked_sub(1) {
            let index = usize::from(index);
            let known = NAMES[index].as_bytes();
            // Nearly all are written as here.
            if known == name || known.eq_ignore_ascii_case(name) {
                return KNOWN.get(index).cloned();
            }
            at = (at + 1) % SLOTS;
        }
        if !super::charset::is_token_text(name) {
            return None;
        }
        let name = std::str::from_utf8(name).expect("a token is ASCII");
        Some(Self::Other(OtherName(name.into())))
    }
}

impl From<&str> for HeaderName {
    /// The name written `name`. Characters that no header name may have are left out.
    fn from(name: &str) -> Self {
        Self::from_wire(name.as_bytes()).unwrap_or_else(|| {
            let token: String = name.chars().filter(|c| c.is_ascii() && super::charset::is_token(*c as u8)).collect();
            Self::Other(OtherName(if token.is_empty() { "X-Unnamed".into() } else { token.into() }))
        })
    }
}

impl fmt::Display for HeaderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_name_is_found_in_any_case() {
        for name in NAMES {
            let found = HeaderName::from(*name);
            assert_eq!(found.as_str(), *name);
            assert_eq!(HeaderName::from(name.to_uppercase().as_str()), found);
            assert_eq!(HeaderName::from(name.to_lowercase().as_str()), found);
            assert!(!matches!(found, HeaderName::Other(_)));
        }
    }

    #[test]
    fn compact_forms_are_the_long_names() {
        for (short, long) in [("v", "Via"), ("F", "From"), ("l", "Content-Length"), ("x", "Session-Expires")] {
            assert_eq!(HeaderName::from(short), HeaderName::from(long));
        }
    }

    #[test]
    fn other_names_keep_their_writing_and_compare_without_case() {
        let name = HeaderName::from("X-mixed-CASE");
        assert_eq!(name.as_str(), "X-mixed-CASE");
        assert_eq!(name, HeaderName::from("x-Mixed-Case"));
    }

    #[test]
    fn only_tokens_are_names() {
        assert_eq!(HeaderName::from_wire(b"Foo Bar"), None);
        assert_eq!(HeaderName::from_wire(b""), None);
        assert_eq!(HeaderName::from("bad\r\nname").as_str(), "badname");
    }
}
