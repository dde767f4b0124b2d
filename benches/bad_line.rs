//! What is heard of a caller on a bad line: `bad_line CODEC LOSS BURST JITTER SEED` reads mono samples of 16 bits at
//! the codec's rate (8 kHz for `pcmu`, 16 kHz for `g722`, 48 kHz for `opus`) from standard input, has a leg of the
//! engine receive them three times in packets of 20 ms, and writes what a µ-law leg that hears it is sent the last
//! time, when delays have settled, with 200 ms more, at 8 kHz. Of all packets LOSS percent are lost, BURST in a row;
//! each is late by up to JITTER milliseconds. [bad_line.py](bad_line.py) judges it.
//!
//! With `packets` before the codec it writes the packets that arrive, so that others can be sent them
//! ([bad_line_janus.py](bad_line_janus.py)): each behind microseconds in eight octets and its length in two, big endian.

use partyline::audio::Rate;
use partyline::audio::codec::{Encoder, Libraries, g711};
use partyline::media::PacketKind;
use partyline::media::command::{Command, LegSettings, PlayoutCounters, VoiceProcessing};
use partyline::media::engine::Engine;
use partyline::rtp::Header;
use partyline::types::{AudioCodec, CallId, MediaParameters, Now, OpusSettings, UnitId};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::error::Error;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant, SystemTime};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const PACKET: Duration = Duration::from_millis(20);
/// How long after a tick the first packet is sent.
const PHASE: Duration = Duration::from_millis(7);
/// How often the sound is played.
const TIMES: usize = 3;
/// Written behind the sound: it comes so much later at most.
const TAIL: Duration = Duration::from_millis(200);

fn address(leg: u64) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1], 10_000 + u16::try_from(leg).unwrap_or(0)))
}

/// A leg whose packets carry `codec` under its own payload type.
fn leg(engine: &mut Engine, now: Now, number: u64, codec: AudioCodec, payload_type: u8) {
    let parameters = MediaParameters::plain(address(number), codec, payload_type);
    let settings = LegSettings {
        parameters,
        seed: number,
        cname: "bench".into(),
        media_timeout: None,
        collect_digits: false,
        playout: PlayoutCounters::default(),
        processing: VoiceProcessing::default(),
    };
    engine.handle_command(now, Command::AddLeg { leg: CallId(number), settings: Box::new(settings) });
}

/// The sound in packets.
fn packets(codec: AudioCodec, samples: &[i16], percent: u8) -> Result<Vec<Vec<u8>>> {
    let mut encoder =
        Encoder::new(codec, &OpusSettings::default(), &Libraries::default()).ok_or("no encoder of this codec")?;
    encoder.expect_loss(percent);
    let frame = Rate::of(codec.sample_rate()).frame();
    let mut payload = [0; 1_276];
    Ok(samples
        .chunks_exact(frame)
        .map(|samples| {
            let length = encoder.encode(samples, &mut payload);
            payload[..length].to_vec()
        })
        .collect())
}

/// What of the packets arrives when: the number of each.
fn arrivals(count: usize, (loss, burst, jitter): (f64, usize, f64), random: &mut StdRng) -> Vec<(Duration, usize)> {
    let mut arrivals = Vec::new();
    let mut lost = 0;
    for number in 0..count {
        if lost == 0 && random.random::<f64>() * 100.0 * (burst as f64) < loss {
            lost = burst;
        }
        if lost > 0 {
            lost -= 1;
            continue;
        }
        let late = Duration::from_secs_f64(random.random::<f64>() * jitter / 1_000.0);
        arrivals.push((PHASE + PACKET * u32::try_from(number).unwrap_or(0) + late, number));
    }
    arrivals.sort();
    arrivals
}

#[expect(clippy::disallowed_methods, reason = "one origin of a time that is counted from there")]
fn origin() -> Now {
    Now { instant: Instant::now(), wall: SystemTime::UNIX_EPOCH }
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (is_heard, arguments) = match arguments.split_first() {
        Some((first, rest)) if first == "packets" => (false, rest),
        _ => (true, &arguments[..]),
    };
    let [codec, loss, burst, jitter, seed] = arguments else {
        return Err("bad_line [packets] CODEC LOSS BURST JITTER SEED < SOUND > SOUND".into());
    };
    let (codec, payload_type) = match codec.as_str() {
        "pcmu" => (AudioCodec::Pcmu, 0),
        "g722" => (AudioCodec::G722, 9),
        "opus" => (AudioCodec::Opus, 96),
        other => return Err(format!("{other} is none of pcmu, g722 and opus").into()),
    };
    let line = (loss.parse()?, burst.parse::<usize>()?.max(1), jitter.parse()?);
    let mut random = StdRng::seed_from_u64(seed.parse()?);
    let mut bytes = Vec::new();
    std::io::stdin().read_to_end(&mut bytes)?;
    let mut samples: Vec<i16> = bytes.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect();
    let once = samples.len() / Rate::of(codec.sample_rate()).frame();
    samples.truncate(once * Rate::of(codec.sample_rate()).frame());
    let samples = samples.repeat(TIMES);
    let packets = packets(codec, &samples, line.0 as u8)?;
    let clock = codec.clock_rate() / 50;
    let packet = |number: usize| {
        let header = Header {
            marker: number == 0,
            payload_type,
            sequence: number as u16,
            timestamp: number as u32 * clock,
            ssrc: 7,
        };
        [&header.to_bytes()[..], &packets[number]].concat()
    };
    if !is_heard {
        let mut out = std::io::stdout().lock();
        for (at, number) in arrivals(packets.len(), line, &mut random) {
            let packet = packet(number);
            out.write_all(&u64::try_from(at.as_micros())?.to_be_bytes())?;
            out.write_all(&u16::try_from(packet.len())?.to_be_bytes())?;
            out.write_all(&packet)?;
        }
        return Ok(());
    }

    let start = origin();
    let mut engine = Engine::new(0, start.instant);
    leg(&mut engine, start, 0, codec, payload_type);
    leg(&mut engine, start, 1, AudioCodec::Pcmu, 0);
    let (caller, listener) = (UnitId::Leg(CallId(0)), UnitId::Leg(CallId(1)));
    engine.handle_command(start, Command::Connect { source: caller, sink: listener });
    let slot = engine.leg_slot(CallId(0)).ok_or("no leg")?;
    let mut heard = Vec::new();
    let mut arriving = arrivals(packets.len(), line, &mut random).into_iter().peekable();
    let end = PACKET * u32::try_from(packets.len())? + TAIL;
    loop {
        let due = engine.poll_timeout().ok_or("a leg has ticks")?.saturating_duration_since(start.instant);
        while let Some((at, number)) = arriving.next_if(|(at, _)| *at < due) {
            engine.handle_packet(slot, PacketKind::Rtp, start.instant + at, address(0), &mut packet(number));
        }
        if due >= end {
            break;
        }
        engine.handle_timeout(start.after(due));
        for transmit in engine.transmits() {
            let is_sound = transmit.kind == PacketKind::Rtp && transmit.destination == address(1);
            if is_sound && let Some(payload) = transmit.bytes.get(12..) {
                let at = heard.len();
                heard.resize(at + payload.len(), 0);
                g711::decode_ulaw(payload, &mut heard[at..]);
            }
        }
        engine.clear_transmits();
        while engine.poll_event().is_some() {}
    }
    let mut out = std::io::stdout().lock();
    for sample in heard.iter().skip((TIMES - 1) * once * Rate::Narrow.frame()) {
        out.write_all(&sample.to_le_bytes())?;
    }
    Ok(())
}
