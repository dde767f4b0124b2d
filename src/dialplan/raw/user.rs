//! `[users.*]`, as written.

use super::RawSecret;
use super::read::table;

table! {
    /// `[users.*]`.
    RawUser, "a user", later [],
    {
        /// What others are shown as the name of who calls. Default: none.
        display_name: String = r#""Alice Ashton""#,
        /// What the user's telephone or browser proves to know. This or `ha1` is required.
        password: RawSecret = r#"{ env = "ALICE_PASSWORD" }"#,
        /// Instead of the password its hashes, at most one for each algorithm: `SHA-256:…` (README tells how to make
        /// them).
        ha1: RawSecret = r#"{ env = "ALICE_HA1" }"#,
        /// Calls at one time, both directions, 1 to 1000. Default `4`.
        max_calls: i64 = "2",
    }
}
