//! What is broken is played as far as it goes, or refused with a reason.

use super::data::{self, Format};
use crate::sound::load::whole;
use crate::sound::{Hint, Loaded, Reader, Unplayable};
use proptest::prelude::*;
use rand::rngs::StdRng;
use rand::{RngCore, SeedableRng};
use std::io::Cursor;
use std::sync::OnceLock;

/// What comes of a file: samples at 8 kHz, or the reason.
fn outcome(file: &[u8], name: &str) -> Result<usize, String> {
    let loaded = Reader::new(Cursor::new(file.to_vec()), &Hint::of_name(name)).and_then(whole);
    match loaded {
        Ok(Loaded::Whole(pcm)) => Ok(pcm.narrow().len()),
        Ok(Loaded::Long) => Ok(usize::MAX),
        Err(error) => Err(error.to_string()),
    }
}

fn wav() -> Vec<u8> {
    Format::new(1, 1, 8_000, 16).file(&data::interleaved(1, 8_000, |sample| sample.to_le_bytes().to_vec()))
}

fn noise(length: usize) -> Vec<u8> {
    let mut octets = vec![0; length];
    StdRng::seed_from_u64(3).fill_bytes(&mut octets);
    octets
}

#[test]
fn what_cannot_be_played_says_what_it_is_and_where_it_is_broken() {
    let rate = |rate| Format::new(1, 1, rate, 16).file(&[1; 100]);
    let flac = data::flac(&data::tone(44_100), 44_100);
    let no_rate = {
        let mut file = flac.clone();
        file[25..28].fill(0);
        file
    };
    let no_frame = [&flac[..49], &noise(3_000)].concat();
    let ima = Format { block: 0, bits: 4, ..Format::new(0x11, 1, 8_000, 8) }.file(&[7; 720]);
    let small_blocks = Format { block: 3, bits: 4, ..Format::new(0x11, 1, 8_000, 8) }.file(&[7; 720]);
    let no_predictor = Format { block: 39, bits: 4, ..Format::new(2, 1, 8_000, 8) }.file(&[99; 780]);
    let cases: Vec<(&str, Vec<u8>, &[&str])> = vec![
        ("empty.wav", Vec::new(), &["is empty"]),
        ("cut.wav", wav()[..30].to_vec(), &["no sound in it"]),
        ("text.wav", b"Dear Sir or Madam, please hold the line.".to_vec(), &["text", "sox FILE"]),
        ("nothing.mp3.bin", noise(3_000), &["no sound of a form that is played", "sox FILE"]),
        ("rate.wav", rate(0), &["rate of 0 Hz", "sox FILE"]),
        ("slow.wav", rate(999), &["rate of 999 Hz"]),
        ("fast.wav", rate(384_001), &["rate of 384001 Hz"]),
        ("channels.wav", Format::new(1, 0, 8_000, 16).file(&[1; 100]), &["no channels"]),
        ("block.wav", ima, &["block align 0"]),
        ("small.wav", small_blocks, &["does not fit its channels"]),
        ("predictor.wav", no_predictor, &["Microsoft ADPCM", "octet"]),
        ("order.wav", [&b"RIFF\0\0\0\0WAVE"[..], &data::chunk(b"data", &[1; 100])].concat(), &["before the fmt chunk"]),
        ("silent.wav", Format::new(1, 1, 8_000, 16).file(&[0; 16_000]), &["holds no sound"]),
        ("g721.wav", Format { bits: 4, ..Format::new(0x40, 1, 8_000, 8) }.file(&[1; 100]), &["G.721", "sox FILE"]),
        ("garbage.mp3", noise(300_000), &["MP3", "octet", "sox FILE"]),
        ("first page.ogg", data::ogg_opus()[..20].to_vec(), &["Ogg", "no whole page"]),
        ("heads.ogg", data::VORBIS[..1_000].to_vec(), &["Ogg", "heads"]),
        ("speex.ogg", data::ogg(&[(b"Speex   1.2".to_vec(), 0)]), &["Speex", "sox FILE"]),
        ("rate.flac", no_rate, &["FLAC", "0 Hz"]),
        ("frames.flac", no_frame, &["FLAC", "no frame"]),
        ("cut.flac", flac[..30].to_vec(), &["FLAC", "before any sound"]),
        ("a.aiff", b"FORM\0\0\0\0AIFFCOMM".to_vec(), &["AIFF", "sox FILE"]),
        ("a.m4a", b"\0\0\0\x20ftypM4A \0\0\0\0".to_vec(), &["MP4"]),
        ("a.aac", b"\xFF\xF1\x50\x80\0\0\0\0\0\0".to_vec(), &["AAC"]),
    ];
    for (name, file, words) in cases {
        let told = outcome(&file, name).expect_err(name);
        for word in words {
            assert!(told.contains(word), "{name}: {told}");
        }
    }
}

#[test]
fn what_is_broken_behind_its_beginning_is_played_as_far_as_it_goes() {
    let opus = data::ogg_opus();
    let cut = outcome(&opus[..opus.len() / 2 + 7], "cut.ogg").unwrap();
    assert!((3_000..5_000).contains(&cut), "{cut}");
    // A page whose checksum is wrong is one packet less.
    let mut bad = opus.clone();
    bad[opus.len() / 2] ^= 1;
    let rest = outcome(&bad, "bad.ogg").unwrap();
    assert!((7_600..7_990).contains(&rest), "{rest}");
    // Something else between two pages is passed over.
    let page = opus.windows(4).enumerate().filter(|(_, four)| *four == b"OggS").nth(20).unwrap().0;
    let noisy = [&opus[..page], &noise(1_000), b"OggOggS", &opus[page..]].concat();
    let heard = outcome(&noisy, "noisy.ogg");
    assert!(heard.as_ref().is_ok_and(|heard| (7_500..=8_000).contains(heard)), "{heard:?}");
    let mut flac = data::flac(&data::tone(44_100), 44_100);
    let middle = flac.len() / 2;
    flac[middle] ^= 0x40;
    let heard = outcome(&flac, "bad.flac").unwrap();
    assert!((7_300..8_000).contains(&heard), "{heard}");
    let mp3 = outcome(&[&data::MP3[..700], &noise(400), &data::MP3[700..]].concat(), "noisy.mp3").unwrap();
    assert!((1_000..5_000).contains(&mp3), "{mp3}");
    let wav = wav();
    assert_eq!(outcome(&wav[..wav.len() - 8_001], "cut.wav"), Ok(3_999));
}

#[test]
fn a_sound_that_claims_to_be_huge_takes_what_it_is() {
    // Tags of 256 MiB that are not there.
    assert!(outcome(b"ID3\x04\0\0\x7F\x7F\x7F\x7FTIT2", "huge.mp3").is_err());
    let mut flac = data::flac(&data::tone(44_100), 44_100);
    flac[5..8].fill(0xFF);
    assert!(outcome(&flac, "huge.flac").is_err());
    let mut wav = wav();
    wav[40..44].fill(0xFF);
    assert_eq!(outcome(&wav, "huge.wav"), Ok(8_000));
    // Codebooks of a million million numbers in a few octets.
    let head = [&b"\x01vorbis\0\0\0\0\x01"[..], &8_000u32.to_le_bytes(), &[0; 12], &[0x88, 1]].concat();
    let setup = [&b"\x05vorbis\0BCV"[..], &u16::MAX.to_le_bytes(), &[0xFF, 0xFF, 0xFF, 0x01], &[0xFF; 64]].concat();
    let told = outcome(&data::ogg(&[(head, 0), (b"\x03vorbis".to_vec(), 0), (setup, 0)]), "huge.ogg").unwrap_err();
    assert!(told.contains("codebooks"), "{told}");
}

#[test]
fn a_bomb_goes_off_a_block_at_a_time() {
    // 65,535 samples in 13 octets, over and over: 1.3 MB are two hours.
    let mut flac = data::flac(&[], 16_000)[..49].to_vec();
    flac[15..17].fill(0xFF);
    flac[17..19].fill(0xFF);
    for number in 0..1_000u32 {
        flac.extend(data::flac_frame((number % 128) as u8, u16::MAX, &[0, 0x12, 0x34]));
    }
    let reader = Reader::new(Cursor::new(flac.clone()), &Hint::default()).unwrap();
    for block in reader.take(10) {
        assert!(block.unwrap().narrow.len() < 70_000);
    }
    assert_eq!(outcome(&flac, "bomb.flac"), Ok(usize::MAX));
    // Nothing but frames that are no sound is not read for ever.
    let nothing = [&b"OggS"[..], &[0; 300]].concat().repeat(30_000);
    assert!(matches!(
        Reader::new(Cursor::new(nothing), &Hint::default()),
        Err(Unplayable::Broken { at, .. }) if at < 5 << 20
    ));
}

fn seeds() -> &'static [(&'static str, Vec<u8>)] {
    static SEEDS: OnceLock<Vec<(&str, Vec<u8>)>> = OnceLock::new();
    SEEDS.get_or_init(make_seeds)
}

fn make_seeds() -> Vec<(&'static str, Vec<u8>)> {
    let ima = Format { block: 36, bits: 4, ..Format::new(0x11, 1, 8_000, 8) };
    let ms = Format { block: 39, bits: 4, ..Format::new(2, 1, 8_000, 8) };
    let gsm = Format { block: 65, bits: 0, ..Format::new(0x31, 1, 8_000, 8) };
    vec![
        ("a.wav", wav()[..2_000].to_vec()),
        ("a.wav", ima.file(&data::ima(&data::tone(8_000)[..650]))),
        ("a.wav", ms.file(&data::ms(&data::tone(8_000)[..660]))),
        ("a.wav", gsm.file(&data::gsm_pairs())),
        ("a.gsm", data::GSM.to_vec()),
        ("a.mp3", data::MP3.to_vec()),
        ("a.ogg", data::VORBIS.to_vec()),
        ("a.ogg", data::ogg_opus()),
        ("a.flac", data::flac(&data::tone(8_000)[..4_608], 8_000)),
        ("a.flac", data::FLAC.to_vec()),
        ("a.opus", data::OPUS.to_vec()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn no_octets_make_it_panic(
        seed in 0usize..11,
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
        cut in any::<prop::sample::Index>(),
        cuts in any::<bool>(),
    ) {
        let (name, mut file) = seeds()[seed].clone();
        for (place, value) in changes {
            let place = place.index(file.len());
            file[place] = value;
        }
        if cuts {
            file.truncate(cut.index(file.len()));
        }
        // Within the library it may: it is caught, and is an error like any other.
        let _ = outcome(&file, name);
    }
}
