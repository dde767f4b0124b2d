use std::fmt;

use bytes::Bytes;

use super::{InvalidValue, charset};

const INVALID: InvalidValue = InvalidValue("Date");
const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Date (RFC 3261 section 20.17): always GMT. Seconds since the Unix epoch, within the years 1970 to 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date(pub u64);

impl Date {
    /// Reads `Sat, 13 Nov 2010 23:29:00 GMT`. The weekday is not checked against the date.
    pub fn parse(value: &Bytes) -> Result<Self, InvalidValue> {
        let text = std::str::from_utf8(charset::trim(value)).map_err(|_| INVALID)?;
        let (weekday, rest) = text.split_once(',').ok_or(INVALID)?;
        let mut words = rest.split_ascii_whitespace();
        let mut word = || words.next().ok_or(INVALID);
        let (day, month, year, time, zone) = (word()?, word()?, word()?, word()?, word()?);
        if !WEEKDAYS.contains(&weekday.trim()) || zone != "GMT" || words.next().is_some() {
            return Err(INVALID);
        }
        let month = MONTHS.iter().position(|name| *name == month).ok_or(INVALID)? as u64 + 1;
        let mut parts = time.split(':');
        let mut part = |max| number(parts.next().unwrap_or_default(), 2, max);
        let (hour, minute, second) = (part(23)?, part(59)?, part(60)?);
        let (day, year) = (number(day, 2, 31)?, number(year, 4, 9999)?);
        if parts.next().is_some() || day == 0 || year < 1970 {
            return Err(INVALID);
        }
        Ok(Self(days_before(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second))
    }
}

fn number(text: &str, digits: usize, max: u64) -> Result<u64, InvalidValue> {
    if text.len() != digits {
        return Err(INVALID);
    }
    charset::number(text.as_bytes(), max).ok_or(INVALID)
}

/// Days from 1970-01-01 to a date of the Gregorian calendar: years run from March, so that the leap day is the last.
fn days_before(year: u64, month: u64, day: u64) -> u64 {
    let year = if month <= 2 { year - 1 } else { year };
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - 719_468
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days = self.0 / 86_400;
        let second = self.0 % 86_400;
        // The inverse of `days_before`: 400-year eras from 0000-03-01.
        let shifted = days + 719_468;
        let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = (month_from_march + 2) % 12;
        let year = era * 400 + year_of_era + u64::from(month < 2);
        write!(
            f,
            "{}, {day:02} {} {year:04} {:02}:{:02}:{:02} GMT",
            WEEKDAYS[(days % 7) as usize],
            MONTHS[month as usize],
            second / 3600,
            second / 60 % 60,
            second % 60
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_and_written() {
        for (text, seconds) in [
            ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("Sat, 13 Nov 2010 23:29:00 GMT", 1_289_690_940),
            ("Tue, 29 Feb 2000 12:00:00 GMT", 951_825_600),
            ("Sun, 31 Dec 2023 23:59:59 GMT", 1_704_067_199),
            ("Mon, 01 Jan 2024 00:00:00 GMT", 1_704_067_200),
        ] {
            assert_eq!(Date::parse(&text.into()), Ok(Date(seconds)));
            assert_eq!(Date(seconds).to_string(), text);
        }
    }

    #[test]
    fn another_zone_or_shape_is_refused() {
        for bad in [
            "Fri, 01 Jan 2010 16:00:00 EST",
            "Fri, 1 Jan 2010 16:00:00 GMT",
            "Fri, 01 Jan 10 16:00:00 GMT",
            "Fri, 00 Jan 2010 16:00:00 GMT",
            "Fri, 01 Jan 1960 16:00:00 GMT",
            "Fri, 01 Jan 2010 16:00 GMT",
            "",
        ] {
            assert!(Date::parse(&bad.into()).is_err(), "{bad}");
        }
    }
}
