//! What can be wrong with a description, and why an offer or answer is not taken.

/// Why bytes are no session description, or why a line of one cannot be used. Always the peer's fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SdpError {
    /// More than [`super::MAX_BYTES`].
    #[error("the session description has {bytes} bytes, more than {limit} are not read", limit = super::MAX_BYTES)]
    TooLong {
        /// How many there were.
        bytes: usize,
    },
    /// More than [`super::MAX_LINES`].
    #[error("line {line}: more than {limit} lines are not read", limit = super::MAX_LINES)]
    TooManyLines {
        /// Where reading stopped, counted from 1.
        line: usize,
    },
    /// More than [`super::MAX_MEDIA`].
    #[error("line {line}: more than {limit} m= lines are not read", limit = super::MAX_MEDIA)]
    TooManyMedia {
        /// The `m=` line that is one too many, counted from 1.
        line: usize,
    },
    /// More than [`super::MAX_FORMATS`] in one `m=` line.
    #[error("line {line}: more than {limit} formats in one m= line are not read", limit = super::MAX_FORMATS)]
    TooManyFormats {
        /// The `m=` line, counted from 1.
        line: usize,
    },
    /// The first line is not `v=0`.
    #[error("line {line}: a session description begins with v=0")]
    NotADescription {
        /// The first line that is not blank (1 if all are).
        line: usize,
    },
    /// A line cannot be read.
    #[error("line {line}: {expected}, not {text:?}")]
    Malformed {
        /// Counted from 1.
        line: usize,
        /// What should be there.
        expected: &'static str,
        /// What is there, cut short.
        text: String,
    },
}

impl SdpError {
    /// The line the error is about, counted from 1.
    #[must_use]
    pub const fn line(&self) -> Option<usize> {
        match self {
            Self::TooLong { .. } => None,
            Self::TooManyLines { line }
            | Self::TooManyMedia { line }
            | Self::TooManyFormats { line }
            | Self::NotADescription { line }
            | Self::Malformed { line, .. } => Some(*line),
        }
    }

    /// The SIP status for a request with such a body: 400, or 413 where only its size is wrong.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::TooLong { .. } => 413,
            _ => 400,
        }
    }
}

/// Why there is no agreement. An offer refused within a call leaves the call as it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No audio line is open (none at all, all with port 0, or only other media as in a T.38 re-INVITE).
    #[error("no audio stream is offered")]
    NoAudio,
    /// Audio is offered over a transport that we do not speak.
    #[error("audio is offered over {0}, which is not spoken here")]
    UnsupportedTransport(String),
    /// The audio line cannot be read.
    #[error("{0}")]
    Unreadable(SdpError),
    /// The audio line's address is none that packets could be sent to: what stands there.
    #[error("the audio line's address is not IP: {0:?}")]
    NoAddress(String),
    /// No codec of the audio line is ours.
    #[error("no common audio codec")]
    NoCommonCodec,
    /// SRTP is offered or answered, and none of its `a=crypto` lines can be used (or there is none).
    #[error("no a=crypto line can be used")]
    NoUsableCrypto,
    /// Plain RTP is offered or answered where we insist on SRTP.
    #[error("plain RTP, where SRTP is required")]
    SrtpRequired,
    /// A line of WebRTC lacks something that we cannot do without: what.
    #[error("the audio line names no {0}, which WebRTC needs")]
    IncompleteWebRtc(&'static str),
    /// A later offer of WebRTC names another certificate than the one that the call's keys come of.
    #[error("the certificate is not that of before")]
    CertificateChanged,
    /// The answer to our offer has no audio line.
    #[error("the answer has no audio line")]
    AnswerWithoutAudio,
    /// The answer to our offer turns audio down (port 0).
    #[error("the answer turns audio down")]
    AudioDeclined,
    /// The answer names a transport other than the one offered.
    #[error("the answer changes the transport to {0}")]
    AnswerChangedTransport(String),
}

impl Refusal {
    /// The SIP status that says so, for a response or a Reason header: 488 Not Acceptable Here, or 400 where what we
    /// would use cannot be read.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::Unreadable(error) => error.status(),
            _ => 488,
        }
    }

    /// Whether the transport or its encryption is the reason, so that another setting for SRTP may help.
    #[must_use]
    pub const fn is_about_security(&self) -> bool {
        matches!(self, Self::UnsupportedTransport(_) | Self::NoUsableCrypto | Self::SrtpRequired)
    }

    /// Whether the peer broke RFC 3264 (an answer it must not give), as against two sides that merely do not match.
    #[must_use]
    pub const fn is_peers_fault(&self) -> bool {
        matches!(self, Self::AnswerWithoutAudio | Self::AnswerChangedTransport(_) | Self::Unreadable(_))
    }
}
