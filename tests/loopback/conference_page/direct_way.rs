//! The direct way between two pages, as the network has it: it comes, is lost in the middle of the call, and comes back.

use super::super::conference::ours;
use super::super::harness::chromium::Chromium;
use super::super::harness::slot::Slot;
use super::super::harness::{Phone, seconds, wait};
use super::scenarios::{SECONDS, kick_all, start};
use super::{ANNAS, PAGES, assert_hears_once, invite_to, join_with, pictures};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// A page that sends nothing any more for so long has another socket.
const FORGETS: Duration = Duration::from_secs(1);

/// All that two pages send each other directly goes through here, as through a router that can be unplugged.
struct Way {
    ports: [u16; 2],
    is_cut: Arc<AtomicBool>,
    is_over: Arc<AtomicBool>,
    carried: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl Way {
    fn open() -> Self {
        let sockets = [0, 1].map(|_| UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap());
        let ports = [0, 1].map(|at: usize| sockets[at].local_addr().unwrap().port());
        let (is_cut, is_over, carried) = <(Arc<AtomicBool>, Arc<AtomicBool>, Arc<AtomicU64>)>::default();
        let shared = (Arc::clone(&is_cut), Arc::clone(&is_over), Arc::clone(&carried));
        let thread = std::thread::spawn(move || carry(&sockets, &shared.0, &shared.1, &shared.2));
        Self { ports, is_cut, is_over, carried, thread: Some(thread) }
    }

    /// What has a page take this way: of the first window, or of the second one. It is told of no other candidate of a
    /// call with pictures, and those of the gateway have none.
    fn script(&self, window: usize) -> String {
        format!(
            "{{
                 const told = RTCPeerConnection.prototype.setRemoteDescription;
                 const way = 'a=candidate:1 1 udp 2122260223 127.0.0.1 {} typ host generation 0\\r\\n';
                 RTCPeerConnection.prototype.setRemoteDescription = function ({{ type, sdp }}) {{
                     const isDirect = sdp.includes('m=video');
                     return told.call(this, {{ type, sdp: isDirect ? sdp.replace(/(a=candidate:.*\\r\\n)+/g, way) : sdp }});
                 }};
             }}",
            self.ports[1 - window]
        )
    }

    fn is_cut(&self, on: bool) {
        self.is_cut.store(on, Ordering::Relaxed);
    }

    fn carried(&self) -> u64 {
        self.carried.load(Ordering::Relaxed)
    }
}

impl Drop for Way {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// What comes to the one socket is sent by the other, to whoever was heard there.
fn carry(sockets: &[UdpSocket; 2], is_cut: &AtomicBool, is_over: &AtomicBool, carried: &AtomicU64) {
    for socket in sockets {
        socket.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
    }
    let mut pages: [Option<(SocketAddr, Instant)>; 2] = [None; 2];
    let mut datagram = [0; 2_048];
    while !is_over.load(Ordering::Relaxed) {
        for at in [0, 1] {
            while let Ok((length, source)) = sockets[at].recv_from(&mut datagram) {
                // A page has a socket for each of its addresses: one of them is enough.
                let page = pages[at].filter(|(page, heard)| *page == source || heard.elapsed() > FORGETS);
                if page.is_none() && pages[at].is_some() {
                    continue;
                }
                pages[at] = Some((source, Instant::now()));
                if let Some((page, _)) = pages[1 - at]
                    && !is_cut.load(Ordering::Relaxed)
                {
                    let _ = sockets[1 - at].send_to(&datagram[..length], page);
                    carried.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
    }
}

#[test]
fn the_sound_goes_on_through_the_gateway_when_the_direct_way_is_lost_in_the_middle_of_the_call() {
    let _slot = Slot::take();
    let (browser, way) = (Chromium::start(), Way::open());
    let gateway = start(&ours(), "127.0.0.1:9");
    let anna = Phone::dials("7000").says(ANNAS).keys("4217#", 3.0).seconds(180.0).call(&gateway);
    let first = browser.window();
    join_with(&browser, &invite_to("4217", &gateway, "Pia", false), PAGES, &way.script(0));
    let second = browser.opens_window();
    join_with(&browser, &invite_to("4217", &gateway, "Quinn", false), SECONDS, &way.script(1));
    let both = [(&first, SECONDS, PAGES), (&second, PAGES, SECONDS)];
    let hear_once = |who: &str| {
        for (window, other, own) in both {
            browser.turns_to(window);
            assert_hears_once(&browser, who, &[other, ANNAS], &[own]);
        }
    };
    browser.does(&pictures(1));
    hear_once("who has a direct way");
    assert!(way.carried() > 500, "the direct way was not used: {} packets", way.carried());

    let lose = || {
        way.is_cut(true);
        let took = browser.does(&format!(
            "const begin = performance.now();
             await until('no sound', async () => (await hears([{PAGES}]))[0] < -65);
             await until('the tone by another way', async () => (await hears([{PAGES}]))[0] > -65);
             return performance.now() - begin;"
        ));
        eprintln!("from the loss of the direct way to the sound through the gateway: {took} ms");
        assert!(took.as_f64().unwrap() < 5_000.0, "{took} ms");
        hear_once("whose direct way is lost");
    };
    lose();
    browser.does("await reads('Picture interrupted');");
    way.is_cut(false);
    for (window, other, own) in both {
        browser.turns_to(window);
        browser.does(
            "await until('the picture', () => !document.body.innerText.includes('Picture interrupted'));
             const [video] = document.querySelectorAll('.tile video'); const before = video.currentTime;
             await until('it moves', () => video.currentTime > before + 0.5);",
        );
        assert_hears_once(&browser, "whose direct way is back", &[other, ANNAS], &[own]);
    }

    // It does not come back: it is looked for once more, and then left alone.
    lose();
    for (window, ..) in both {
        browser.turns_to(window);
        let says = || browser.does("return document.body.innerText.includes('Sound only');") == true;
        wait::until_true_each(seconds(1), "it is given up", seconds(90), says);
    }
    hear_once("whose direct way was given up");
    for (window, ..) in both {
        browser.turns_to(window);
        browser.does("await press('Leave'); await reads('You have left');");
    }
    kick_all(&gateway);
    anna.finish();
    let remains = gateway.finish();
    assert!(!remains.log.contains("scenario failed"), "{}", remains.log);
}
