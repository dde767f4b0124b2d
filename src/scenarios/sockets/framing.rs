//! Sound in JSON messages, as the VoxEngine platform frames it: `start`, `media` with a base64 payload, `stop`. What
//! the sound is, and where it comes from, is not told apart here.

use super::encoding::Encoding;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};

/// A text that came.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Framed {
    /// Sound begins.
    Start { tag: String, encoding: Encoding, custom: String },
    /// A piece of it.
    Media { tag: String, payload: Vec<u8> },
    /// It is over.
    Stop { tag: String },
    /// About sound, but not to be used: why.
    Bad(String),
    /// About anything else.
    Text,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    event: String,
    #[serde(default)]
    tag: String,
    start: Option<Start>,
    media: Option<Media>,
    stop: Option<Stop>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Start {
    tag: Option<String>,
    #[serde(default)]
    media_format: MediaFormat,
    custom_parameters: Option<serde_json::Value>,
}

#[derive(Deserialize, Serialize, Default)]
#[serde(rename_all = "camelCase")]
struct MediaFormat {
    encoding: Option<String>,
    sample_rate: Option<u32>,
    #[serde(skip_deserializing)]
    channels: u32,
}

#[derive(Deserialize)]
struct Media {
    tag: Option<String>,
    payload: String,
}

#[derive(Deserialize)]
struct Stop {
    tag: Option<String>,
}

/// What a text is.
pub(super) fn read(text: &str) -> Framed {
    // Most texts of programs are JSON as well.
    let Ok(message) = serde_json::from_str::<Message>(text) else { return Framed::Text };
    let Message { event, tag: outer, start, media, stop } = message;
    let tag_of = |inner: Option<String>| inner.unwrap_or(outer.clone());
    match (&*event, start, media) {
        ("start", Some(start), _) => {
            let MediaFormat { encoding, sample_rate, .. } = start.media_format;
            let Some(encoding) = Encoding::named(encoding.as_deref(), sample_rate) else {
                let rate = sample_rate.map_or_else(String::new, |rate| format!(" at {rate} Hz"));
                return Framed::Bad(format!("the encoding {:?}{rate} is unknown", encoding.unwrap_or_default()));
            };
            let custom = match start.custom_parameters {
                Some(serde_json::Value::String(written)) => written,
                Some(value) => value.to_string(),
                None => String::new(),
            };
            Framed::Start { tag: tag_of(start.tag), encoding, custom }
        }
        ("media", _, Some(media)) => match BASE64_STANDARD.decode(&media.payload) {
            Ok(payload) => Framed::Media { tag: tag_of(media.tag), payload },
            Err(_) => Framed::Bad("the payload is no base64".to_owned()),
        },
        ("stop", ..) => Framed::Stop { tag: tag_of(stop.and_then(|stop| stop.tag)) },
        ("start" | "media", ..) => Framed::Bad(format!("{event} without its part of that name")),
        _ => Framed::Text,
    }
}

/// Sound that is sent, message by message.
#[derive(Debug)]
pub(super) struct Sent {
    encoding: Encoding,
    tag: String,
    sequence: u64,
    octets: u64,
    samples: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Out<'a> {
    event: &'a str,
    sequence_number: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    start: Option<OutStart<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    media: Option<OutMedia<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stop: Option<OutStop<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OutStart<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    tag: &'a str,
    media_format: MediaFormat,
    #[serde(skip_serializing_if = "str::is_empty")]
    custom_parameters: &'a str,
}

#[derive(Serialize)]
struct OutMedia<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    tag: &'a str,
    chunk: u64,
    /// Samples before it.
    timestamp: u64,
    payload: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OutStop<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    tag: &'a str,
    media_info: MediaInfo,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MediaInfo {
    bytes_sent: u64,
    /// Milliseconds.
    duration: u64,
}

impl Sent {
    /// Sound begins. Gives the message that says so.
    pub(super) fn start(encoding: Encoding, tag: String, custom: &str) -> (Self, String) {
        let sent = Self { encoding, tag, sequence: 0, octets: 0, samples: 0 };
        let format =
            MediaFormat { encoding: Some(encoding.name().to_owned()), sample_rate: Some(encoding.rate()), channels: 1 };
        let start = OutStart { tag: &sent.tag, media_format: format, custom_parameters: custom };
        let text = sent.message("start", |out| out.start = Some(start));
        (sent, text)
    }

    /// The next piece, in samples of the encoding's rate. What is lost counts: `chunk` goes on as if it had been sent.
    pub(super) fn media(&mut self, samples: &[i16]) -> String {
        let octets = self.encoding.encode(samples);
        self.sequence += 1;
        let media = OutMedia {
            tag: &self.tag,
            chunk: self.sequence,
            timestamp: self.samples,
            payload: BASE64_STANDARD.encode(&octets),
        };
        let text = self.message("media", |out| out.media = Some(media));
        self.octets += octets.len() as u64;
        self.samples += samples.len() as u64;
        text
    }

    /// It is over.
    pub(super) fn stop(mut self) -> String {
        self.sequence += 1;
        let duration = self.samples * 1_000 / u64::from(self.encoding.rate());
        let info = MediaInfo { bytes_sent: self.octets, duration };
        let stop = OutStop { tag: &self.tag, media_info: info };
        self.message("stop", |out| out.stop = Some(stop))
    }

    fn message<'a>(&'a self, event: &'a str, fill: impl FnOnce(&mut Out<'a>)) -> String {
        let mut out = Out { event, sequence_number: self.sequence, start: None, media: None, stop: None };
        fill(&mut out);
        serde_json::to_string(&out).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_platform_documents_is_read_wherever_the_tag_stands() {
        let start = r#"{"event":"start","sequenceNumber":0,"start":{"tag":"a","mediaFormat":
            {"encoding":"ULAW","sampleRate":8000},"customParameters":{"x":1}}}"#;
        let expected = Framed::Start { tag: "a".into(), encoding: Encoding::Ulaw, custom: r#"{"x":1}"#.into() };
        assert_eq!(read(start), expected);
        let media =
            r#"{"event":"media","tag":"a","sequenceNumber":1,"media":{"chunk":1,"timestamp":0,"payload":"AAE="}}"#;
        assert_eq!(read(media), Framed::Media { tag: "a".into(), payload: vec![0, 1] });
        assert_eq!(
            read(r#"{"event":"stop","stop":{"mediaInfo":{"duration":5}}}"#),
            Framed::Stop { tag: String::new() }
        );
        for other in ["hello", "5", "{}", r#"{"event":"mine"}"#, r#"{"customEvent":"start"}"#, "[]"] {
            assert_eq!(read(other), Framed::Text, "{other}");
        }
        for bad in [
            r#"{"event":"start","start":{"mediaFormat":{"encoding":"MP3"}}}"#,
            r#"{"event":"media","media":{"payload":"?"}}"#,
            r#"{"event":"media"}"#,
        ] {
            assert!(matches!(read(bad), Framed::Bad(_)), "{bad}");
        }
    }

    #[test]
    fn what_is_sent_counts_pieces_and_samples() {
        let (mut sent, start) = Sent::start(Encoding::Pcm16, "t".into(), "{\"a\":1}");
        let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        let expected = serde_json::json!({ "event": "start", "sequenceNumber": 0, "start": { "tag": "t",
            "mediaFormat": { "encoding": "PCM16", "sampleRate": 16_000, "channels": 1 },
            "customParameters": "{\"a\":1}" } });
        assert_eq!(json(&start), expected);
        sent.media(&[0; 320]);
        let media = json(&sent.media(&[1; 320]));
        assert_eq!((&media["media"]["chunk"], &media["media"]["timestamp"]), (&2.into(), &320.into()));
        let stop = json(&sent.stop());
        assert_eq!(stop["stop"]["mediaInfo"], serde_json::json!({ "bytesSent": 1_280, "duration": 40 }));
    }
}
