//! Telephones of four codecs in one room: each hears the others, and not itself.

use super::harness::baresip::Baresip;
use super::harness::slot::Slot;
use super::harness::{PIN, Phone, Setup, sound};

/// Seconds that a baresip is there for.
const LENGTH: u64 = 14;

#[test]
fn mu_law_a_law_g722_and_opus_hear_each_other_in_one_room() {
    let _slot = Slot::take();
    let gateway = Setup::new().start();
    let keyed = format!("{PIN}#");
    let baresip = |hertz: f64, codec: &str| {
        let mut baresip = Baresip::call_with(&gateway, "1000", false, hertz, LENGTH, &format!(";audio_codecs={codec}"));
        baresip.wait_for_answer();
        // With Opus its digits are of another clock than its sound.
        baresip.keys(&keyed);
        baresip
    };
    let (opus, g722) = (baresip(1_300.0, "opus/48000/2"), baresip(900.0, "G722/16000/1"));
    gateway.wait_for_members("demo", 2);
    let phone = |hertz: f64, codec: &'static str| {
        Phone::dials("1000").speaks(codec).says(hertz).keys(&keyed, 0.5).seconds(6.0).call(&gateway)
    };
    let (mu_law, a_law, full) = (phone(500.0, "pcmu"), phone(700.0, "pcma"), phone(1_900.0, "opus"));
    gateway.wait_for_members("demo", 5);
    let codecs = gateway.ctl(&["calls"]).output;
    for codec in ["opus", "G722", "PCMU", "PCMA"] {
        assert!(codecs.contains(codec), "{codecs}");
    }
    let heard = [
        (500.0, mu_law.finish().answered().heard),
        (700.0, a_law.finish().answered().heard),
        (1_900.0, full.finish().answered().heard),
        (900.0, g722.finish(LENGTH)),
        (1_300.0, opus.finish(LENGTH)),
    ];
    for (own, samples) in &heard {
        for (other, _) in heard.iter().filter(|(other, _)| other != own) {
            sound::assert_hears_other_not_own(&format!("the one of {own} Hz"), samples, *other, *own);
        }
    }
    let remains = gateway.finish();
    assert_eq!(remains.records.len(), 5);
    remains.assert_silent_about(&[PIN]);
}

/// By a library that is loaded where the dialplan names its codec.
#[test]
fn g729_and_mu_law_hear_each_other() {
    let _slot = Slot::take();
    let gateway = Setup::new().setting("codecs = [\"g729\", \"pcmu\"]").start();
    let keyed = format!("{PIN}#");
    let phone = |hertz: f64, codec: &'static str| {
        Phone::dials("1000").speaks(codec).says(hertz).keys(&keyed, 0.5).seconds(6.0).call(&gateway)
    };
    let phones = [(500.0, phone(500.0, "g729")), (700.0, phone(700.0, "pcmu"))];
    gateway.wait_for_members("demo", 2);
    let codecs = gateway.ctl(&["calls"]).output;
    assert!(codecs.contains("G729") && codecs.contains("PCMU"), "{codecs}");
    for ((own, phone), other) in phones.into_iter().zip([700.0, 500.0]) {
        let heard = phone.finish().answered().heard;
        sound::assert_hears_other_not_own(&format!("the one of {own} Hz"), &heard, other, own);
    }
    gateway.finish();
}
