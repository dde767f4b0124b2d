//! Why a trunk cannot be reached by TLS stands in the log once, in the status, and in the record of the call that
//! failed by it.

use super::harness::{Setup, certificate, folder::Folder, seconds};
use std::net::TcpListener;
use std::sync::Arc;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ServerConfig, ServerConnection};

#[test]
fn a_call_that_failed_by_a_certificate_says_so_in_its_record() {
    let folder = Folder::new();
    certificate::issue(folder.path(), "server", "wrong.example");
    let chain = vec![CertificateDer::from_pem_file(folder.file("server.pem")).unwrap()];
    let key = PrivateKeyDer::from_pem_file(folder.file("server.key.pem")).unwrap();
    let config = Arc::new(ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            // It is the other side that ends it.
            _ = ServerConnection::new(Arc::clone(&config)).unwrap().complete_io(&mut stream.unwrap());
        }
    });
    let routes = format!(
        "[trunks.carrier]\naddress = [\"127.0.0.1:{port}\"]\ntransport = \"tls\"\nping = \"off\"\ncaller_id = \"+442079460100\"\n\
         tls = {{ ca = \"{}\", name = \"sip.carrier.example\" }}\n[rooms.standup]\nannounce = \"none\"\n\
         [[routes]]\nname = \"Out\"\nfrom = \"sessions\"\nnumber = '\\+4420\\d+'\ntrunks = [\"carrier\"]\nconfirm = false\n",
        folder.file("ca.pem").display()
    );
    let gateway = Setup::new().routes(&routes).start();
    gateway.wait_for("the trunk is found", seconds(5), |status| status["trunks"][0]["server"] != "");
    const WHY: &str = "the certificate is for wrong.example, not sip.carrier.example";
    for _ in 0..2 {
        let dialled = gateway.ctl(&["dial", "--room", "standup", "+442079460123"]);
        assert!(dialled.code() != 0 && (dialled.output + &dialled.errors).contains(WHY), "{}", gateway.log());
        let trouble = &gateway.status()["trunks"][0]["trouble"];
        assert_eq!(trouble, &format!("no TLS with 127.0.0.1:{port}: {WHY}"));
    }
    let remains = gateway.finish();
    assert_eq!(remains.records.len(), 2);
    for record in &remains.records {
        assert_eq!(
            (&record["cause"], &record["cause_detail"]),
            (&"unreachable".into(), &format!("no TLS: {WHY}").into())
        );
    }
    let told = remains.log.lines().filter(|line| line.contains("carrier: no TLS with")).count();
    assert_eq!(told, 1, "{}", remains.log);
}
