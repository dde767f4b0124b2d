//! Numbers that save lives, and that a conference gateway must not call: it cannot tell them where the caller is, its
//! line may be down when it matters, and a mistaken call keeps somebody else waiting.
//!
//! Refused whatever the routes say, in every way they may be dialled: bare, after digits for an outside line or a
//! national prefix (`0112`, `91911`), after an international one (`00112`), behind a country code (`+44999`, `44999`),
//! with `#` or `*` about them, after what shows or hides the caller (`*31#112`, `141999`).

/// Refused everywhere, whatever the country: the numbers that mean help in most of the world.
const EVERYWHERE: [&str; 8] = ["112", "911", "999", "000", "110", "118", "119", "111"];

/// Further ones by country code: police, fire, ambulance, coast guard, poison and the like, and what reaches them.
const BY_COUNTRY: &[(&str, &[&str])] = &[
    ("1", &["911", "933", "988"]),
    ("7", &["101", "102", "103", "104", "112"]),
    ("20", &["122", "123", "180"]),
    ("27", &["10111", "10177", "112", "107"]),
    ("30", &["100", "108", "112", "166", "199"]),
    ("31", &["112", "113", "116000", "116111", "116123"]),
    ("32", &["100", "101", "102", "103", "106", "107", "110", "112"]),
    ("33", &["15", "17", "18", "112", "114", "115", "116", "119", "191", "196", "197"]),
    ("34", &["061", "062", "080", "085", "088", "091", "092", "112"]),
    ("36", &["104", "105", "107", "112"]),
    ("39", &["112", "113", "115", "117", "118", "1515", "1522", "1530"]),
    ("40", &["112"]),
    ("41", &["112", "117", "118", "143", "144", "145", "147", "1414"]),
    ("43", &["112", "122", "128", "133", "140", "141", "142", "144", "147"]),
    ("44", &["999", "112", "101", "105", "111", "116123", "18000"]),
    ("45", &["112", "114"]),
    ("46", &["112", "11414", "113", "1177"]),
    ("47", &["110", "112", "113", "120"]),
    ("48", &["112", "986", "991", "992", "993", "994", "997", "998", "999"]),
    ("49", &["110", "112", "115", "19222"]),
    ("52", &["911", "066", "065", "060"]),
    ("54", &["100", "101", "106", "107", "911"]),
    ("55", &["190", "191", "192", "193", "199"]),
    ("61", &["000", "106", "112"]),
    ("64", &["111"]),
    ("65", &["993", "995", "999"]),
    ("81", &["110", "118", "119", "171"]),
    ("82", &["111", "112", "113", "117", "118", "119", "122"]),
    ("86", &["110", "119", "120", "122"]),
    ("90", &["110", "112", "122", "155", "156", "158", "177"]),
    ("91", &["100", "101", "102", "108", "112", "1091"]),
    ("351", &["112", "115", "117"]),
    ("352", &["112", "113"]),
    ("353", &["112", "999"]),
    ("358", &["112", "116117"]),
    ("380", &["101", "102", "103", "104", "112"]),
    ("420", &["112", "150", "155", "156", "158"]),
    ("421", &["112", "150", "155", "158", "159"]),
    ("852", &["112", "992", "999"]),
    ("971", &["997", "998", "999", "996"]),
    ("972", &["100", "101", "102", "103", "112"]),
];

/// What is dialled before a number to show or hide one's own.
const CALLER_ID: [&str; 5] = ["141", "1470", "31", "67", "82"];

/// The emergency number that `number` reaches, in one of `countries` (country codes without `+`) or, where it has a
/// country code of its own, there.
pub(super) fn found_in<'a>(number: &str, countries: impl Iterator<Item = &'a str>) -> Option<String> {
    let international = number.starts_with('+');
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    let mut known: Vec<&str> = EVERYWHERE.to_vec();
    let of = |country: &str| BY_COUNTRY.iter().find(|(code, _)| *code == country).map(|(_, numbers)| *numbers);
    known.extend(countries.filter_map(of).flatten());
    // What would reach one if a network took it as it stands; behind `+` this is for short ones alone, as the others
    // are longer than anything that may stand before an emergency number.
    let runs = number.split(['+', '*', '#']).filter(|run| !run.is_empty());
    let mut ways = Vec::new();
    for run in runs.chain([digits.as_str()]) {
        bare(run, &mut ways);
        for prefix in CALLER_ID {
            if let Some(rest) = run.strip_prefix(prefix) {
                bare(rest, &mut ways);
            }
        }
    }
    // A country code of its own: behind `+`, behind an international prefix that nobody told us of, or as an E.164
    // number is written without either.
    let starts: &[&str] = if international { &[""] } else { &["", "00", "011"] };
    for start in starts {
        let Some(rest) = digits.strip_prefix(*start) else { continue };
        for (code, numbers) in BY_COUNTRY {
            // Without anything before it a code of one digit is more likely the first of a short number.
            let certain = international || !start.is_empty() || code.len() > 1;
            if let Some(national) = rest.strip_prefix(code).filter(|national| certain && national.len() <= 8) {
                let mut abroad = Vec::new();
                bare(national, &mut abroad);
                if let Some(way) = abroad.iter().find(|way| numbers.contains(way) || EVERYWHERE.contains(way)) {
                    return Some((*way).to_owned());
                }
            }
        }
    }
    ways.into_iter().find(|way| known.contains(way)).map(str::to_owned)
}

/// A number as it stands and without what may be dialled before it: zeros, and up to three digits for an outside line,
/// a long-distance call, or another exchange behind the first.
fn bare<'a>(digits: &'a str, ways: &mut Vec<&'a str>) {
    const OUTSIDE: usize = 3;
    ways.push(digits);
    let mut rest = digits;
    while let Some(shorter) = rest.strip_prefix('0') {
        ways.push(shorter);
        rest = shorter;
    }
    for _ in 0..OUTSIDE {
        let outside = rest.strip_prefix(['0', '8', '9']).filter(|shorter| shorter.len() >= 2);
        // Before others a 1 is a digit of the number.
        let Some(shorter) = outside.or_else(|| rest.strip_prefix('1').filter(|shorter| *shorter == "911")) else {
            return;
        };
        ways.push(shorter);
        rest = shorter;
    }
}
