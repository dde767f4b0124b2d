//! Texts that outlive the session.

use super::*;
use crate::session::{StorageAnswer, StorageHandle, StoredText};

fn stored(request: u32, outcome: Result<StorageAnswer, String>) -> Event {
    Event::Stored { request: StorageHandle(request), outcome }
}

fn text() -> StorageAnswer {
    let until = UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    StorageAnswer::Text(Some(StoredText { key: "a".into(), value: "b".into(), until }))
}

#[test]
fn each_request_is_a_promise_of_what_the_database_says() {
    let found = r#"{"key":"a","value":"b","expireAt":1800000000}"#;
    let keys = StorageAnswer::Keys(vec!["a".into(), "b".into()]);
    for (code, verb, answer, shown) in [
        ("put('a', 'b', 60)", r#"Put { key: "a", value: "b", keep: 60s }"#, text(), found),
        ("get('a')", r#"Get { key: "a" }"#, text(), found),
        ("get('a')", r#"Get { key: "a" }"#, StorageAnswer::Text(None), "null"),
        ("remove('a')", r#"Remove { key: "a" }"#, text(), found),
        ("keys('a*')", r#"Keys { pattern: "a*" }"#, keys.clone(), r#"{"keys":["a","b"]}"#),
        ("keys()", r#"Keys { pattern: "*" }"#, keys, r#"{"keys":["a","b"]}"#),
    ] {
        let (mut running, said) = start(&format!(
            "require(Modules.ApplicationStorage);
             ApplicationStorage.{code}.then((found) => Logger.write(JSON.stringify(found)))"
        ));
        assert_eq!(said, format!("store1 {verb}"), "{code}");
        assert_eq!(running.tell(&stored(1, Ok(answer.clone()))), format!("{shown:?}"), "{code}");
        assert_eq!(running.tell(&stored(1, Ok(answer))), "", "told once");
    }
}

#[test]
fn what_cannot_be_kept_is_an_error_that_can_be_caught() {
    let (mut running, _) = start("ApplicationStorage.get('').catch((e) => Logger.write(e.message))");
    let why = || Err("a key has 1 to 200 characters".to_owned());
    assert_eq!(running.tell(&stored(1, why())), "\"ApplicationStorage: a key has 1 to 200 characters\"");
    let (mut running, _) = start("ApplicationStorage.get('')");
    let said = running.tell(&stored(1, why()));
    assert!(said.starts_with("FAILED a promise was rejected: Error: ApplicationStorage: a key has"), "{said}");
    let said = logs("ApplicationStorage.put('a', 'b')");
    assert!(said.starts_with("FAILED RangeError: ApplicationStorage.put: undefined is no number"), "{said}");
}
