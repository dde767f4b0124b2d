//! Why a handshake with a server failed, in words for the one who has to mend it.

use super::client::{ConnectError, OtherName};
use std::io;
use std::time::{Duration, UNIX_EPOCH};
use tokio_rustls::rustls::pki_types::UnixTime;
use tokio_rustls::rustls::{AlertDescription as Alert, CertificateError as Bad, Error, OtherError, PeerIncompatible};

/// The cause as a sentence without its full stop.
pub(in crate::net) fn in_words(error: &ConnectError) -> String {
    match error {
        ConnectError::Handshake(error) => match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
            Some(error) => of_rustls(error),
            None => of_stream(error),
        },
        ConnectError::Settings(error) => of_rustls(error),
        other => other.to_string(),
    }
}

fn of_stream(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
            "the peer closed the connection during the handshake".into()
        }
        _ => error.to_string(),
    }
}

fn of_rustls(error: &Error) -> String {
    const TOO_OLD: &str = "the peer speaks no TLS 1.2 or later";
    match error {
        Error::InvalidCertificate(bad) => of_certificate(bad),
        Error::AlertReceived(Alert::ProtocolVersion)
        | Error::PeerIncompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13 | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
        ) => TOO_OLD.into(),
        Error::PeerIncompatible(why) => format!("the peer and we have no way of encryption in common ({why:?})"),
        Error::AlertReceived(Alert::HandshakeFailure | Alert::InsufficientSecurity) => {
            "the peer says that it and we have no way of encryption in common".into()
        }
        Error::AlertReceived(
            alert @ (Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateRevoked
            | Alert::CertificateExpired
            | Alert::CertificateUnknown
            | Alert::UnknownCA
            | Alert::AccessDenied
            | Alert::CertificateRequired),
        ) => format!("the peer does not take our certificate ({alert:?})"),
        Error::AlertReceived(Alert::UnrecognisedName) => "the peer does not know the name we asked for".into(),
        Error::AlertReceived(alert) => format!("the peer gave up the handshake ({alert:?})"),
        Error::InvalidMessage(_) | Error::InappropriateMessage { .. } => {
            "the peer does not speak TLS on this port".into()
        }
        other => other.to_string(),
    }
}

fn of_certificate(bad: &Bad) -> String {
    match bad {
        Bad::ExpiredContext { not_after, .. } => format!("the certificate expired on {}", date(*not_after)),
        Bad::Expired => "the certificate expired".into(),
        Bad::NotValidYetContext { not_before, .. } => {
            format!("the certificate is not valid before {}", date(*not_before))
        }
        Bad::NotValidYet => "the certificate is not valid yet".into(),
        Bad::UnknownIssuer => "it is signed by an authority we do not know".into(),
        Bad::Other(OtherError(other)) => match other.downcast_ref::<OtherName>() {
            Some(name) => name.to_string(),
            None => format!("the certificate cannot be used: {other}"),
        },
        other => format!("the certificate cannot be used: {other}"),
    }
}

/// `2026-01-02`, in UTC.
fn date(time: UnixTime) -> String {
    let text = humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_secs(time.as_secs())).to_string();
    text.split('T').next().unwrap_or_default().to_owned()
}
