//! `codecs`, `opus` and `comfort_noise`.

use super::mistakes::{mistakes, told, with};
use super::*;
use crate::types::{AudioCodec, CodecPolicy, OpusSettings};

fn plan(gateway: &str, trunk: &str) -> std::sync::Arc<Plan> {
    let text = with("gateway", gateway)
        .replace("allow = [\"127.0.0.0/8\"]\n", &format!("allow = [\"127.0.0.0/8\"]\n{trunk}\n"));
    parse("dialplan.toml", &text, &Trusting).unwrap_or_else(|found| panic!("{found}")).plan
}

#[test]
fn a_trunks_codecs_go_before_the_gateways_and_those_before_the_usual() {
    let of = |gateway, trunk| plan(gateway, trunk).trunks[0].codecs.clone();
    assert_eq!(of("", ""), CodecPolicy::default());
    let wide = [AudioCodec::G722, AudioCodec::Pcma];
    assert_eq!(of("codecs = [\"g722\", \"pcma\"]", ""), CodecPolicy::exactly(&wide));
    assert_eq!(of("codecs = \"pcmu\"", "codecs = [\"g722\", \"pcma\"]"), CodecPolicy::exactly(&wide));
}

#[test]
fn opus_and_comfort_noise_are_as_the_gateway_says() {
    let gateway = |text: &str| plan(text, "").gateway.clone();
    assert_eq!(gateway("").opus, OpusSettings::default());
    assert!(gateway("").comfort_noise && !gateway("comfort_noise = false").comfort_noise);
    let opus =
        gateway("opus = { bitrate = 32000, lossy_bitrate = 48000, complexity = 9, fec = false, dtx = true }").opus;
    let meant = OpusSettings {
        bitrate: 32_000,
        lossy_bitrate: 48_000,
        complexity: 9,
        fec: false,
        dtx: true,
        ..OpusSettings::default()
    };
    assert_eq!(opus, meant);
}

#[test]
fn mistakes_in_codecs_are_told_in_their_place() {
    for (line, expected) in [
        ("codecs = [\"pcmu\", \"speex\"]", "error: `codecs` knows no such word <\"speex\">"),
        ("codecs = []", "error: `codecs` is empty <[]>"),
        ("codecs = [\"pcmu\", \"pcma\", \"pcmu\"]", "warning: this is named twice <\"pcmu\">"),
        ("codecs = \"opus\"", "warning: neither `pcmu` nor `pcma` is among the codecs <\"opus\">"),
        ("opus = { bitrate = 5999 }", "error: `bitrate` is from 6000 to 128000 <5999>"),
        ("opus = { lossy_bitrate = 0 }", "error: `lossy_bitrate` is from 6000 to 128000 <0>"),
        ("opus = { complexity = 11 }", "error: `complexity` is from 0 to 10 <11>"),
    ] {
        let told = told(&with("gateway", line));
        assert_eq!(told, [format!("2 {expected}")], "{line}");
    }
    let shown = mistakes(&with("gateway", "codecs = [\"pcmu\", \"g711\"]")).to_string();
    assert!(shown.contains("did you mean `g722`?"), "{shown}");
}

#[test]
fn a_codec_whose_library_is_missing_is_told() {
    let text = with("trunk", "codecs = [\"g729\", \"pcmu\"]");
    let without = Files::default().with_codecs(|codec| match codec {
        AudioCodec::G729 => Err("G.729 needs the library libbcg729".into()),
        _ => Ok(()),
    });
    let found = parse("dialplan.toml", &text, &without).unwrap_err().to_string();
    assert!(found.contains("`g729` cannot be spoken") && found.contains("libbcg729"), "{found}");
    assert!(parse("dialplan.toml", &text, &Trusting).is_ok());
}

#[test]
fn explain_tells_the_codecs_that_are_named() {
    let way = |trunk: &str| {
        let question = explain::Question { from: "local", number: "1000", ..Default::default() };
        explain::explain(&plan("", trunk), &question).unwrap().to_string()
    };
    assert!(way("codecs = [\"g722\", \"pcma\"]").contains("  speaks the first of g722, pcma that is offered\n"));
    assert!(!way("").contains("speaks"));
}
