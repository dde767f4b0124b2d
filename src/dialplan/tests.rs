//! The dialplan as a whole: files in, plans and diagnostics out.

use super::*;

#[test]
fn probe() {
    let text = "[gateway]\nsip = \"udp://127.0.0.1:5060\"\n[trunks.a]\nallow = \"127.0.0.1\"\n[[routes]]\nname = \"x\"\nfrm = \"b\"\n";
    match parse("dialplan.toml", text, &Trusting) {
        Ok(loaded) => panic!("{loaded:?}"),
        Err(found) => println!("{found}"),
    }
}
