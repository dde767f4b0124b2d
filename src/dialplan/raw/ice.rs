//! `[ice]`, as written.

use super::read::table;
use super::{RawDuration, RawSecret, Strings};

table! {
    /// `[ice]`.
    RawIce, "[ice]", later ["policy"],
    {
        /// STUN servers that browsers are told of, `stun:HOST` or `stun:HOST:PORT`. Default `[]`.
        stun: Strings = r#"["stun:stun.example.com"]"#,
        /// TURN servers that browsers are told of, for networks that let nothing else through: `turn:HOST`, or
        /// `turns:HOST:443?transport=tcp` by TLS. Default `[]`.
        turn: Strings = r#"["turn:turn.example.com", "turns:turn.example.com:443?transport=tcp"]"#,
        /// What the TURN servers share with us (coturn's `static-auth-secret`): each browser gets a password of its
        /// own, made of it, that ends by itself.
        turn_secret: RawSecret = r#"{ env = "TURN_SECRET" }"#,
        /// How long such a password lasts, 1m to 24h; a call that has begun with it goes on. Default `"12h"`.
        turn_lifetime: RawDuration = r#""12h""#,
    }
}
