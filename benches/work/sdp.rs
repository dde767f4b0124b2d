//! Session descriptions: bytes to description, the answer to an offer, and description to bytes.

use std::hint::black_box;
use std::net::Ipv4Addr;
use std::time::Duration;

use partyline::sdp::{LocalMedia, SessionDescription, answer};
use partyline::types::{AudioCodec, CodecPolicy, Direction, OpusSettings};

use super::{Work, sip::wire};

/// As a desk phone or a carrier offers.
pub const PHONE: &str = "v=0
o=- 1730204712 1730204712 IN IP4 198.51.100.21
s=call
c=IN IP4 198.51.100.21
t=0 0
m=audio 18422 RTP/AVP 8 0 18 101
a=rtpmap:8 PCMA/8000
a=rtpmap:0 PCMU/8000
a=rtpmap:18 G729/8000
a=fmtp:18 annexb=no
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
a=ptime:20
a=maxptime:150
a=sendrecv
";

/// As a browser's gateway offers: every codec it has, candidates, a second line for video.
pub const BROWSER: &str = "v=0
o=mozilla...THIS_IS_SDPARTA-99.0 4611731400430051336 2 IN IP4 198.51.100.21
s=-
t=0 0
a=group:BUNDLE audio video
a=msid-semantic: WMS 5b2a7c1e
m=audio 18422 RTP/AVPF 111 63 9 0 8 13 110 126 101
c=IN IP4 198.51.100.21
a=rtcp:18423 IN IP4 198.51.100.21
a=candidate:1467250027 1 udp 2122260223 192.168.0.196 46243 typ host generation 0 network-id 1
a=candidate:1467250027 2 udp 2122260222 192.168.0.196 56280 typ host generation 0 network-id 1
a=candidate:435653019 1 tcp 1845501695 192.168.0.196 0 typ host tcptype active generation 0 network-id 1
a=candidate:1853887674 1 udp 1518280447 198.51.100.21 36768 typ srflx raddr 192.168.0.196 rport 36768
a=ice-ufrag:Oyef7uvBlwafI3hT
a=ice-pwd:T0teqPLNQQOf+5W+ls+P2p16
a=fingerprint:sha-256 49:66:12:17:0D:1C:91:AE:57:4C:C6:36:DD:D5:97:D2:7D:62:C9:9A:7F:B9:A3:F4:70:03:E7:43:91:73:23:5E
a=setup:actpass
a=mid:audio
a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
a=extmap:3 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time
a=sendrecv
a=rtcp-mux
a=rtpmap:111 opus/48000/2
a=rtcp-fb:111 transport-cc
a=fmtp:111 minptime=10;useinbandfec=1
a=rtpmap:63 red/48000/2
a=fmtp:63 111/111
a=rtpmap:9 G722/8000
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:13 CN/8000
a=rtpmap:110 telephone-event/48000
a=rtpmap:126 telephone-event/32000
a=rtpmap:101 telephone-event/8000
a=maxptime:60
a=ssrc:3570614608 cname:4TOk42mSjXCkVIa6
a=ssrc:3570614608 msid:5b2a7c1e 35429d94-5637-4686-9ecd-7d0622261ce8
m=video 0 RTP/AVPF 100 101
c=IN IP4 198.51.100.21
a=rtpmap:100 VP8/90000
a=rtcp-fb:100 ccm fir
a=rtcp-fb:100 nack
a=rtcp-fb:100 nack pli
a=rtpmap:101 H264/90000
a=fmtp:101 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f
";

fn local() -> LocalMedia {
    LocalMedia {
        address: Ipv4Addr::new(203, 0, 113, 7).into(),
        rtp_port: 20_000,
        rtcp_port: 20_001,
        codecs: CodecPolicy { accepted: vec![AudioCodec::Pcma, AudioCodec::Pcmu], ..CodecPolicy::default() },
        opus: OpusSettings::default(),
        packet_time: Duration::from_millis(20),
        telephone_event: true,
        comfort_noise: false,
        audio_level: false,
        direction: Direction::SendRecv,
        session_id: 7_777_777_777,
        srtp: None,
        webrtc: None,
    }
}

pub fn works() -> Vec<Work> {
    let mut works = Vec::new();
    for (name, text) in [("phone", PHONE), ("browser", BROWSER)] {
        let read = |text: &str| SessionDescription::parse(text.as_bytes()).expect("it is a description");
        works.push(Work::new(format!("sdp/parse/{name}"), 20, move || {
            let input = wire(text);
            move || drop(black_box(read(black_box(&input))))
        }));
        works.push(Work::new(format!("sdp/print/{name}"), 20, move || {
            let description = read(&wire(text));
            move || drop(black_box(black_box(&description).to_bytes()))
        }));
        works.push(Work::new(format!("sdp/answer/{name}"), 20, move || {
            let (offer, local) = (read(&wire(text)), local());
            move || drop(black_box(answer(black_box(&offer), &local, None).expect("there is a codec for both")))
        }));
    }
    works
}
