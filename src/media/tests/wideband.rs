//! Rooms of more than telephones: every codec hears every other, and nothing clicks.

use super::world::{World, leg, ms, player, recorder, room};
use crate::audio::codec::Libraries;
use crate::audio::{Rate, goertzel, level};
use crate::media::command::{Clip, Command, EVERYONE, Event, Pcm, RecorderSink};
use crate::media::following::Following;
use crate::media::stream::Format;
use crate::types::{AudioCodec, CallId, PlayerId, RecorderId, RoomId, SampleRate};
use std::sync::{Arc, Mutex};

const CODECS: [AudioCodec; 4] = [AudioCodec::Pcmu, AudioCodec::Pcma, AudioCodec::G722, AudioCodec::Opus];

/// A room in which each phone speaks its codec.
fn room_of(threads: usize, codecs: &[AudioCodec]) -> World {
    let mut world = World::new(threads);
    world.send(Command::AddRoom { room: RoomId(1), loudest: EVERYONE });
    for (n, &codec) in (1..).zip(codecs) {
        world.phone_with(n, World::parameters_of(n, codec));
        world.join(leg(n), room(1));
    }
    world
}

fn everyone(world: &World) -> Vec<u64> {
    world.phones.keys().copied().collect()
}

/// The loudest that a phone hears beside its tones, dBFS, of the last second.
fn residue(world: &World, n: u64, tones: &[f64]) -> f32 {
    let rate = world.phones[&n].rate();
    let mut samples: Vec<f64> = world.last(n, ms(1_000)).iter().map(|&sample| f64::from(sample)).collect();
    samples.truncate(rate.hertz() as usize);
    for &hertz in tones {
        let omega = std::f64::consts::TAU * hertz / f64::from(rate.hertz());
        let length = samples.len() as f64;
        let [mut sine, mut cosine] = [0.0; 2];
        for (i, sample) in samples.iter().enumerate() {
            sine += sample * (omega * i as f64).sin() * 2.0 / length;
            cosine += sample * (omega * i as f64).cos() * 2.0 / length;
        }
        for (i, sample) in samples.iter_mut().enumerate() {
            *sample -= sine * (omega * i as f64).sin() + cosine * (omega * i as f64).cos();
        }
    }
    let rest: Vec<i16> = samples.iter().map(|sample| *sample as i16).collect();
    rest.chunks_exact(rate.frame() / 4).map(level::dbfs).fold(f32::MIN, f32::max)
}

#[test]
fn phones_of_every_codec_hear_every_tone_but_their_own() {
    for threads in [1, 2] {
        let mut world = room_of(threads, &[&CODECS[..], &CODECS[..]].concat());
        world.run(ms(3_000));
        let all = everyone(&world);
        world.assert_hears(&all, |listener, talker| listener != talker);
        for phone in world.phones.values() {
            phone.assert_continuous(ms(20));
        }
        world.end();
    }
}

#[test]
fn an_opus_pair_in_a_room_with_telephones_hears_12_khz() {
    let mut world = room_of(1, &[AudioCodec::Pcmu, AudioCodec::Pcma, AudioCodec::Opus, AudioCodec::Opus]);
    world.phones.get_mut(&3).unwrap().hertz = 11_500.0;
    world.run(ms(3_000));
    let heard = |n: u64| goertzel::tone_dbfs(&world.last(n, ms(1_000)), world.phones[&n].rate().hertz(), 11_500.0);
    assert!(heard(4) > -26.0, "{} dBFS", heard(4));
    // To telephones it is nothing, and not folded back into what they can hear.
    world.assert_hears(&[1], |_, talker| talker != 1);
    assert!(residue(&world, 1, &[2, 4].map(super::world::tone)) < -45.0, "{}", residue(&world, 1, &[]));
    world.end();
}

#[test]
fn opus_in_packets_of_every_length_is_understood_and_sent() {
    for packet_time in [10, 20, 40, 60] {
        let mut world = World::new(1);
        world.send(Command::AddRoom { room: RoomId(1), loudest: EVERYONE });
        for n in [1, 2] {
            let mut parameters = World::parameters_of(n, AudioCodec::Opus);
            parameters.send_packet_time = ms(packet_time);
            world.phone_with(n, parameters);
            world.join(leg(n), room(1));
        }
        world.phone(3).loudness = -90.0;
        world.join(leg(3), room(1));
        world.run(ms(3_000));
        world.assert_hears(&[1, 2], |listener, talker| listener != talker);
        assert_eq!(world.tones(3, &[1, 2, 3]), [1, 2]);
        for n in [1, 2] {
            let phone = &world.phones[&n];
            phone.assert_continuous(ms(packet_time.max(20)));
            let expected = 3_000 / packet_time;
            assert!(phone.heard.len().abs_diff(expected as usize) <= 2, "{} packets", phone.heard.len());
        }
        world.end();
    }
}

#[test]
fn listeners_of_a_stateful_codec_share_one_stream_until_they_speak_and_nothing_clicks() {
    for codec in [AudioCodec::G722, AudioCodec::Opus] {
        let mut world = room_of(1, &[AudioCodec::Pcmu, codec, codec, codec]);
        for n in [2, 3, 4] {
            world.phones.get_mut(&n).unwrap().loudness = -90.0;
        }
        // Until the jitter buffer of the talker has found its delay: pieces it takes out would look like clicks.
        world.run(ms(10_000));
        // Both get the same octets: the payloads decode to the same samples.
        assert_eq!(world.last(2, ms(1_000)), world.last(3, ms(1_000)), "{codec:?}");
        let tones = [1].map(super::world::tone);
        let quiet = residue(&world, 2, &tones);
        // One begins to speak: it goes on with a stream of its own, the others hear both.
        world.phones.get_mut(&2).unwrap().loudness = -22.0;
        world.run(ms(1_000));
        let click = residue(&world, 2, &tones);
        assert!(click < quiet + 6.0, "{codec:?}: a click of {click}, {quiet} before");
        assert_eq!(world.tones(3, &[1, 2]), [1, 2]);
        // And stops, and shares the stream again: at once, or with G.722 in the next pause.
        world.phones.get_mut(&2).unwrap().loudness = -90.0;
        for _ in 0..6 {
            world.run(ms(1_000));
            assert!(residue(&world, 2, &tones) < quiet + 6.0, "{codec:?}: a click of {}", residue(&world, 2, &tones));
        }
        world.phones.get_mut(&1).unwrap().loudness = -90.0;
        world.run(ms(200));
        world.phones.get_mut(&1).unwrap().loudness = -22.0;
        world.run(ms(1_500));
        assert!(residue(&world, 2, &tones) < quiet + 6.0, "{codec:?}: a click of {}", residue(&world, 2, &tones));
        assert_eq!(world.last(2, ms(500)), world.last(4, ms(500)), "{codec:?}");
        world.end();
    }
}

/// The loudest of any 20 ms of the last second at a frequency that nobody speaks, dBFS.
fn splash(world: &World, n: u64) -> f32 {
    let rate = world.phones[&n].rate();
    let heard = world.last(n, ms(1_000));
    let pieces = heard.windows(rate.frame()).step_by(rate.frame() / 8);
    // Through a Hann window, or the ends of each piece would splash themselves.
    let weighted = |(i, sample): (usize, &i16)| {
        let hann = 1.0 - (std::f64::consts::TAU * (i as f64 + 0.5) / rate.frame() as f64).cos();
        (f64::from(*sample) * hann) as i16
    };
    let level = |piece: &[i16]| {
        let piece: Vec<i16> = piece.iter().enumerate().map(weighted).collect();
        goertzel::tone_dbfs(&piece, rate.hertz(), 3_300.0)
    };
    pieces.map(level).fold(f32::MIN, f32::max)
}

#[test]
fn nothing_clicks_when_a_talker_is_muted_unmuted_comes_or_leaves() {
    let mut world = room_of(1, &CODECS);
    for n in 1..=4 {
        world.phones.get_mut(&n).unwrap().loudness = -90.0;
    }
    world.phone(5).hertz = 437.0;
    let quiet = [1, 2, 3, 4];
    world.run(ms(3_000));
    let mut check = |what: &str, commands: Vec<Command>| {
        world.run(ms(1_013));
        commands.into_iter().for_each(|command| world.send(command));
        world.run(ms(900));
        for n in quiet {
            let splash = splash(&world, n);
            assert!(splash < -66.0, "{what}: {n} hears {splash} dBFS");
        }
    };
    let connect = Command::Connect { source: leg(5), sink: room(1) };
    for _ in 0..3 {
        check("coming", vec![connect.clone()]);
        check("muted", vec![Command::Mute { leg: CallId(5), muted: true }]);
        check("unmuted", vec![Command::Mute { leg: CallId(5), muted: false }]);
        check("muted", vec![Command::Mute { leg: CallId(5), muted: true }]);
        check("leaving in silence", vec![Command::Disconnect { source: leg(5), sink: room(1) }]);
        check("unheard", vec![Command::Mute { leg: CallId(5), muted: false }]);
    }
    check("coming", vec![connect]);
    check("hanging up", vec![Command::RemoveLeg { leg: CallId(5) }]);
    world.end();
}

#[test]
fn nothing_clicks_when_what_is_played_is_stopped_or_gives_way_to_another_sound() {
    // A second each, the second one beginning softly.
    let sound = |hertz: f64, soft: f64| {
        let tone = |rate: u32| -> Vec<i16> {
            let time = move |n| f64::from(n) / f64::from(rate);
            let value = |t: f64| 3_000.0 * (t / soft).min(1.0) * (std::f64::consts::TAU * hertz * t).sin();
            (0..rate).map(|n| value(time(n)) as i16).collect()
        };
        (Clip::Loop(Pcm::wideband(tone(8_000), tone(16_000))), Clip::Loop(tone(8_000).into()))
    };
    let ((wide, narrow), (other_wide, other_narrow)) = (sound(437.0, 1e-9), sound(611.0, 0.1));
    for codec in CODECS {
        let mut world = room_of(1, &[codec]);
        world.phones.get_mut(&1).unwrap().loudness = -90.0;
        world.run(ms(1_000));
        let mut player_id = 0;
        let mut begin = |world: &mut World, clip: &Clip, sink| {
            player_id += 1;
            world.send(Command::AddPlayer { player: PlayerId(player_id), clips: vec![clip.clone()] });
            world.connect(player(player_id), sink);
            PlayerId(player_id)
        };
        // What is stopped, and what takes its place at once.
        let pairs =
            [(&wide, Some(&other_wide)), (&narrow, Some(&other_wide)), (&wide, Some(&other_narrow)), (&wide, None)];
        for (at, (first, second)) in pairs.into_iter().enumerate() {
            for (sink, is_stopped) in [(leg(1), true), (leg(1), false), (room(1), true)] {
                if !is_stopped && second.is_none() {
                    continue;
                }
                let mut playing = begin(&mut world, first, sink);
                world.run(ms(1_013 + 7 * at as u64));
                if is_stopped {
                    world.send(Command::StopPlayer { player: playing });
                    assert!(world.events.contains(&Event::PlaybackFinished { player: playing, completed: false }));
                }
                if let Some(second) = second {
                    playing = begin(&mut world, second, sink);
                }
                world.run(ms(900));
                let splash = splash(&world, 1);
                assert!(splash < -66.0, "{codec:?}, {at}, {sink:?}, {is_stopped}: {splash} dBFS");
                world.send(Command::StopPlayer { player: playing });
                world.run(ms(1_000));
                assert!(level::dbfs(&world.last(1, ms(500))) < -55.0, "nothing is left of it");
            }
        }
        world.end();
    }
}

#[test]
fn a_player_that_starts_with_the_first_listener_of_more_than_8_khz_is_heard_at_16_khz() {
    let mut world = room_of(1, &[AudioCodec::Pcmu]);
    world.run(ms(500));
    world.phone_with(2, World::parameters_of(2, AudioCodec::Opus));
    world.join(leg(2), room(1));
    world.send(Command::AddPlayer { player: PlayerId(1), clips: vec![two_tones()] });
    world.connect(player(1), room(1));
    world.run(ms(2_000));
    assert_eq!(heard_of_two_tones(&world)[1], (false, true));
    world.end();
}

#[test]
fn whoever_begins_to_listen_at_8_khz_to_a_room_of_opus_hears_it() {
    let mut world = room_of(1, &[AudioCodec::Opus, AudioCodec::Opus]);
    world.phone(3).loudness = -90.0;
    world.run(ms(1_000));
    for _ in 0..2 {
        world.connect(room(1), leg(3));
        world.run(ms(1_500));
        assert_eq!(world.tones(3, &[1, 2, 3]), [1, 2]);
        world.send(Command::Disconnect { source: room(1), sink: leg(3) });
        world.run(ms(1_500));
        assert!(world.tones(3, &[1, 2, 3]).is_empty());
    }
    world.end();
}

#[test]
fn legs_of_different_rates_hear_each_other_directly() {
    for (one, other) in [(0, 2), (0, 3), (2, 3), (3, 0)] {
        let mut world = World::new(2);
        for (n, codec) in [(1, CODECS[one]), (2, CODECS[other])] {
            world.phone_with(n, World::parameters_of(n, codec));
        }
        world.connect(leg(1), leg(2));
        world.connect(leg(2), leg(1));
        world.run(ms(2_000));
        world.assert_hears(&[1, 2], |listener, talker| listener != talker);
        world.end();
    }
}

#[test]
fn a_phone_that_changes_its_codec_in_a_call_is_heard_and_hears_on() {
    let mut world = room_of(1, &[AudioCodec::Pcmu, AudioCodec::Opus, AudioCodec::G722]);
    world.run(ms(2_000));
    for codec in [AudioCodec::Opus, AudioCodec::G722, AudioCodec::Pcma, AudioCodec::Opus, AudioCodec::Pcmu] {
        let parameters = World::parameters_of(1, codec);
        world.send(Command::UpdateLeg { leg: CallId(1), parameters: Box::new(parameters) });
        world.phones.get_mut(&1).unwrap().speak(codec);
        world.run(ms(2_000));
        let all = everyone(&world);
        world.assert_hears(&all, |listener, talker| listener != talker);
    }
    world.end();
}

#[test]
fn a_peer_that_falls_back_to_another_negotiated_codec_without_a_word_is_heard() {
    let mut world = room_of(1, &[AudioCodec::Opus, AudioCodec::Pcmu]);
    world.run(ms(1_500));
    world.phones.get_mut(&1).unwrap().speak(AudioCodec::Pcmu);
    world.run(ms(1_500));
    world.assert_hears(&[1, 2], |listener, talker| listener != talker);
    world.end();
}

#[test]
fn a_prompt_and_a_recorder_know_no_rates() {
    let mut world = room_of(1, &[AudioCodec::Opus, AudioCodec::Pcmu]);
    let tone = crate::audio::tone::Tone::sine(super::world::tone(7), -22.0).samples(ms(1_000));
    world.send(Command::AddPlayer { player: PlayerId(1), clips: vec![Clip::Loop(tone.into())] });
    world.connect(player(1), leg(1));
    let (producer, mut ring) = rtrb::RingBuffer::new(64_000);
    let sink = RecorderSink(Arc::new(Mutex::new(Some(producer))));
    world.send(Command::AddRecorder { recorder: RecorderId(1), sink, rate: SampleRate(8_000), less: None, ear: false });
    world.connect(room(1), recorder(1));
    world.run(ms(2_000));
    assert_eq!(world.tones(1, &[1, 2, 7]), [2, 7]);
    assert_eq!(world.tones(2, &[1, 2, 7]), [1]);
    let mut kept = Vec::new();
    while let Ok(sample) = ring.pop() {
        kept.push(sample);
    }
    assert_eq!(super::world::tones_in(&kept[kept.len() - 8_000..], Rate::Narrow, &[1, 2, 7]), [1, 2]);
    world.end();
}

/// A second of 1 kHz, and of 6.5 kHz where 16 kHz are played, over and over.
fn two_tones() -> Clip {
    let tone = |hertz: f64, rate: u32| -> Vec<i16> {
        let value = |n| 3_000.0 * (std::f64::consts::TAU * hertz * f64::from(n) / f64::from(rate)).sin();
        (0..rate).map(|n| value(n) as i16).collect()
    };
    Clip::Loop(Pcm::wideband(tone(1_000.0, 8_000), tone(6_500.0, 16_000)))
}

/// Who hears 1 kHz, and who 6.5 kHz, of the last second.
fn heard_of_two_tones(world: &World) -> Vec<(bool, bool)> {
    let hears = |n: &u64, hertz: u32| {
        let rate = world.phones[n].rate().hertz();
        rate > 2 * hertz && goertzel::tone_dbfs(&world.last(*n, ms(1_000)), rate, f64::from(hertz)) > -35.0
    };
    world.phones.keys().map(|n| (hears(n, 1_000), hears(n, 6_500))).collect()
}

#[test]
fn wideband_sound_is_heard_as_such_by_those_who_can_and_moves_with_them() {
    for threads in [1, 2] {
        let mut world = room_of(threads, &[AudioCodec::Pcmu, AudioCodec::G722, AudioCodec::Opus]);
        world.run(ms(500));
        // To each alone, and to all.
        for n in 1..=3 {
            world.send(Command::AddPlayer { player: PlayerId(n), clips: vec![two_tones()] });
            world.connect(player(n), leg(n));
        }
        world.run(ms(2_000));
        assert_eq!(heard_of_two_tones(&world), [(true, false), (false, true), (false, true)]);
        for n in 1..=3 {
            world.send(Command::StopPlayer { player: PlayerId(n) });
        }
        world.send(Command::AddPlayer { player: PlayerId(4), clips: vec![two_tones()] });
        world.connect(player(4), room(1));
        world.run(ms(2_000));
        let heard = heard_of_two_tones(&world);
        assert_eq!(heard[1..], [(false, true), (false, true)]);
        assert!(!heard[0].1, "a telephone hears of 6.5 kHz nothing, nor its image");
        world.end();
    }
}

#[test]
fn opus_legs_move_between_threads_and_are_heard_on() {
    let mut world = World::new(2);
    for n in [1, 2] {
        world.send(Command::AddRoom { room: RoomId(n), loudest: EVERYONE });
    }
    for n in 1..=4 {
        world.phone_with(n, World::parameters_of(n, AudioCodec::Opus));
        world.join(leg(n), room(1 + n % 2));
    }
    world.run(ms(1_500));
    assert_ne!(world.media.thread_of(room(1)), world.media.thread_of(room(2)));
    world.connect(room(1), room(2));
    world.connect(leg(1), room(1));
    world.run(ms(2_000));
    assert_eq!(world.tones(3, &[1, 2, 3, 4]), [1, 2, 4]);
    world.end();
}

#[test]
fn lost_opus_packets_are_mended_by_those_that_follow() {
    let mut world = room_of(1, &[AudioCodec::Opus, AudioCodec::Pcmu]);
    world.phones.get_mut(&1).unwrap().weather.loss = 0.05;
    world.run(ms(3_000));
    assert_eq!(world.tones(2, &[1, 2]), [1]);
    world.end();
}

#[test]
fn with_g722_silence_after_sound_of_ones_own_is_encoded_for_a_while_before_the_shared_stream_is_followed() {
    for (codec, calm) in [(AudioCodec::G722, 10), (AudioCodec::Opus, 0)] {
        let format = Format::of(&World::parameters_of(1, codec)).unwrap();
        let mut following = Following::new(format, &Libraries::default()).unwrap();
        assert!(!following.calms_down(), "it hears nothing but the stream of silence yet");
        following.leaves(None);
        for _ in 0..3 {
            following.go_on(0, &vec![1_000; format.rate().frame()]);
            let ticks = (0..100).take_while(|_| following.calms_down()).count();
            assert_eq!(ticks, calm, "{codec:?}");
        }
    }
}

#[test]
fn a_recorder_of_16_khz_keeps_what_a_telephone_cannot_hear() {
    let mut world = room_of(1, &[AudioCodec::Opus, AudioCodec::Pcmu]);
    world.phones.get_mut(&1).unwrap().hertz = 6_500.0;
    let mut rings = Vec::new();
    for (n, source) in [(1, leg(1)), (2, room(1))] {
        let (producer, ring) = rtrb::RingBuffer::new(64_000);
        let sink = RecorderSink(Arc::new(Mutex::new(Some(producer))));
        world.send(Command::AddRecorder {
            recorder: RecorderId(n),
            sink,
            rate: SampleRate(16_000),
            less: None,
            ear: false,
        });
        world.connect(source, recorder(n));
        rings.push(ring);
    }
    world.run(ms(2_000));
    for (mut ring, hears_other) in rings.into_iter().zip([false, true]) {
        let kept: Vec<i16> = std::iter::from_fn(|| ring.pop().ok()).collect();
        assert!((31_000..=32_000).contains(&kept.len()), "{}", kept.len());
        let level = |hertz| goertzel::tone_dbfs(&kept[16_000..], 16_000, hertz);
        assert!((level(6_500.0) + 22.0).abs() < 3.0, "{}", level(6_500.0));
        assert_eq!(level(super::world::tone(2)) > -28.0, hears_other);
    }
    world.end();
}
