//! Log, timers, texts and octets, hashes, time.

use super::*;

#[test]
fn logger_writes_anything_and_long_lines_are_cut() {
    assert_eq!(
        logs("Logger.write('a'); Logger.write(1); Logger.write(null); Logger.write({})"),
        r#""a"; "1"; "null"; "[object Object]""#
    );
    let long = logs("Logger.write('x'.repeat(5000))");
    assert_eq!(long, format!("\"{}…\"", "x".repeat(1024)));
    let many = logs("for (let i = 0; i < 150; i++) Logger.write(i)");
    assert!(many.ends_with("\"99\"; \"50 more lines at once are left out\""), "{many}");
    let mut quiet = silent(
        "function f() { Logger.write('later') } setTimeout; VoxEngine.addEventListener(AppEvents.CallAlerting, f)",
    );
    assert_eq!(quiet.tell(&incoming()), "\"later\"", "a turn's lines are its own");
}

#[test]
fn an_error_is_logged_with_its_place() {
    let said = logs("try { JSON.parse('{') } catch (err) { Logger.write(err) }");
    assert!(said.contains("SyntaxError") && said.contains("test.js:1:"), "{said}");
}

#[test]
fn timers_come_once_or_again_and_again_until_they_are_cleared() {
    let (mut running, said) = start(
        "setTimeout((a, b) => Logger.write(a + b), 1500, 'x', 'y');
         const tick = setInterval(() => Logger.write('tick'), 200);
         const never = setTimeout(() => Logger.write('never'), 10);
         clearTimeout(never); clearTimeout(never);
         setTimeout(() => clearInterval(tick), 5000);",
    );
    assert_eq!(said, "timer1 1500ms; timer2 200ms; timer3 10ms; clear3; timer4 5000ms");
    running.play(&[
        (timer(1), "\"xy\""),
        (timer(1), ""),
        (timer(2), "timer2 200ms; \"tick\""),
        (timer(3), ""),
        (timer(2), "timer2 200ms; \"tick\""),
        (timer(4), "clear2"),
        (timer(2), ""),
        (timer(99), ""),
    ]);
}

#[test]
fn a_timer_wants_a_function_and_a_sensible_time() {
    assert!(logs("setTimeout('code', 1)").contains("setTimeout: the callback is no function"));
    assert_eq!(
        logs("setTimeout(() => {}); setTimeout(() => {}, -5); setInterval(() => {}, 0); setTimeout(() => {}, 1e300)"),
        "timer1 0ms; timer2 0ms; timer3 10ms; timer4 0ms"
    );
}

#[test]
fn texts_and_octets_are_converted_both_ways() {
    for (expression, expected) in [
        ("base64_encode('héllo')", "\"aMOpbGxv\""),
        ("base64_encode([104, 105])", "\"aGk=\""),
        ("base64_decode('aMOpbGxv')", "\"héllo\""),
        ("str2bytes('hé')", "[104,195,169]"),
        ("str2bytes('hé', 'latin1')", "[104,233]"),
        ("bytes2str([104, 195, 169])", "\"hé\""),
        ("bytes2str(str2bytes('hé', 'ISO-8859-1'), 'ISO-8859-1')", "\"hé\""),
        ("hex2bytes('00ff')", "[0,255]"),
        ("bytes2hex([0, 255])", "\"00ff\""),
        ("bytes2hex([0, 255], true)", "\"00FF\""),
        ("bytes2hex(new Uint8Array([1, 2]))", "\"0102\""),
    ] {
        assert_eq!(value(expression), expected, "{expression}");
    }
    for (expression, error) in [
        ("hex2bytes('0')", "RangeError: these are no pairs of hex digits (test.js:1:"),
        ("base64_decode('?')", "RangeError: this is no base64 (test.js:1:"),
        ("str2bytes('a', 'klingon')", "RangeError: the encoding is unknown"),
        ("bytes2hex(5)", "TypeError: this takes a text or a list of octets (test.js:1:"),
    ] {
        assert!(logs(expression).starts_with(&format!("FAILED {error}")), "{expression}: {}", logs(expression));
    }
}

#[test]
fn crypto_engine_has_hashes_and_hmac() {
    for (expression, expected) in [
        ("CryptoEngine.md5('abc')", "900150983cd24fb0d6963f7d28e17f72"),
        ("CryptoEngine.sha1('abc')", "a9993e364706816aba3e25717850c26c9cd0d89d"),
        ("CryptoEngine.sha256([97, 98, 99])", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        ("CryptoEngine.hmac_sha1('Jefe', 'what do ya want for nothing?')", "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
        (
            "CryptoEngine.hmac_sha256('Jefe', 'what do ya want for nothing?')",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        ),
    ] {
        assert_eq!(value(expression), format!("\"{expected}\""), "{expression}");
    }
}

#[test]
fn random_numbers_follow_from_the_seed() {
    let first = value("[uuidgen(), Math.random(), uuidgen()]");
    assert_eq!(first, value("[uuidgen(), Math.random(), uuidgen()]"));
    let numbers: (String, f64, String) = serde_json::from_str(&first).unwrap();
    assert!(numbers.0 != numbers.2 && (0.0..1.0).contains(&numbers.1), "{first}");
    assert_eq!((numbers.0.len(), &numbers.0[14..15]), (36, "4"));
}

#[test]
fn the_time_is_that_of_the_event() {
    assert_eq!(value("[Date.now(), new Date().getTime(), new Date(5).getTime()]"), "[1700000000000,1700000000000,5]");
    assert_eq!(value("getLocalTime().toISOString()"), "\"2023-11-14T22:13:20.000Z\"");
    assert_eq!(value("getLocalTime('+02:00').toISOString()"), "\"2023-11-15T00:13:20.000Z\"");
    assert_eq!(value("getLocalTime(-60).toISOString()"), "\"2023-11-14T21:13:20.000Z\"");
    assert!(logs("getLocalTime('Europe/Paris')").contains("is no offset: docs/scenarios.md"));
    assert_eq!(value("new Date() instanceof Date"), "true");
}

#[test]
fn http_requests_are_asked_for_and_answered() {
    let (mut running, said) = start(
        "const show = (r) => Logger.write([r.code, r.text, r.data, JSON.stringify(r.headers), r.raw_headers, r.error]);
         Net.httpRequest('http://example.com/a?b=c', show);
         Net.httpRequestAsync('http://example.com/b', { method: 'put', postData: 'hé', headers: ['X-A: b', 'C:d'] }).then(show);
         Net.httpRequest('http://example.com/c', show, { postData: [1, 2], headers: { E: 'f' }, timeout: 5, connectionTimeout: 900 });",
    );
    assert_eq!(said, "GET http://example.com/a?b=c; PUT http://example.com/b; POST http://example.com/c");
    let headers = vec![("Content-Type".to_owned(), "text/plain".to_owned())];
    let found = Fetched { code: 200, headers, text: "hi".into(), body: b"hi".to_vec(), error: String::new() };
    let now = running.now;
    let mut answer = |id, fetched: &Fetched| short(&running.runtime.fetched(now, id, fetched));
    let shown = r#""200,hi,104,105,[{\"Content-Type\":\"text/plain\"}],Content-Type: text/plain,""#;
    assert_eq!(answer(2, &found), shown);
    let none = Fetched { code: 3, error: "there is no such host".into(), ..Fetched::default() };
    assert_eq!(answer(1, &none), r#""3,,,[],,there is no such host""#);
    assert_eq!(answer(1, &none), "", "an answer comes once");
}

#[test]
fn http_requests_bear_what_they_were_given() {
    let setup =
        Setup { session: String::new(), custom_data: String::new(), access: Default::default(), seed: Seed::fixed(7) };
    let mut runtime = Runtime::new(setup, Fuel::new(100)).unwrap();
    let script = Script::compile(
        "test.js",
        "Net.httpRequest('u', () => {}, { method: 'PUT', postData: 'hé', headers: ['X-A: b', 'C:d'], timeout: 5 })",
    );
    let turn = runtime.begin(now(), &script);
    let headers = [("X-A", "b"), ("C", "d")].map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let expected = Fetch {
        id: 1,
        url: "u".into(),
        method: "PUT".into(),
        headers,
        body: Some("hé".into()),
        timeout: 5,
        connect_timeout: 6,
    };
    assert_eq!(turn.fetches, [expected]);
    for (wrong, error) in [
        ("Net.httpRequest('u')", "TypeError: httpRequest: the callback is no function"),
        ("Net.httpRequest('u', () => {}, { method: 'BREW' })", "RangeError: httpRequest: BREW is no method"),
        ("Net.httpRequest('u', () => {}, { headers: ['x'] })", "TypeError: httpRequest: x is no header"),
        ("Net.sendMail()", "ReferenceError: Net.sendMail does not exist here"),
    ] {
        assert!(logs(wrong).starts_with(&format!("FAILED {error}")), "{wrong}: {}", logs(wrong));
    }
    let many = logs("for (let i = 0; i < 21; i++) Net.httpRequest('u', (r) => Logger.write(r.code + r.error))");
    assert!(many.ends_with("GET u; \"1more than 20 requests at once\""), "{many}");
}

#[test]
fn a_request_is_answered_with_what_the_listener_returns() {
    let answer = |listener: &str| {
        let (mut running, _) = start(&format!("VoxEngine.addEventListener(AppEvents.HttpRequest, {listener})"));
        let request = HttpRequest { method: "POST".into(), path: "/sessions/k/a?b=c".into(), content: "hello".into() };
        let (turn, answer) = running.runtime.requested(running.now, &request);
        (short(&turn), answer)
    };
    let some = |text: &str| (String::new(), Some(text.to_owned()));
    assert_eq!(
        answer("(e) => [e.name, e.method, e.path, e.content].join()"),
        some("Application.HttpRequest,POST,/sessions/k/a?b=c,hello")
    );
    assert_eq!(answer("() => ({ a: [1] })"), some("{\"a\":[1]}"));
    assert_eq!(answer("() => 5"), some("5"));
    assert_eq!(answer("() => {}"), some(""));
    assert_eq!(answer("async () => 'late'"), some(""));
    assert_eq!(
        answer("() => 'first'); VoxEngine.addEventListener(AppEvents.HttpRequest, () => 'second'"),
        some("second")
    );
    let told = "\"HttpRequest: the answer is longer than 65536 characters\"".to_owned();
    assert_eq!(answer("() => 'x'.repeat(65537)"), (told, Some(String::new())));
    assert_eq!(answer("() => 5); VoxEngine.removeEventListener(AppEvents.HttpRequest"), (String::new(), None));
    let (said, nothing) = answer("() => { throw new Error('mine') }");
    assert!(said.starts_with("FAILED Error: mine (test.js:1:") && nothing.is_none(), "{said}");
}
