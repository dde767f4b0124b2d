//! The gateway as a registrar's client.

use crate::loopback::harness::{Family, Gateway, Playing, Setup, Sipp, seconds};

fn registers_at(registrar: &Playing) -> Gateway {
    let routes = format!(
        "[trunks.carrier]\naddress = [\"{}:{}\"]\nping = \"off\"\nusername = \"acme\"\npassword = {{ plain = \"correct horse\" }}\n\
         realm = \"carrier.example\"\nregister = true\n[rooms.lobby]\n\
         [[routes]]\nname = \"In\"\nfrom = \"carrier\"\nnumber = \"2000\"\nroom = \"lobby\"\n",
        registrar.address, registrar.port
    );
    Setup::new().routes(&routes).start()
}

#[test]
fn others_have_contacts_there_too() {
    let registrar = Sipp::new("registrar_knows_others").limit(40).listen(Family::V4);
    let gateway = registers_at(&registrar);
    // Ours lasts six seconds, then nearly an hour; those of the others last longer, or shorter.
    gateway.wait_for_log("carrier for 6 s", seconds(10));
    gateway.wait_for_log("carrier for 3000 s", seconds(15));
    gateway.finish();
    registrar.finish();
}

#[test]
fn a_password_that_is_wrong_is_not_tried_again_at_once() {
    let registrar = Sipp::new("registrar_refuses").limit(40).listen(Family::V4);
    let gateway = registers_at(&registrar);
    gateway.wait_for_log("registration failed", seconds(10));
    registrar.finish();
    let remains = gateway.finish();
    assert!(remains.says(&["registration failed", "carrier", "401"]), "{}", remains.log);
}
