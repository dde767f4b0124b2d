//! What is played.

use super::data::{self, Format};
use crate::audio::codec::g711::Law;
use crate::audio::{goertzel, level};
use crate::sound::load::whole;
use crate::sound::{Hint, Loaded, Reader};
use sha2::{Digest, Sha256};
use std::io::Cursor;

fn reader(file: &[u8], name: &str) -> Reader {
    Reader::new(Cursor::new(file.to_vec()), &Hint::of_name(name)).unwrap_or_else(|error| panic!("{name}: it {error}"))
}

/// The form of a file, and what is heard of it.
fn heard(file: &[u8], name: &str) -> (&'static str, Vec<i16>, Option<Vec<i16>>) {
    let reader = reader(file, name);
    let form = reader.form();
    match whole(reader).unwrap_or_else(|error| panic!("{name}: it {error}")) {
        Loaded::Whole(pcm) => (form, pcm.narrow().to_vec(), pcm.wide().map(<[i16]>::to_vec)),
        Loaded::Long => panic!("{name}: is long"),
    }
}

/// The files that a telephone engineer has: name, form, whether there is more than 8 kHz hold, and the file.
fn wav_files() -> Vec<(&'static str, &'static str, bool, Vec<u8>)> {
    let pcm = |channels: u16, rate: u32, bits: u16, encode: &dyn Fn(i16) -> Vec<u8>| {
        Format::new(1, channels, rate, bits).file(&data::interleaved(channels, rate, encode))
    };
    let sixteen = |sample: i16| sample.to_le_bytes().to_vec();
    let float = |sample: i16| (f32::from(sample) / 32_768.0).to_le_bytes().to_vec();
    let double = |sample: i16| (f64::from(sample) / 32_768.0).to_le_bytes().to_vec();
    let mu = |sample: i16| data::law(Law::Mu, &[sample]);
    let a = |sample: i16| data::law(Law::A, &[sample]);
    let extensible = Format {
        tag: 0xFFFE,
        extra: [&[16, 0, 3, 0, 0, 0, 1, 0][..], b"\0\0\0\0\x10\0\x80\0\0\xAA\0\x38\x9B\x71"].concat(),
        ..Format::new(1, 2, 48_000, 16)
    };
    let rf64 = {
        let data = data::interleaved(1, 16_000, sixteen);
        let sizes = [0u64, data.len() as u64, 16_000].map(u64::to_le_bytes).concat();
        let format = Format::new(1, 1, 16_000, 16).body();
        [
            b"RF64\xFF\xFF\xFF\xFFWAVE",
            &data::chunk(b"ds64", &[&sizes[..], &[0; 4]].concat())[..],
            &data::chunk(b"fmt ", &format),
            b"data\xFF\xFF\xFF\xFF",
            &data,
            &data::chunk(b"LIST", &[0x55; 4_000]),
        ]
        .concat()
    };
    let ima = Format { block: 36, bits: 4, extra: 65u16.to_le_bytes().to_vec(), ..Format::new(0x11, 1, 8_000, 8) };
    let predictors: Vec<u8> =
        [(256i16, 0i16), (512, -256)].iter().flat_map(|(a, b)| [a.to_le_bytes(), b.to_le_bytes()].concat()).collect();
    let ms = Format {
        block: 39,
        bits: 4,
        extra: [&66u16.to_le_bytes()[..], &2u16.to_le_bytes(), &predictors].concat(),
        ..Format::new(2, 1, 8_000, 8)
    };
    vec![
        ("8 bits", "PCM", false, pcm(1, 8_000, 8, &|sample| vec![(sample >> 8) as u8 ^ 0x80])),
        ("16 bits", "PCM", false, pcm(1, 8_000, 16, &sixteen)),
        ("a compact disc", "PCM", true, pcm(2, 44_100, 16, &sixteen)),
        ("24 bits", "PCM", true, pcm(2, 48_000, 24, &|sample| [&[0][..], &sample.to_le_bytes()].concat())),
        (
            "32 bits of six channels",
            "PCM",
            true,
            pcm(6, 16_000, 32, &|sample| [&[0, 0][..], &sample.to_le_bytes()].concat()),
        ),
        ("floats", "32-bit floats", true, Format::new(3, 1, 96_000, 32).file(&data::interleaved(1, 96_000, float))),
        ("doubles", "64-bit floats", true, Format::new(3, 2, 22_050, 64).file(&data::interleaved(2, 22_050, double))),
        ("mu-law", "\u{b5}-law", false, Format::new(7, 1, 8_000, 8).file(&data::interleaved(1, 8_000, mu))),
        ("mu-law in stereo", "\u{b5}-law", true, Format::new(7, 2, 11_025, 8).file(&data::interleaved(2, 11_025, mu))),
        ("A-law", "A-law", false, Format::new(6, 1, 8_000, 8).file(&data::interleaved(1, 8_000, a))),
        ("IMA ADPCM", "IMA ADPCM", false, ima.file(&data::ima(&data::tone(8_000)))),
        ("Microsoft ADPCM", "Microsoft ADPCM", false, ms.file(&data::ms(&data::tone(8_000)))),
        ("extensible", "PCM", true, extensible.file(&data::interleaved(2, 48_000, sixteen))),
        ("RF64", "PCM", true, rf64),
        ("a low rate", "PCM", false, pcm(1, 2_000, 16, &sixteen)),
        ("the highest rate", "PCM", true, pcm(1, 384_000, 16, &sixteen)),
    ]
}

#[test]
fn wav_files_of_every_common_form_are_heard() {
    for (name, form, is_wide, file) in wav_files() {
        let (found, narrow, wide) = heard(&file, "sound.wav");
        assert_eq!((found, wide.is_some()), (form, is_wide), "{name}");
        assert!((7_800..=8_000).contains(&narrow.len()), "{name}: {} samples", narrow.len());
        let inner = &narrow[400..7_600];
        let [tone, all] = [goertzel::tone_dbfs(inner, 8_000, 440.0), level::dbfs(inner)];
        assert!((tone + 6.0).abs() < 0.3, "{name}: {tone} dBFS");
        assert!((all - tone).abs() < 0.2, "{name}: {all} dBFS in all, {tone} of the tone");
        if let Some(wide) = wide {
            assert_eq!(wide.len(), 2 * narrow.len(), "{name}");
            assert!((goertzel::tone_dbfs(&wide[800..15_200], 16_000, 440.0) + 6.0).abs() < 0.3, "{name}");
        }
    }
}

#[test]
fn gsm_is_decoded_to_the_bit() {
    // The digest of what libgsm makes of it, by sox and by ffmpeg.
    const DIGEST: &str = "bd2cea0ccf4863fdc798fa133a079033653c57d0ae9d96d7992d7fbb24154b52";
    let pairs = Format { block: 65, bits: 0, extra: 320u16.to_le_bytes().to_vec(), ..Format::new(0x31, 1, 8_000, 8) };
    for (name, file) in [("speech.gsm", data::GSM.to_vec()), ("speech.wav", pairs.file(&data::gsm_pairs()))] {
        let (form, narrow, wide) = heard(&file, name);
        assert_eq!((form, wide), ("GSM", None), "{name}");
        let octets: Vec<u8> = narrow.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        let digest: String = Sha256::digest(octets).iter().map(|octet| format!("{octet:02x}")).collect();
        assert_eq!(digest, DIGEST, "{name}");
    }
}

#[test]
fn files_without_a_head_are_known_by_their_names() {
    let tone = data::tone(8_000);
    for (names, law, form) in
        [(["a.ulaw", "A.UL", "a.pcmu"], Law::Mu, "\u{b5}-law"), (["a.alaw", "a.al", "b.c.pcma"], Law::A, "A-law")]
    {
        for name in names {
            let (found, narrow, wide) = heard(&data::law(law, &tone), name);
            assert_eq!((found, narrow.len(), wide), (form, 8_000, None), "{name}");
            assert!((goertzel::tone_dbfs(&narrow, 8_000, 440.0) + 6.0).abs() < 0.2, "{name}");
        }
    }
    // But what a file is goes before what it is called.
    let wav = Format::new(1, 1, 8_000, 16).file(&data::interleaved(1, 8_000, |sample| sample.to_le_bytes().to_vec()));
    assert_eq!(heard(&wav, "a.ulaw").0, "PCM");
    assert_eq!(heard(&wav, "a.mp3").0, "PCM");
    let said = Hint::of_name("sound").or_content_type("audio/PCMA; rate=8000");
    assert_eq!(Reader::new(Cursor::new(data::law(Law::A, &tone)), &said).unwrap().form(), "A-law");
}

#[test]
fn what_the_web_has_is_heard_whatever_it_is_called() {
    let tagged = [&b"ID3\x04\0\0\0\0\x02\x00"[..], &[0; 256], data::MP3].concat();
    for (file, form, seconds) in [
        (data::MP3.to_vec(), "MP3", 0.5),
        (tagged, "MP3", 0.5),
        (data::VORBIS.to_vec(), "Ogg Vorbis", 0.5),
        (data::ogg_opus(), "Ogg Opus", 1.0),
        (data::OPUS.to_vec(), "Ogg Opus", 0.5),
        (data::flac(&data::tone(44_100), 44_100), "FLAC", 0.99),
        (data::FLAC.to_vec(), "FLAC", 0.25),
    ] {
        let (found, narrow, wide) = heard(&file, "hold");
        assert_eq!(found, form);
        let length = narrow.len() as f64 / 8_000.0;
        assert!((length - seconds).abs() < 0.03, "{form}: {length} s");
        let inner = &narrow[400..1_800];
        let [tone, all] = [goertzel::tone_dbfs(inner, 8_000, 440.0), level::dbfs(inner)];
        assert!((tone + 6.0).abs() < 0.7, "{form}: {tone} dBFS");
        assert!((all - tone).abs() < 0.2, "{form}: {all} dBFS in all, {tone} of the tone");
        let wide = wide.unwrap();
        assert!((goertzel::tone_dbfs(&wide[800..3_600], 16_000, 440.0) + 6.0).abs() < 0.7, "{form}");
    }
}

#[test]
fn streams_that_are_chained_are_heard_one_after_the_other() {
    let both = [&data::ogg_opus()[..], data::VORBIS, &data::ogg_opus()].concat();
    let (_, narrow, _) = heard(&both, "radio.ogg");
    assert!((narrow.len() as i64 - 20_000).abs() < 300, "{} samples", narrow.len());
}

#[test]
fn what_is_longer_than_a_minute_is_decoded_while_it_is_played() {
    let minute = data::tone(8_000).repeat(60);
    for (extra, is_long) in [(0, false), (1, true)] {
        let mut samples = minute.clone();
        samples.extend(vec![5; extra]);
        let file = data::law(Law::Mu, &samples);
        assert_eq!(matches!(whole(reader(&file, "a.ulaw")), Ok(Loaded::Long)), is_long);
    }
    let long = data::law(Law::Mu, &minute.repeat(2));
    let mut samples = 0;
    for block in reader(&long, "a.ulaw") {
        let block = block.unwrap();
        assert_eq!(block.wide.len(), 2 * block.narrow.len());
        assert!(block.narrow.len() < 20_000);
        samples += block.narrow.len();
    }
    assert_eq!(samples, 2 * minute.len());
}
