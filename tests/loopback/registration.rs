//! Our number at a registrar.

use super::harness::{Family, Setup, Sipp, seconds};

#[test]
fn a_trunk_registers_with_a_digest_refreshes_and_leaves() {
    let registrar = Sipp::new("registrar").limit(40).listen(Family::V4);
    let routes = format!(
        "[trunks.carrier]\naddress = [\"{}:{}\"]\nping = \"off\"\nusername = \"acme\"\npassword = {{ env = \"CARRIER_PASSWORD\" }}\n\
         realm = \"carrier.example\"\nregister = true\n[rooms.lobby]\n\
         [[routes]]\nname = \"In\"\nfrom = \"carrier\"\nnumber = \"2000\"\nroom = \"lobby\"\n",
        registrar.address, registrar.port
    );
    let gateway = Setup::new().routes(&routes).environment("CARRIER_PASSWORD", "correct horse").start();
    gateway.wait_for("the trunk is registered", seconds(10), |status| status["trunks"][0]["state"] == "registered");
    gateway.wait_for_log("for 3600 s", seconds(20));
    let remains = gateway.finish();
    registrar.finish();
    assert!(!remains.log.contains("correct horse"), "the password is in the log");
    assert!(remains.says(&["registered", "carrier"]), "{}", remains.log);
}
