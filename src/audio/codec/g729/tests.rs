use super::*;
use crate::audio::{level, wav};
use proptest::prelude::*;

fn library() -> Arc<Library> {
    Library::load(LIBRARY).expect("`make test` installs libbcg729-0")
}

/// A sentence at 8 kHz.
fn speech() -> Vec<i16> {
    wav::read(&include_bytes!("speech.wav")[..]).unwrap()
}

/// How alike two pieces are, at the best of the first 10 ms of delay.
fn likeness(sent: &[i16], heard: &[i16]) -> f32 {
    let product = |a: &[i16], b: &[i16]| a.iter().zip(b).map(|(&a, &b)| f32::from(a) * f32::from(b)).sum::<f32>();
    (0..FRAME)
        .map(|delay| {
            let heard = &heard[delay..];
            let sent = &sent[..heard.len()];
            product(sent, heard) / (product(sent, sent) * product(heard, heard)).sqrt().max(1.0)
        })
        .fold(0.0, f32::max)
}

fn encoded(library: &Arc<Library>, samples: &[i16]) -> Vec<u8> {
    let mut payload = vec![0; samples.len() / FRAME * OCTETS];
    let octets = Encoder::new(library).unwrap().encode(samples, &mut payload);
    assert_eq!(octets, payload.len());
    payload
}

#[test]
fn speech_goes_through_encoder_and_decoder() {
    let library = library();
    let speech = speech();
    let mut encoder = Encoder::new(&library).unwrap();
    let mut decoder = Decoder::new(&library).unwrap();
    let mut heard = Vec::new();
    // Packets of 20 ms; what is left over is not encoded.
    for samples in speech.chunks(2 * FRAME) {
        let mut payload = [0; 2 * OCTETS];
        let octets = encoder.encode(samples, &mut payload);
        assert_eq!(octets, samples.len() / FRAME * OCTETS);
        let mut frame = [0; 2 * FRAME];
        let made = decoder.decode(&payload[..octets], &mut frame).unwrap();
        assert_eq!(Some(made), packet_duration(&payload[..octets]));
        heard.extend_from_slice(&frame[..made]);
    }
    // G.729 keeps what is heard rather than the waveform: with the same packets FFmpeg's decoder comes to a likeness of
    // 0.83 and −1.1 dB, and is like this one to 0.996.
    let likeness = likeness(&speech[..heard.len()], &heard);
    assert!(likeness > 0.8, "{likeness}");
    let off = level::dbfs(&heard) - level::dbfs(&speech);
    assert!(off.abs() < 1.5, "{off}");
}

#[test]
fn a_lost_packet_is_concealed_and_the_voice_comes_back() {
    let library = library();
    let speech = speech();
    let payload = encoded(&library, &speech);
    let mut whole = vec![0; speech.len()];
    let made = Decoder::new(&library).unwrap().decode(&payload, &mut whole).unwrap();
    // Where it is loud.
    let lost = (2 * FRAME..made).step_by(2 * FRAME).max_by_key(|&at| level::energy(&whole[at - FRAME..at])).unwrap();
    let mut decoder = Decoder::new(&library).unwrap();
    let mut heard = vec![0; made];
    decoder.decode(&payload[..lost / FRAME * OCTETS], &mut heard[..lost]).unwrap();
    assert_eq!(decoder.conceal(&mut heard[lost..lost + 2 * FRAME]), 2 * FRAME);
    let back = lost + 2 * FRAME;
    decoder.decode(&payload[back / FRAME * OCTETS..], &mut heard[back..]).unwrap();
    let concealed = level::dbfs(&heard[lost..back]) - level::dbfs(&whole[lost..back]);
    assert!(concealed.abs() < 9.0, "{concealed}");
    let (heard, whole) = (&heard[back + 4 * FRAME..], &whole[back + 4 * FRAME..]);
    assert!(likeness(whole, heard) > 0.9, "{}", likeness(whole, heard));
}

#[test]
fn comfort_noise_is_heard_until_the_voice_comes_back() {
    let library = library();
    let mut decoder = Decoder::new(&library).unwrap();
    let mut frames = [0; 20 * FRAME];
    // Predictor 0, vectors 5 and 3, the gain 16 (annex B, table B.2): a row of 15 bits.
    let noise = (5u16 << 10 | 3 << 6 | 16 << 1).to_be_bytes();
    assert_eq!(decoder.decode(&noise, &mut frames), Ok(FRAME));
    assert_eq!(decoder.conceal(&mut frames), frames.len());
    let (early, late) = (level::dbfs(&frames[..8 * FRAME]), level::dbfs(&frames[12 * FRAME..]));
    assert!(early > -70.0 && early < -20.0 && (early - late).abs() < 6.0, "{early} {late}");
}

#[test]
fn other_lengths_are_refused() {
    let mut decoder = Decoder::new(&library()).unwrap();
    let mut frame = [0; FRAME];
    for (length, duration) in [(0, Some(0)), (2, Some(80)), (10, Some(80)), (20, Some(160)), (22, Some(240)), (9, None)]
    {
        assert_eq!(packet_duration(&vec![0; length]), duration, "{length}");
    }
    assert_eq!(decoder.decode(&[0; 13], &mut frame), Err(PayloadError(13)));
    assert_eq!(decoder.decode(&[0; 13], &mut frame).unwrap_err().to_string(), "13 octets are no G.729 packet");
    // No more is written than there is room for.
    assert_eq!(decoder.decode(&[0; 30], &mut frame), Ok(FRAME));
    assert_eq!(decoder.decode(&[0; 30], &mut frame[..79]), Ok(0));
    assert_eq!(decoder.conceal(&mut frame[..79]), 0);
}

#[test]
fn what_a_decoder_heard_before_a_reset_is_not_heard_in_what_follows() {
    let library = library();
    let speech = speech();
    let payload = encoded(&library, &speech);
    let mut decoder = Decoder::new(&library).unwrap();
    let mut heard = vec![0; payload.len() / OCTETS * FRAME];
    let middle = payload.len() / 2 / OCTETS * OCTETS;
    decoder.decode(&payload[..middle], &mut heard).unwrap();
    decoder.reset();
    let silence = encoded(&library, &[0; 20 * FRAME]);
    let mut quiet = [0; 20 * FRAME];
    decoder.decode(&silence, &mut quiet).unwrap();
    assert!(level::dbfs(&quiet) < -45.0, "{} dBFS", level::dbfs(&quiet));
    decoder.decode(&payload, &mut heard).unwrap();
    assert!(likeness(&speech, &heard) > 0.8, "{}", likeness(&speech, &heard));
}

#[test]
fn a_library_that_is_absent_or_another_one_is_named() {
    let absent = Library::load("libno-such-codec.so.7").unwrap_err().to_string();
    assert!(absent.starts_with("G.729 needs libno-such-codec.so.7, in Debian's package libbcg729-0: "), "{absent}");
    let other = Library::load("libc.so.6").unwrap_err().to_string();
    assert_eq!(other, "libc.so.6 is no libbcg729 of version 1.0.2 or later: it has no bcg729GetRFC3389Payload");
}

#[test]
fn states_may_go_to_another_thread() {
    fn is_send<T: Send>() {}
    is_send::<Encoder>();
    is_send::<Decoder>();
}

proptest! {
    #[test]
    fn any_bytes_are_decoded_or_refused(packets in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..33), 1..20)) {
        let mut decoder = Decoder::new(&library()).unwrap();
        let mut samples = [0; 4 * FRAME];
        for packet in &packets {
            let decoded = decoder.decode(packet, &mut samples);
            prop_assert_eq!(decoded.ok(), packet_duration(packet));
            decoder.conceal(&mut samples);
        }
    }
}
