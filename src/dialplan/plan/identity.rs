//! How a trunk writes numbers, and what it is told of callers.

/// How numbers are written to a trunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum NumberFormat {
    /// `+442079460100`.
    #[default]
    PlusE164,
    /// `442079460100`.
    E164,
    /// `02079460100` within the trunk's country, `00…` elsewhere.
    National,
}

/// The header that tells a trunk who calls (RFC 3325).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum IdentityHeader {
    /// From alone.
    #[default]
    From,
    /// P-Asserted-Identity besides: the trunk believes us.
    Asserted,
    /// P-Preferred-Identity besides: the trunk chooses, among our numbers, the one that we prefer.
    Preferred,
}

/// What stands in the From of calls to a trunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum FromUser {
    /// The number that is shown.
    #[default]
    Number,
    /// Our user name there.
    Username,
}

/// What a trunk is told of who calls, and believed of who calls in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Identity {
    /// Whether P-Asserted-Identity, Remote-Party-ID, Diversion and headers unknown to us are believed when a call comes
    /// in. Default no: who calls is what From says, and the others reach no session.
    pub trusted: bool,
    /// Where our number stands. Default From alone.
    pub header: IdentityHeader,
    /// What From says. Default the number.
    pub from: FromUser,
    /// How numbers are written there, called numbers too. Default `+442079460100`.
    pub format: NumberFormat,
    /// Whether a call that was forwarded shows the number of who called us, instead of our own. Default no: few trunks
    /// let a customer show others' numbers.
    pub show_caller: bool,
    /// Whether a forwarded call says by Diversion (RFC 5806) which number of ours was called. Default no.
    pub diversion: bool,
}
