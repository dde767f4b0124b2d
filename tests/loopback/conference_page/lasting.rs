//! What holds over time: a gateway that comes back, and nothing that is left behind.

use super::super::harness::chromium::Chromium;
use super::super::harness::slot::Slot;
use super::super::harness::{Gateway, seconds, wait};
use super::{PAGES, assert_hears_once, pictures, start_with_two, wait_for_nobody};

/// Another page's tone.
const OTHERS: f64 = 1_100.0;
/// Joins and leaves before the first look, and in all.
const WARM: usize = 5;
const JOINS: usize = 20;

#[test]
fn pages_whose_gateway_was_killed_are_back_by_themselves() {
    let _slot = Slot::take();
    let (gateway, browser, [first, second]) = start_with_two(OTHERS);
    browser.does(&pictures(1));
    gateway.wait_for_members("lobby", 2);
    browser.does(
        "window.saidSo = until('the banner', () => document.body.innerText.includes('The connection was lost.'));",
    );
    let gateway = gateway.kill_and_start_again();
    browser.does("await saidSo;");
    gateway.wait_for("both are back", seconds(5), |status| {
        status["rooms"].as_array().unwrap().iter().any(|room| room["calls"].as_array().unwrap().len() == 2)
    });
    for (window, other, own) in [(second, PAGES, OTHERS), (first, OTHERS, PAGES)] {
        browser.turns_to(&window);
        browser.does("await until('no banner', () => !document.querySelector('.banner'));");
        assert_hears_once(&browser, "who is back", &[other], &[own]);
        browser.does(&pictures(1));
    }
    browser.does("await press('Leave'); await reads('You have left');");
    gateway.wait_for_members("lobby", 1);
    gateway.ctl(&["kick", "--room", "lobby"]);
    wait_for_nobody(&gateway);
    gateway.finish();
}

/// Resident memory of the gateway, KiB.
fn resident(gateway: &Gateway) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", gateway.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse().unwrap()
}

#[test]
fn twenty_joins_and_leaves_leave_nothing_behind() {
    let slot = Slot::take();
    let (gateway, browser, [stays, _]) = start_with_two(OTHERS);
    let mut before = None;
    for joined in 1..=JOINS {
        browser.does("await until('a tile', () => document.querySelector('.tile')); await press('Leave');");
        browser.does("await press('Join again');");
        gateway.wait_for_members("lobby", 1);
        if joined == WARM {
            before = Some((memory(&browser), resident(&gateway)));
        }
        browser.does("await press('Join'); await button('Leave');");
    }
    browser.does("await press('Leave'); await press('Join again');");
    let (before, residents) = before.unwrap();
    assert!(resident(&gateway) < residents + 4_096, "the gateway grows: {residents} KiB, then {}", resident(&gateway));
    // Transactions of SIP are kept for 32 s (RFC 3261 section 17). Of heap, nodes and listeners some may be more than
    // there were, but not for each of the joins.
    let joins = (JOINS - WARM) as f64;
    let most = [before[0] + 65_536.0 * joins, before[1] + 10.0 * joins, before[2] + joins - 1.0];
    wait::until_true_each(seconds(2), "the page keeps no more than it did", seconds(60), || {
        let now = memory(&browser);
        eprintln!("{before:?}, then {now:?}");
        now.iter().zip(most).all(|(now, most)| *now <= most)
    });
    assert_eq!(browser.does("return openConnections();"), 0);
    browser.turns_to(&stays);
    browser.does(
        "await until('no tile', () => !document.querySelector('.tile')); await reads('Nobody else is here yet');",
    );
    assert_eq!(browser.does("return openConnections();"), 1);
    browser.does("await press('Leave'); await reads('You have left');");
    wait_for_nobody(&gateway);
    drop((browser, slot));
    // Whoever was invited is a user for a minute after the connection has ended.
    let users = || gateway.ctl(&["users", "--json"]).output;
    wait::until_true_each(seconds(2), "no user is left", seconds(90), || !users().contains("guest-"));
    gateway.finish();
}

/// Of the page, after garbage was collected: octets of heap, nodes, and listeners.
fn memory(browser: &Chromium) -> [f64; 3] {
    browser.commands("HeapProfiler.collectGarbage", &serde_json::json!({}));
    browser.commands("Performance.enable", &serde_json::json!({}));
    let metrics = browser.commands("Performance.getMetrics", &serde_json::json!({}));
    ["JSHeapUsedSize", "Nodes", "JSEventListeners"].map(|name| {
        let metrics = metrics["metrics"].as_array().unwrap();
        metrics.iter().find(|metric| metric["name"] == name).unwrap()["value"].as_f64().unwrap()
    })
}
