//! Calendar days and time zones. Which day is today is told from outside: only `main` asks a clock.

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use jiff::tz::TimeZone;
use jiff::{Timestamp, civil};

/// A day of the Gregorian calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    /// The year.
    pub year: u16,
    /// The month, from 1.
    pub month: u8,
    /// The day of the month, from 1.
    pub day: u8,
}

impl Default for Date {
    /// Returns a day on which all has expired that ever does: where nobody says which day it is,
    /// nothing holds that may be over.
    fn default() -> Self {
        Self { year: 9999, month: 12, day: 31 }
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl Date {
    /// Returns the day, in UTC, of a number of seconds since 1970.
    pub fn from_unix_seconds(seconds: u64) -> Self {
        let seconds = i64::try_from(seconds).ok();
        let time = seconds.and_then(|it| Timestamp::from_second(it).ok());
        // A clock that is beyond the calendar tells as little as none.
        time.map_or_else(Self::default, |it| it.to_zoned(TimeZone::UTC).date().into())
    }

    /// Returns how many days lie between this day and a later one; negative for an earlier one.
    pub fn days_until(self, other: Self) -> i64 {
        // Both have passed through the calendar, so neither is refused by it.
        let days = |from: civil::Date, to: civil::Date| from.until(to).ok().map(|it| it.get_days());
        let span = self.civil().zip(other.civil()).and_then(|(from, to)| days(from, to));
        i64::from(span.unwrap_or_default())
    }

    fn civil(self) -> Option<civil::Date> {
        let year = i16::try_from(self.year).ok()?;
        civil::Date::new(year, i8::try_from(self.month).ok()?, i8::try_from(self.day).ok()?).ok()
    }
}

impl From<civil::Date> for Date {
    fn from(date: civil::Date) -> Self {
        Self {
            year: u16::try_from(date.year()).unwrap_or_default(),
            month: u8::try_from(date.month()).unwrap_or_default(),
            day: u8::try_from(date.day()).unwrap_or_default(),
        }
    }
}

/// A time zone of the IANA database, which is built in.
#[derive(Debug, Clone)]
pub struct Zone(TimeZone);

impl Zone {
    /// Returns the zone of a name: `UTC`, the empty string for the same, `Europe/Berlin`.
    ///
    /// The name is taken as it stands in the database, in its case.
    pub fn named(name: &str) -> Option<Self> {
        if name.is_empty() || name == "UTC" {
            return Some(Self(TimeZone::UTC));
        }
        let zone = jiff::tz::TimeZoneDatabase::bundled().get(name).ok()?;
        (zone.iana_name() == Some(name)).then_some(Self(zone))
    }

    /// Returns the names in the database, sorted: links are among them, as they are for Go.
    pub fn names() -> &'static [String] {
        static NAMES: LazyLock<Vec<String>> = LazyLock::new(|| {
            let database = jiff::tz::TimeZoneDatabase::bundled();
            let mut names: Vec<String> = database.available().map(|it| it.to_string()).collect();
            names.sort_unstable();
            names
        });
        &NAMES
    }

    /// Returns the offset from UTC, in seconds, so many seconds after 1970.
    pub fn offset_at(&self, seconds: i64) -> i64 {
        let (first, last) = (Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
        let time = Timestamp::from_second(seconds.clamp(first, last)).unwrap_or_default();
        i64::from(self.0.to_offset(time).seconds())
    }
}

/// Why a text is not a day.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a day: write it as YYYY-MM-DD")]
pub struct InvalidDate(String);

impl FromStr for Date {
    type Err = InvalidDate;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // One way to write a day, and no other that the calendar's own reader would take.
        let is_plain = text.len() == 10
            && text.bytes().enumerate().all(|(at, byte)| match at {
                4 | 7 => byte == b'-',
                _ => byte.is_ascii_digit(),
            });
        let date = text.parse::<civil::Date>().ok().filter(|_| is_plain);
        date.map(Self::from).ok_or_else(|| InvalidDate(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_have_their_names_and_offsets() {
        let offset = |name, seconds| Zone::named(name).map(|zone| zone.offset_at(seconds));
        assert_eq!(offset("Europe/Berlin", 1_700_000_000), Some(3600));
        assert_eq!(offset("Europe/Berlin", 1_690_000_000), Some(7200));
        assert_eq!(offset("UTC", 0), Some(0));
        assert_eq!(offset("", 0), Some(0));
        assert_eq!(offset("europe/berlin", 0), None);
        assert_eq!(offset("Europe/Nowhere", 0), None);
    }

    #[test]
    fn days_exist() {
        assert_eq!("2024-02-29".parse(), Ok(Date { year: 2024, month: 2, day: 29 }));
        for bad in [
            "2023-02-29",
            "2024-13-01",
            "2024-1-1",
            "24-01-01",
            "2024-01-00",
            "tomorrow",
            "2024-01-01-01",
            "2024-01-+1",
        ] {
            assert!(bad.parse::<Date>().is_err(), "{bad}");
        }
    }

    #[test]
    fn days_are_read_from_a_clock() {
        for (seconds, day) in [
            (0, "1970-01-01"),
            (86_399, "1970-01-01"),
            (951_782_400, "2000-02-29"),
            (1_709_164_800, "2024-02-29"),
            (1_709_251_200, "2024-03-01"),
            (4_102_444_799, "2099-12-31"),
        ] {
            assert_eq!(Date::from_unix_seconds(seconds).to_string(), day);
        }
    }

    #[test]
    fn days_are_counted() {
        let day = |text: &str| text.parse::<Date>().unwrap();
        assert_eq!(day("2024-02-28").days_until(day("2024-03-01")), 2);
        assert_eq!(day("2023-12-31").days_until(day("2025-01-01")), 367);
        assert_eq!(day("2024-01-02").days_until(day("2024-01-01")), -1);
    }
}
