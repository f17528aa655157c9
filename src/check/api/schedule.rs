//! Schedules of `CronJobs`, as the parser of the server reads them, and time zones.

use crate::date::Zone;
use crate::rule::closest;

/// The longest part of a zone's name.
const ZONE_PART_MAX: usize = 14;

/// What is wrong with a schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Wrong {
    #[error("must have five fields, and has {0}")]
    Fields(usize),
    #[error("has no such word: use `@hourly`, `@daily`, `@weekly`, `@monthly` or `@yearly`")]
    Word,
    #[error("must have a time after `@every`, such as `1h30m`")]
    Every,
    #[error("must begin with a time zone that exists")]
    Zone,
    #[error("must have numbers and names only in the {0}")]
    Number(&'static str),
    #[error("must have a {field} between {min} and {max}")]
    Range { field: &'static str, min: u32, max: u32 },
    #[error("must have ranges of the {0} that rise")]
    Falling(&'static str),
    #[error("must have at most one `-` and one `/` in a range of the {0}")]
    Form(&'static str),
    #[error("must have steps of the {0} that are not 0")]
    Step(&'static str),
}

/// The values of one field.
struct Bounds {
    field: &'static str,
    min: u32,
    max: u32,
    /// Names for the values, from `min` on.
    names: &'static [&'static str],
}

const MONTHS: &[&str] =
    &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS: &[&str] = &["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

const FIELDS: [Bounds; 5] = [
    Bounds { field: "minute", min: 0, max: 59, names: &[] },
    Bounds { field: "hour", min: 0, max: 23, names: &[] },
    Bounds { field: "day of the month", min: 1, max: 31, names: &[] },
    Bounds { field: "month", min: 1, max: 12, names: MONTHS },
    Bounds { field: "day of the week", min: 0, max: 6, names: DAYS },
];

const WORDS: &[&str] =
    &["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"];

/// Checks a schedule (`ParseStandard`).
pub(super) fn check(text: &str) -> Result<(), Wrong> {
    let zoned = text.strip_prefix("TZ=").or_else(|| text.strip_prefix("CRON_TZ="));
    let text = match zoned {
        Some(rest) => {
            let (zone, rest) = rest.split_once(' ').ok_or(Wrong::Zone)?;
            if !zone.is_empty() && !is_known(zone) {
                return Err(Wrong::Zone);
            }
            rest.trim()
        }
        None => text,
    };
    if text.starts_with('@') {
        return check_word(text);
    }
    let fields: Vec<&str> = text.split_whitespace().collect();
    if fields.len() != FIELDS.len() {
        return Err(Wrong::Fields(fields.len()));
    }
    for (field, bounds) in fields.iter().zip(&FIELDS) {
        for range in field.split(',').filter(|it| !it.is_empty()) {
            bounds.check(range)?;
        }
    }
    Ok(())
}

fn check_word(text: &str) -> Result<(), Wrong> {
    if WORDS.contains(&text) {
        return Ok(());
    }
    let time = text.strip_prefix("@every ").ok_or(Wrong::Word)?;
    if is_duration(time) { Ok(()) } else { Err(Wrong::Every) }
}

impl Bounds {
    /// Checks a range: `*`, `3`, `1-5`, `*/10`, `mon-fri`.
    fn check(&self, range: &str) -> Result<(), Wrong> {
        let field = self.field;
        let (ends, step) = match range.split_once('/') {
            Some((ends, step)) => (ends, Some(step)),
            None => (range, None),
        };
        let (first, last) = match ends.split_once('-') {
            Some((first, last)) => (first, Some(last)),
            None => (ends, None),
        };
        let (start, mut end) = if matches!(first, "*" | "?") {
            (self.min, self.max)
        } else {
            let start = self.value(first)?;
            (start, last.map_or(Ok(start), |it| self.value(it))?)
        };
        if last.is_some_and(|it| it.contains('-')) || step.is_some_and(|it| it.contains('/')) {
            return Err(Wrong::Form(field));
        }
        let step = match step {
            Some(step) => number(step).ok_or(Wrong::Number(field))?,
            None => 1,
        };
        if ends.len() != range.len() && last.is_none() {
            end = self.max;
        }
        if start < self.min || end > self.max {
            return Err(Wrong::Range { field, min: self.min, max: self.max });
        }
        if start > end {
            return Err(Wrong::Falling(field));
        }
        if step == 0 { Err(Wrong::Step(field)) } else { Ok(()) }
    }

    fn value(&self, text: &str) -> Result<u32, Wrong> {
        let name = self.names.iter().position(|it| it.eq_ignore_ascii_case(text));
        match name.and_then(|at| u32::try_from(at).ok()) {
            Some(at) => Ok(self.min + at),
            None if text.contains('-') => Err(Wrong::Form(self.field)),
            None => number(text).ok_or(Wrong::Number(self.field)),
        }
    }
}

fn number(text: &str) -> Option<u32> {
    // A sign is fine where the number is not negative.
    let number: i64 = text.parse().ok()?;
    u32::try_from(number).ok()
}

/// Says whether a text is a duration to Go (`time.ParseDuration`).
fn is_duration(text: &str) -> bool {
    const UNITS: &[(&str, f64)] = &[
        ("ns", 1.0),
        ("us", 1e3),
        ("µs", 1e3),
        ("μs", 1e3),
        ("ms", 1e6),
        ("s", 1e9),
        ("m", 60e9),
        ("h", 3600e9),
    ];
    const LONGEST: f64 = 9.223_372_036_854_775e18;
    let mut rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    if rest == "0" {
        return true;
    }
    let mut total = 0.0;
    while !rest.is_empty() {
        let unit_at = rest.find(|it: char| !it.is_ascii_digit() && it != '.');
        let Some((amount, after)) = unit_at.and_then(|at| rest.split_at_checked(at)) else {
            return false;
        };
        let next = after.find(|it: char| it.is_ascii_digit() || it == '.').unwrap_or(after.len());
        let Some((unit, after)) = after.split_at_checked(next) else { return false };
        let Some((_, nanoseconds)) = UNITS.iter().find(|it| it.0 == unit) else { return false };
        if amount.matches('.').count() > 1 || amount == "." || amount.is_empty() {
            return false;
        }
        total += amount.parse::<f64>().unwrap_or(f64::INFINITY) * nanoseconds;
        rest = after;
    }
    total <= LONGEST && text.bytes().any(|it| it.is_ascii_digit())
}

fn is_known(name: &str) -> bool {
    Zone::names().binary_search_by(|it| it.as_str().cmp(name)).is_ok()
}

/// Says whether a name is that of a time zone (`validateTimeZone`).
pub(super) fn is_zone(name: &str) -> bool {
    let right = |part: &str| part.len() <= ZONE_PART_MAX && !part.starts_with('-');
    name.split('/').all(right) && is_known(name)
}

/// Returns the zone whose name is nearest.
pub(super) fn nearest_zone(name: &str) -> Option<&'static str> {
    let names = Zone::names().iter().map(String::as_str);
    let same_letters = names.clone().find(|it| it.eq_ignore_ascii_case(name));
    same_letters
        .or_else(|| (name.len() <= 2 * ZONE_PART_MAX).then(|| closest(name, names)).flatten())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules() {
        for good in [
            "* * * * *",
            " 0  3 * * * ",
            "*/15 0-5,22 1,15 jan-Mar mon-FRI",
            "0 0 ? * 0",
            "5/10 * * * *",
            ", * * * *",
            "@daily",
            "@every 1h30m",
            "@every 1.5s",
            "TZ=Europe/Paris 0 3 * * *",
            "+5 * * * *",
            "*-3 * * * *",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for (bad, wrong) in [
            ("", Wrong::Fields(0)),
            ("* * * *", Wrong::Fields(4)),
            ("* * * * * *", Wrong::Fields(6)),
            ("60 * * * *", Wrong::Range { field: "minute", min: 0, max: 59 }),
            ("* * 0 * *", Wrong::Range { field: "day of the month", min: 1, max: 31 }),
            ("* * * * 7", Wrong::Range { field: "day of the week", min: 0, max: 6 }),
            ("5-1 * * * *", Wrong::Falling("minute")),
            ("*/0 * * * *", Wrong::Step("minute")),
            ("1-2-3 * * * *", Wrong::Form("minute")),
            ("x * * * *", Wrong::Number("minute")),
            ("* * * foo *", Wrong::Number("month")),
            ("@never", Wrong::Word),
            ("@every", Wrong::Word),
            ("@every soon", Wrong::Every),
            ("@every 1", Wrong::Every),
            ("TZ=Mars/Base 0 3 * * *", Wrong::Zone),
            ("TZ=0", Wrong::Zone),
        ] {
            assert_eq!(check(bad), Err(wrong), "{bad}");
        }
    }

    #[test]
    fn zones() {
        assert!(is_zone("Europe/Paris") && is_zone("UTC") && is_zone("US/Pacific"));
        for bad in ["", "Local", "Mars/Base", "europe/paris", "../UTC"] {
            assert!(!is_zone(bad), "{bad}");
        }
        assert_eq!(nearest_zone("europe/paris"), Some("Europe/Paris"));
    }

    #[test]
    fn every_zone_that_has_a_name_is_known() {
        // `GMT+0` and the like are links, which Go takes as it does any other name.
        for name in ["UTC", "GMT+0", "Etc/GMT-14", "EST5EDT", "America/Argentina/ComodRivadavia"] {
            assert!(is_known(name), "{name}");
        }
        for name in ["", "Local", "utc", "2026f", "Europe/", "posixrules"] {
            assert!(!is_known(name), "{name}");
        }
        assert!(Zone::names().is_sorted() && Zone::names().len() > 500);
    }
}
