//! Our number at a registrar.

use super::harness::{Family, Gateway, Playing, Setup, Sipp, seconds};

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

/// A gateway that registers all its numbers at once.
fn registers_in_bulk(registrar: &Playing) -> Gateway {
    let routes = format!(
        "[trunks.carrier]\naddress = [\"{}:{}\"]\nping = \"off\"\nusername = \"acme\"\npassword = {{ plain = \"correct horse\" }}\n\
         register = \"bulk\"\n[rooms.lobby]\n\
         [[routes]]\nname = \"In\"\nfrom = \"carrier\"\nnumber = '\\+4420794601\\d\\d'\nroom = \"lobby\"\n",
        registrar.address, registrar.port
    );
    Setup::new().routes(&routes).start()
}

#[test]
fn all_numbers_are_registered_at_once_and_called() {
    let registrar = Sipp::new("registrar_of_bulk").limit(40).listen(Family::V4);
    let gateway = registers_in_bulk(&registrar);
    gateway.wait_for("the trunk is registered", seconds(10), |status| status["trunks"][0]["state"] == "registered");
    Sipp::new("basic").at(registrar.address).number("+442079460155").run(&gateway);
    let remains = gateway.finish();
    registrar.finish();
    let record = remains.record();
    assert_eq!((&record["trunk"], &record["number"]), (&"carrier".into(), &"+442079460155".into()), "{record}");
}

#[test]
fn a_registrar_that_takes_one_number_only_is_told_with_the_setting() {
    let registrar = Sipp::new("registrar_without_bulk").limit(40).listen(Family::V4);
    let gateway = registers_in_bulk(&registrar);
    gateway.wait_for_log("registration failed", seconds(10));
    registrar.finish();
    let remains = gateway.finish();
    assert!(remains.says(&["registration failed", "420", "trunks.carrier.register", "bulk"]), "{}", remains.log);
}
