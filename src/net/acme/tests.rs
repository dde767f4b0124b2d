//! What is kept, shown and tried again. The authority is in `tests/loopback/http/acme.rs`.

use super::files::Files;
use super::order::proof;
use super::{ACME_TLS, AcmeCertificate, FIRST_WAIT, LONGEST_WAIT, acme_acceptor, wait_after};
use crate::dialplan::Acme;
use rcgen::{CertificateParams, KeyPair};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};

fn settings() -> Acme {
    Acme {
        domains: vec!["conference.example.com".into()],
        contact: None,
        directory: "https://127.0.0.1:14000/dir".into(),
        ca: None,
    }
}

/// A folder of its own, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("partyline-acme-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A certificate and its key in one PEM, from the beginning of 2024 to that of 2025.
fn issued(names: &[&str]) -> String {
    let mut parameters = CertificateParams::new(names.iter().map(ToString::to_string).collect::<Vec<_>>()).unwrap();
    parameters.not_before = rcgen::date_time_ymd(2024, 1, 1);
    parameters.not_after = rcgen::date_time_ymd(2025, 1, 1);
    let key = KeyPair::generate().unwrap();
    parameters.self_signed(&key).unwrap().pem() + &key.serialize_pem()
}

fn days_into_2024(days: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_704_067_200) + Duration::from_secs(days * 86_400)
}

#[test]
fn a_certificate_is_kept_and_renewed_when_a_third_of_its_time_is_left() {
    let folder = Folder::new("kept");
    let files = Files::open(&folder.0, &settings()).unwrap();
    assert!(files.certificate().is_none());
    let kept = files.keep_certificate(&issued(&["conference.example.com", "www.example.com"])).unwrap();
    assert_eq!((kept.from, kept.until), (days_into_2024(0), days_into_2024(366)));
    for again in [kept, Files::open(&folder.0, &settings()).unwrap().certificate().unwrap()] {
        assert_eq!(again.due(&settings().domains), Some(days_into_2024(244)));
        assert_eq!(again.due(&["other.example.com".into()]), None, "for another name it is of no use");
        assert_eq!(again.to_string(), "valid until 2025-01-01T00:00:00Z");
    }
    let path = folder.0.join("acme/127.0.0.1-14000/certificate.pem");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    // Another authority has another folder.
    let staging = Acme { directory: "https://acme.example/directory".into(), ..settings() };
    assert!(Files::open(&folder.0, &staging).unwrap().certificate().is_none());
}

#[test]
fn what_is_no_certificate_for_its_key_is_not_shown() {
    let folder = Folder::new("broken");
    let files = Files::open(&folder.0, &settings()).unwrap();
    let [one, other] = [issued(&["a.example.com"]), issued(&["a.example.com"])];
    let key = other.find("-----BEGIN PRIVATE").unwrap();
    let foreign = format!("{}{}", &one[..one.find("-----BEGIN PRIVATE").unwrap()], &other[key..]);
    for bad in ["", "no PEM", &foreign] {
        assert!(files.keep_certificate(bad).is_err());
        assert!(files.certificate().is_none());
    }
}

#[test]
fn an_order_that_fails_is_tried_again_ever_less_often() {
    let waits: Vec<_> = (0..20).map(wait_after).collect();
    assert_eq!(waits[..3], [FIRST_WAIT, 2 * FIRST_WAIT, 4 * FIRST_WAIT]);
    assert!(waits.is_sorted() && waits[19] == LONGEST_WAIT);
    // Authorities take five failures an hour.
    assert!(waits[..6].iter().sum::<Duration>() >= Duration::from_secs(3_600));
}

/// Believes everybody.
#[derive(Debug)]
struct Anybody;

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        ring::default_provider().signature_verification_algorithms.supported_schemes()
    }
}

/// What `certificate`'s server shows to somebody who asks for `name`, and what they agree to speak.
async fn shown(certificate: &AcmeCertificate, name: &str, speaks: &[&[u8]]) -> Option<(Vec<u8>, Option<Vec<u8>>)> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let acceptor = certificate.acceptor();
    tokio::spawn(async move { acceptor.accept(listener.accept().await.unwrap().0).await.map(drop) });
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anybody))
        .with_no_client_auth();
    config.alpn_protocols = speaks.iter().map(|protocol| protocol.to_vec()).collect();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let connected = TlsConnector::from(Arc::new(config)).connect(name, stream).await.ok()?;
    let (_, session) = connected.get_ref();
    Some((session.peer_certificates()?.first()?.to_vec(), session.alpn_protocol().map(<[u8]>::to_vec)))
}

#[tokio::test]
async fn who_only_looks_whether_a_name_is_ours_sees_the_proof_and_nobody_else_does() {
    const NAME: &str = "conference.example.com";
    let certificate = AcmeCertificate::default();
    assert_eq!(shown(&certificate, NAME, &[b"http/1.1"]).await, None, "there is none yet");
    let folder = Folder::new("shown");
    let kept = Files::open(&folder.0, &settings()).unwrap().keep_certificate(&issued(&[NAME])).unwrap();
    let ours = kept.key.cert[0].to_vec();
    certificate.show(kept.key);
    let proof = proof(NAME, &[7; 32]).unwrap();
    let proven = proof.cert[0].to_vec();
    certificate.challenge(NAME, proof);
    let http = b"http/1.1".to_vec();
    for speaks in [&[&b"h2"[..], b"http/1.1"][..], &[ACME_TLS, b"http/1.1"]] {
        assert_eq!(shown(&certificate, NAME, speaks).await, Some((ours.clone(), Some(http.clone()))));
    }
    assert_eq!(shown(&certificate, NAME, &[]).await, Some((ours, None)));
    assert_eq!(shown(&certificate, NAME, &[ACME_TLS]).await, Some((proven.clone(), Some(ACME_TLS.to_vec()))));
    assert_eq!(shown(&certificate, "other.example.com", &[ACME_TLS]).await, None);
    // RFC 8737 section 3: the digest as an octet string within one, critical.
    let extension = [&[0x06, 8, 0x2b, 6, 1, 5, 5, 7, 1, 31, 1, 1, 0xff, 4, 34, 4, 32][..], &[7; 32]].concat();
    assert!(proven.windows(extension.len()).any(|window| window == extension));
    certificate.forget_challenges();
    assert_eq!(shown(&certificate, NAME, &[ACME_TLS]).await, None);
}

#[tokio::test]
async fn an_authority_that_is_not_there_is_told_and_what_is_kept_is_shown() {
    let folder = Folder::new("down");
    let settings = Acme { directory: "https://127.0.0.1:9/dir".into(), ..settings() };
    let files = Files::open(&folder.0, &settings).unwrap();
    // It is over since 2025: better than nothing.
    files.keep_certificate(&issued(&["conference.example.com"])).unwrap();
    let text = "[gateway]\nhttps = \"127.0.0.1:8443\"\nacme = { domains = \"conference.example.com\" }\n\
                [trunks.a]\nallow = \"192.0.2.1\"\n[[routes]]\nname = \"R\"\nfrom = \"a\"\nnumber = '1'\nroom = \"r\"\n";
    let plan = crate::dialplan::parse("dialplan.toml", text, &crate::dialplan::Trusting).unwrap().plan;
    let mut plan = crate::dialplan::Plan::clone(&plan);
    plan.gateway.data.clone_from(&folder.0);
    let (_, certificate) = acme_acceptor(&plan, &settings).unwrap();
    assert!(shown(&certificate, "conference.example.com", &[]).await.is_some());
    let limit = tokio::time::timeout(Duration::from_secs(30), async {
        while certificate.trouble().is_empty() {
            tokio::task::yield_now().await;
        }
    });
    limit.await.unwrap();
    let trouble = certificate.trouble();
    assert!(trouble.starts_with("no certificate for conference.example.com from ACME: "), "{trouble}");
}
