//! What phones do that others do not.

/// Ways of a phone, good and bad.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Habits {
    /// ACKs that never leave the phone.
    pub(crate) loses_acks: u32,
    /// The answer to an offer of the gateway, if not 200.
    pub(crate) refuses_offers: Option<u16>,
    /// Session-Expires of the INVITE in seconds, and who is to refresh: the gateway, if not said otherwise.
    pub(crate) session: Option<u32>,
    pub(crate) refresher: &'static str,
    /// The INVITE has no offer: it comes with the ACK.
    pub(crate) late_offer: bool,
    /// When we are called, a CANCEL changes nothing.
    pub(crate) ignores_cancel: bool,
    /// Reason of BYE and CANCEL.
    pub(crate) reason: Option<&'static str>,
}

impl Default for Habits {
    fn default() -> Self {
        Self {
            loses_acks: 0,
            refuses_offers: None,
            session: None,
            refresher: "uas",
            late_offer: false,
            ignores_cancel: false,
            reason: None,
        }
    }
}
