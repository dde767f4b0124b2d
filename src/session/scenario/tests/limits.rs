//! Whoever takes more than there is, throws, or leaves a promise rejected, is over; with the place.

use super::*;

#[track_caller]
fn fails(source: &str, with: &str) {
    let (mut running, said) = start(source);
    assert!(said.starts_with(&format!("FAILED {with}")), "{source}: {said}");
    assert_eq!(running.tell(&incoming()), "", "whoever is over says nothing more");
}

#[test]
fn a_loop_ends_whatever_it_catches() {
    for source in [
        "while (true) {}",
        "while (true) { try { while (true) {} } catch (e) {} finally { while (true) {} } }",
        "for (const x of (function* () { try { while (true) yield 1 } finally { while (true) {} } })()) {}",
        "(async () => { try { while (true) {} } finally { while (true) {} } })()",
        "(async () => { await null; while (true) {} })()",
        "(function f() { Promise.resolve().then(f); while (true) {} })()",
        "/(a+)+$/.test('a'.repeat(40) + 'b')",
        "'a'.replace(/a/, function () { while (true) {} })",
        "[1, 2].sort(() => { while (true) {} })",
        "JSON.parse('[1]', () => { while (true) {} })",
        "new Proxy({}, { get() { while (true) {} } }).x",
        "let s = 'x'; while (true) { try { s += s } catch (e) {} }",
        "Error.prepareStackTrace = () => { while (true) {} }; null.x",
    ] {
        let (_, said) = start(source);
        assert!(said.starts_with("FAILED a callback took longer than a second"), "{source}: {said}");
    }
    fails("while (true) {}", "a callback took longer than a second (test.js:1:");
}

#[test]
fn promises_that_never_end_end() {
    fails("(function f() { Promise.resolve().then(f) })()", "a callback led to more than 100,000 jobs of promises");
}

#[test]
fn memory_has_an_end_whatever_is_caught() {
    for source in [
        "const a = []; while (true) a.push(new Array(1000).fill(0))",
        "const a = []; while (true) { try { a.push('x'.repeat(100000) + a.length) } catch (e) {} }",
        "const a = []; while (true) { try { a.push({ a: {} }) } catch (e) {} }",
        "new Uint8Array(100 << 20)",
        "try { new Uint8Array(100 << 20) } catch (e) {}",
        "const a = []; (async () => { while (true) { await null; a.push(new Array(10000).fill(1)) } })()",
        "class A { b = [1, 2, 3] }; const m = new Map(); for (let i = 0; ; i++) m.set(i, new A())",
    ] {
        let (running, said) = start(source);
        assert!(said.starts_with("FAILED it uses more than 16 MB of memory"), "{source}: {said}");
        assert!(running.runtime.memory() < 40 << 20, "{source}: {}", running.runtime.memory());
    }
}

#[test]
fn garbage_is_no_memory() {
    assert_eq!(logs("for (let i = 0; i < 100000; i++) { const a = {}; a.a = a; } Logger.write('done')"), "\"done\"");
}

#[test]
fn recursion_is_an_error_like_another() {
    fails("(function f() { f() })()", "RangeError: Maximum call stack size exceeded (test.js:1:");
    assert_eq!(logs("try { (function f() { f() })() } catch (e) { Logger.write('caught') }"), "\"caught\"");
    fails("let o = []; for (let i = 0; i < 1e5; i++) o = [o]; JSON.stringify(o)", "");
}

#[test]
fn a_hundred_timers_are_enough() {
    let (_, said) = start("for (let i = 0; i < 100; i++) setTimeout(() => {}, 1000)");
    assert!(said.ends_with("timer100 1000ms"), "{said}");
    fails("for (let i = 0; i < 1000; i++) setTimeout(() => {}, 1000)", "more than 100 timers");
}

#[test]
fn a_callback_asks_for_a_thousand_things_at_most() {
    fails("for (let i = 0; i < 2000; i++) VoxEngine.createConference()", "a callback asked for more than 1,000 things");
}

#[test]
fn a_source_has_256_k_characters_at_most() {
    let long = format!("//{}", "é".repeat(256 * 1024 - 2));
    assert_eq!(logs(&long), "");
    fails(&format!("{long}é"), "test.js is longer than 262144 characters");
}

#[test]
fn what_is_thrown_ends_the_session_with_its_place() {
    fails("\nnull.x", "TypeError: cannot read property 'x' of null (test.js:2:");
    fails("var a = 1;\n  throw new Error('mine')", "Error: mine (test.js:2:");
    fails("throw 'words'", "\"words\" was thrown");
    fails("throw { get message() { while (true) {} } }", "a value of type object was thrown");
    fails("nobody()", "ReferenceError: nobody is not defined (test.js:1:");
    fails("var a = ;", "SyntaxError: ");
    fails("VoxEngine.createConference(); throw new Error('x')", "Error: x");
    let mut running =
        silent("VoxEngine.addEventListener(AppEvents.CallAlerting, (e) => {\n  e.call.answer();\n  e.call.fly();\n})");
    assert_eq!(running.tell(&incoming()), "FAILED TypeError: not a function (test.js:3:10)");
}

#[test]
fn a_rejection_that_nobody_catches_ends_the_session() {
    fails("(async () => { throw new Error('late') })()", "a promise was rejected: Error: late (test.js:1:");
    fails("Promise.reject(5)", "a promise was rejected: 5 was thrown");
    fails("const p = Promise.reject(1); new Promise((f) => f()).then(() => { null.x })", "a promise was rejected");
    assert_eq!(logs("(async () => { throw new Error('late') })().catch(() => Logger.write('caught'))"), "\"caught\"");
    assert_eq!(
        logs("const p = Promise.reject(5); (async () => { try { await p } catch { Logger.write('late') } })()"),
        "\"late\""
    );
}

#[test]
fn an_await_goes_on_within_the_callback() {
    assert_eq!(
        logs("(async () => { await null; Logger.write(1); await 5; Logger.write(2) })(); Logger.write(0)"),
        r#""0"; "1"; "2""#
    );
}

#[test]
fn scripts_are_checked_without_being_run() {
    let fault = |source: &str| Script::compile("a.js", source).fault().cloned();
    assert_eq!(fault("while (true) {}"), None);
    assert_eq!(fault("var a; a = 1; function f() { return a } undeclared = 5"), None);
    for (source, place) in
        [("var a = ;", "a.js:1:9"), ("var a;\n\nfunction ( {}", "a.js:3:10"), ("let a;\nlet a;", "a.js:2:6")]
    {
        let fault = fault(source).unwrap();
        assert!(fault.to_string().ends_with(&format!("({place})")), "{source}: {fault}");
        assert!(fault.what.starts_with("SyntaxError"), "{fault}");
    }
    assert!(fault(&" ".repeat(256 * 1024 + 1)).is_some());
    assert!(fault("a\0b").is_some());
}

#[test]
fn the_object_model_is_made_however_long_that_takes() {
    let setup =
        Setup { session: "s1".into(), custom_data: String::new(), access: Default::default(), seed: Seed::fixed(1) };
    let mut runtime = Runtime::new(setup, Fuel::new(0)).unwrap();
    let said = short(&runtime.begin(now(), &Script::compile("test.js", "while (true) {}")));
    assert!(said.starts_with("FAILED a callback took longer than a second (test.js:1:"), "{said}");
}

#[test]
fn sessions_share_a_script_that_knows_its_places_and_not_its_text() {
    let script = Script::compile(
        "shared.js",
        "var n = 0;\nfunction count() { n += 1; if (n > 1) throw new Error(n); }\ncount();\n\
         VoxEngine.addEventListener(AppEvents.CallAlerting, () => count());\nLogger.write(count.toString().includes('throw'))",
    );
    for session in ["s1", "s2"] {
        let setup = Setup {
            session: session.into(),
            custom_data: String::new(),
            access: Default::default(),
            seed: Seed::fixed(1),
        };
        let mut runtime = Runtime::new(setup, Fuel::new(100)).unwrap();
        assert_eq!(short(&runtime.begin(now(), &script)), r#""false""#, "each counts for itself");
        assert_eq!(short(&runtime.handle(now(), &incoming())), "FAILED Error: 2 (shared.js:2:55)");
    }
}

/// Of the engine's own code, in which nothing asks whether a script is to be stopped.
#[test]
fn what_loops_in_the_engine_ends_as_any_loop() {
    let holes = "new Array(2 ** 32 - 1)";
    let endless = "{ length: 2 ** 53 - 1 }";
    let methods = [
        "indexOf(1)",
        "lastIndexOf(1)",
        "includes(1)",
        "join('')",
        "fill(1, 2 ** 40)",
        "reverse()",
        "sort()",
        "copyWithin(1, 0)",
        "concat([])",
        "slice(1)",
        "splice(1, 1)",
        "flat()",
        "flatMap((x) => x)",
        "shift()",
        "unshift(1)",
        "every(() => true)",
        "forEach(() => 0)",
        "map((x) => x)",
        "filter(() => 1)",
        "reduce((a) => a)",
        "reduceRight((a) => a)",
        "find((x) => x === 1)",
        "findLastIndex((x) => x === 1)",
        "toReversed()",
        "toSorted()",
        "toSpliced(0, 1)",
        "with(0, 1)",
        "toLocaleString()",
        "toString()",
    ];
    let lists = methods.iter().flat_map(|method| {
        let (name, rest) = method.split_once('(').unwrap();
        let call = |list: &str| format!("Array.prototype.{name}.call({list}, {rest}").replace(", )", ")");
        // What is only said to be long has no text of its own.
        let like = (name != "toString").then(|| call(endless));
        [Some(call(holes)), like].into_iter().flatten()
    });
    let others = [
        format!("[].concat({holes})"),
        format!("[{holes}].flat()"),
        format!("[0].flatMap(() => {holes})"),
        format!("String({holes})"),
        format!("new Set({holes})"),
        format!("new Set([].keys.call({endless}))"),
        format!("[].values.call({endless}).drop(2 ** 50).next()"),
        format!("for (const x of {holes});"),
        format!("const [...all] = {holes}"),
        format!("Array.from({endless})"),
        format!("JSON.stringify({holes})"),
        "'x'.repeat(8e6).indexOf('x'.repeat(4e6) + 'y')".into(),
        "'x'.repeat(8e6).split('x'.repeat(4e6) + 'y')".into(),
        "'x'.repeat(8e6).replaceAll('x'.repeat(4e6) + 'y', '')".into(),
        "'x'.repeat(2 ** 30)".into(),
        "'x'.padEnd(2 ** 30)".into(),
        "'\\u0301\\u0300'.repeat(1e6).normalize()".into(),
    ];
    for source in lists.chain(others) {
        // With a length that the language refuses it is an error like another.
        let (mut running, said) = start(&format!("(() => {{ {source} }})()"));
        let ends = ["a callback took longer", "it uses more than 16 MB", "RangeError", "TypeError"];
        assert!(ends.iter().any(|end| said.starts_with(&format!("FAILED {end}"))), "{source}: {said}");
        assert_eq!(running.tell(&incoming()), "", "{source}");
    }
}

#[test]
fn what_is_guarded_does_what_it_did() {
    for (expression, expected) in [
        ("[1, [2, [3, [4]]]].flat()", "[1,2,[3,[4]]]"),
        ("[1, [2, [3, [4]]]].flat(Infinity)", "[1,2,3,4]"),
        ("[1, [2]].flat(0)", "[1,[2]]"),
        ("[1, , 2].flat().length", "2"),
        ("[1, 2].flatMap((x, at, all) => [x, [at, all.length]])", "[1,[0,2],2,[1,2]]"),
        ("[3, 1, 2].sort()", "[1,2,3]"),
        ("[3, 1, 2].toSorted((a, b) => b - a)", "[3,2,1]"),
        ("[1].concat(2, [3, [4]])", "[1,2,3,[4]]"),
        ("[1, 2, 3].splice(1, 1)", "[2]"),
        ("[1, 2].join('-') + [3, 4]", "\"1-23,4\""),
        ("new Array(3).fill(7)", "[7,7,7]"),
        ("[...new Set([1, 1, 2])]", "[1,2]"),
        ("[new Set() instanceof Set, new Set('aab').size, [...new Set([1]).union(new Set([2]))]]", "[true,2,[1,2]]"),
        ("[...new Set([1, 2, 3]).intersection(new Set([3, 2]))]", "[3,2]"),
        ("[...new Set([1, 2]).intersection(new Map([[2, 0], [1, 0], [3, 0]]))]", "[1,2]"),
        ("[...new Set([1, 2]).difference(new Set([2, 3]))]", "[1]"),
        ("[...new Set([1, 2]).symmetricDifference(new Set([2, 3]))]", "[1,3]"),
        ("[new Set([1]).isSubsetOf(new Set([1, 2])), new Set([1, 3]).isSubsetOf(new Set([1, 2]))]", "[true,false]"),
        ("[new Set([1, 2]).isSupersetOf(new Set([1])), new Set([1]).isSupersetOf(new Set([2]))]", "[true,false]"),
        ("[new Set([1]).isDisjointFrom(new Set([2])), new Set([1]).isDisjointFrom(new Set([1]))]", "[true,false]"),
        (
            "(() => { try { return new Set().union([1]) } catch (e) { return e.message } })()",
            "\"this takes a Set or a Map\"",
        ),
        ("[...[1, 2, 3, 4].values().drop(1).take(2)]", "[2,3]"),
        ("'abcabc'.indexOf('c', 3) + 'abc'.replace(/b/, 'x') + 'a,b'.split(',')", "\"5axca,b\""),
        ("'abc'.replaceAll('b', (found) => found + found)", "\"abbc\""),
        ("'e\\u0301'.normalize('NFC').length", "1"),
        ("[].join.name + [].sort.name", "\"joinsort\""),
        ("Object.keys([].concat([])).length", "0"),
    ] {
        assert_eq!(value(expression), expected, "{expression}");
    }
}

/// Makes `table` a new one of the names of events each time.
const TABLES: &str = "const names = Object.getPrototypeOf(globalThis);
    const table = () => { delete names.AppEvents; return AppEvents; };";

#[test]
fn what_stands_behind_a_table_is_the_scripts_to_change_and_is_not_asked_meanwhile() {
    let said = value(&format!(
        "(() => {{ {TABLES}
            let late = table();
            const object = {{}};
            Object.setPrototypeOf(object, late);
            let asked = 0;
            const has = () => {{ asked += 1; Object.setPrototypeOf(object, null); return true; }};
            Object.setPrototypeOf(late, new Proxy({{}}, {{ has }}));
            late = null;
            try {{ object.x; }} catch (error) {{ return `${{asked}} ${{error.message}}`; }}
        }})()"
    ));
    assert!(said.contains("0 AppEvents.x does not exist here"), "{said}");
}

#[test]
fn tables_behind_each_other_are_no_recursion_and_are_asked_once() {
    let said = value(&format!(
        "(() => {{ {TABLES}
            let last = table();
            for (let i = 0; i < 5000; i++) {{ const next = table(); Object.setPrototypeOf(next, last); last = next; }}
            return ['x' in last, 'toString' in last, 'Started' in last, last.Started, typeof last.toString];
        }})()"
    ));
    assert!(said.contains(r#"false,true,true,"Application.Started","function"]"#), "{said}");
}
