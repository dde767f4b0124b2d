//! The dialplan as a whole: files in, plans and diagnostics out.

use super::*;

pub(super) const DEMO: &str = include_str!("../../dialplan.toml");

#[test]
fn probe() {
    let text = std::fs::read_to_string("/tmp/dp.toml").unwrap();
    match parse("dialplan.toml", &text, &Trusting) {
        Ok(loaded) => println!("{loaded:#?}\n"),
        Err(found) => println!("{found}"),
    }
    let l = parse("dialplan.toml", DEMO, &Trusting).unwrap();
    println!("{}", l.warnings);
    for d in [None, Some("482917#"), Some("1111#12#"), Some("999999#888888#777777")] {
        println!("{}------", explain::explain(&l.plan, "local", "1000", d).unwrap());
    }
    println!("{}------", explain::explain(&l.plan, "127.0.0.1", "30 00", None).unwrap());
    println!("{}------", explain::explain(&l.plan, "users", "1000", None).unwrap());
    println!("{:?}------", explain::explain(&l.plan, "locl", "1000", None));
}
