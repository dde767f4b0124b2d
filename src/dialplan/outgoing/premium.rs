//! Numbers that cost the caller extra: what fraud dials. They are refused unless the route names them by
//! `premium = true`.
//!
//! The longest prefix that fits counts. The table follows the national numbering plans as they are published to the ITU
//! (E.164, national numbering plans) and holds whole ranges: where a country puts a few cheap numbers into a dear
//! range, they are refused too. Where prefixes alone do not tell (Ireland's 15xx, Hong Kong's 900), no number is
//! refused.

/// Prefix in E.164 and what it is.
const TABLE: &[(&str, &str)] = &[
    ("+1900", "North American premium rate"),
    ("+1976", "North American premium rate"),
    ("+20900", "Egyptian premium rate"),
    ("+27862", "South African premium rate"),
    ("+27863", "South African premium rate"),
    ("+27864", "South African premium rate"),
    ("+27865", "South African premium rate"),
    ("+27866", "South African premium rate"),
    ("+27867", "South African premium rate"),
    ("+27868", "South African premium rate"),
    ("+30901", "Greek premium rate"),
    ("+30909", "Greek premium rate"),
    ("+31900", "Dutch premium rate"),
    ("+31906", "Dutch premium rate"),
    ("+31909", "Dutch premium rate"),
    ("+3270", "Belgian shared cost"),
    ("+3290", "Belgian premium rate"),
    ("+3381", "French shared cost"),
    ("+3382", "French shared cost"),
    ("+3389", "French premium rate"),
    ("+34803", "Spanish premium rate"),
    ("+34806", "Spanish premium rate"),
    ("+34807", "Spanish premium rate"),
    ("+34901", "Spanish shared cost"),
    ("+34902", "Spanish shared cost"),
    ("+34905", "Spanish premium rate"),
    ("+34907", "Spanish premium rate"),
    ("+35176", "Portuguese premium rate"),
    ("+358600", "Finnish premium rate"),
    ("+358700", "Finnish premium rate"),
    ("+3690", "Hungarian premium rate"),
    ("+3691", "Hungarian premium rate"),
    ("+39144", "Italian premium rate"),
    ("+39166", "Italian premium rate"),
    ("+39892", "Italian premium rate"),
    ("+39894", "Italian premium rate"),
    ("+39895", "Italian premium rate"),
    ("+39899", "Italian premium rate"),
    ("+4090", "Romanian premium rate"),
    ("+4184", "Swiss shared cost"),
    ("+4190", "Swiss premium rate"),
    ("+420900", "Czech premium rate"),
    ("+420906", "Czech premium rate"),
    ("+420909", "Czech premium rate"),
    ("+421900", "Slovak premium rate"),
    ("+43810", "Austrian shared cost"),
    ("+43820", "Austrian shared cost"),
    ("+43821", "Austrian shared cost"),
    ("+43900", "Austrian premium rate"),
    ("+43901", "Austrian premium rate"),
    ("+43930", "Austrian premium rate"),
    ("+43931", "Austrian premium rate"),
    ("+43939", "Austrian premium rate"),
    ("+44118", "UK directory enquiries"),
    ("+4470", "UK personal number"),
    ("+4484", "UK shared cost"),
    ("+4487", "UK shared cost"),
    ("+449", "UK premium rate"),
    ("+4590", "Danish premium rate"),
    ("+46900", "Swedish premium rate"),
    ("+46939", "Swedish premium rate"),
    ("+46944", "Swedish premium rate"),
    ("+46118", "Swedish directory enquiries"),
    ("+47820", "Norwegian premium rate"),
    ("+47829", "Norwegian premium rate"),
    ("+4870", "Polish premium rate"),
    ("+49118", "German directory enquiries"),
    ("+49137", "German mass traffic"),
    ("+49180", "German shared cost"),
    ("+49190", "German premium rate"),
    ("+49900", "German premium rate"),
    ("+52900", "Mexican premium rate"),
    ("+54600", "Argentine premium rate"),
    ("+55900", "Brazilian premium rate"),
    ("+60600", "Malaysian premium rate"),
    ("+61190", "Australian premium rate"),
    ("+64900", "New Zealand premium rate"),
    ("+651900", "Singapore premium rate"),
    ("+7803", "Russian premium rate"),
    ("+7809", "Russian premium rate"),
    ("+81990", "Japanese premium rate"),
    ("+8260", "Korean premium rate"),
    ("+90900", "Turkish premium rate"),
    ("+971900", "Emirati premium rate"),
    ("+9721900", "Israeli premium rate"),
    ("+9721919", "Israeli premium rate"),
    ("+808", "international shared cost"),
    ("+870", "satellite (Inmarsat)"),
    ("+878", "international personal number"),
    ("+881", "satellite"),
    ("+882", "international networks"),
    ("+883", "international networks"),
    ("+888", "international networks"),
    ("+979", "international premium rate"),
];

/// Digits of the shortest number that is taken for an international one without a prefix.
const SHORTEST_ABROAD: usize = 10;

/// The prefix by which `number` costs extra, and what it is. A number without `+` is tried as one of each of
/// `countries` (country codes), with and without a leading zero, and as an international one, behind a prefix or, if it
/// is long enough, as it stands.
pub(super) fn kind_of<'a>(
    number: &str,
    countries: impl Iterator<Item = &'a str>,
) -> Option<(&'static str, &'static str)> {
    if number.starts_with('+') {
        return find(number);
    }
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    let national = digits.trim_start_matches('0');
    let abroad = ["00", "011"].into_iter().filter_map(|prefix| digits.strip_prefix(prefix));
    let as_it_stands = Some(digits.as_str()).filter(|digits| digits.len() >= SHORTEST_ABROAD);
    let mut ways: Vec<String> = abroad.chain(as_it_stands).map(|rest| format!("+{rest}")).collect();
    for country in countries {
        ways.push(format!("+{country}{digits}"));
        ways.push(format!("+{country}{national}"));
    }
    ways.iter().find_map(|way| find(way))
}

fn find(number: &str) -> Option<(&'static str, &'static str)> {
    TABLE.iter().filter(|(prefix, _)| number.starts_with(prefix)).max_by_key(|(prefix, _)| prefix.len()).copied()
}
