//! Called and calling numbers, brought to one form.

/// How the numbers of this country are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberRules {
    /// Country code without `+`. Default: none, national numbers then stay as they are.
    pub country_code: Option<String>,
    /// What national numbers begin with and E.164 leaves out. Default `0`; empty where there is none (Italy, Spain).
    pub national_prefix: String,
    /// What international numbers begin with instead of `+`. Default `00`.
    pub international_prefix: String,
}

impl Default for NumberRules {
    fn default() -> Self {
        Self { country_code: None, national_prefix: "0".into(), international_prefix: "00".into() }
    }
}
