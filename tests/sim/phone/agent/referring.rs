//! A phone that sends others away (REFER), is sent away, and takes another's place (Replaces).

use super::Agent;
use partyline::sip::message::{HeaderName as H, Method};
use std::time::Instant;

impl Agent {
    /// REFER with these headers.
    pub(crate) fn refer(&mut self, now: Instant, headers: &[(H, &str)]) {
        let mut request = self.request(Method::Refer).with(H::Contact, self.contact());
        for (name, value) in headers {
            request.headers.push(name.clone(), value.to_string());
        }
        self.send(now, request);
    }

    /// REFER to a number at another domain.
    pub(crate) fn refer_to(&mut self, now: Instant, number: &str) {
        self.refer(now, &[(H::ReferTo, &format!("<sip:{number}@sip.carrier.example>"))]);
    }

    /// NOTIFY with a sipfrag, as an answer to the gateway's REFER.
    pub(crate) fn notify(&mut self, now: Instant, event: &str, state: &str, fragment: &'static str) {
        let mut request =
            self.request(Method::Notify).with(H::Event, event.to_owned()).with(H::SubscriptionState, state.to_owned());
        if !fragment.is_empty() {
            request = request.with_body("message/sipfrag;version=2.0", fragment);
        }
        self.send(now, request);
    }

    /// What the gateway told by NOTIFY: status lines and states of the subscription.
    pub(crate) fn news(&self) -> Vec<(String, String)> {
        let requests = self.seen.iter().filter(|seen| seen.method == Method::Notify);
        let requests = requests.filter_map(|seen| seen.message.request());
        let told = requests.map(|request| {
            assert!(request.headers.texts(&H::Event).next().unwrap().starts_with("refer;id="));
            assert_eq!(request.headers.content_type().as_deref(), Some("message/sipfrag"));
            let state = request.headers.texts(&H::SubscriptionState).next().unwrap();
            let state = state.split(';').next().unwrap().to_owned();
            (String::from_utf8_lossy(&request.body).trim_end().to_owned(), state)
        });
        told.collect()
    }

    /// The value of a Replaces header that means this phone's call, as the gateway sees it.
    pub(crate) fn as_replaces(&self) -> String {
        let dialog = self.dialog.as_ref().expect("a call");
        let to = dialog.remote_tag.as_deref().expect("an answered call");
        format!("{};to-tag={to};from-tag={}", dialog.call_id, dialog.tag)
    }
}
