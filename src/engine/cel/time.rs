//! Points and spans of time, as Go's `time` package reads and writes them.

use std::fmt;

use crate::date::Zone;

/// The first and the last second that CEL knows: the years 1 to 9999.
const MIN_SECONDS: i64 = -62_135_596_800;
const MAX_SECONDS: i64 = 253_402_300_799;

const NANOS: i64 = 1_000_000_000;

/// A point in time, and the offset from UTC in which it was written.
#[derive(Debug, Clone, Copy)]
pub struct Timestamp {
    seconds: i64,
    nanos: i64,
    offset: i64,
}

impl PartialEq for Timestamp {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Timestamp {}

impl PartialOrd for Timestamp {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Timestamp {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.seconds, self.nanos).cmp(&(other.seconds, other.nanos))
    }
}

/// A span of time in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Duration(pub(super) i64);

/// Date and time of day.
pub(super) struct Civil {
    pub(super) year: i64,
    /// From 1.
    pub(super) month: i64,
    /// From 1.
    pub(super) day: i64,
    /// From 0.
    pub(super) day_of_year: i64,
    /// From 0, which is Sunday.
    pub(super) weekday: i64,
    pub(super) hour: i64,
    pub(super) minute: i64,
    pub(super) second: i64,
}

/// Returns the days since 1970 of a date of the Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let year_of_era = shifted.rem_euclid(400);
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

impl Civil {
    fn of(seconds: i64) -> Self {
        let day_number = seconds.div_euclid(86_400);
        let time = seconds.rem_euclid(86_400);
        let shifted = day_number + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_from_march = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_from_march + 2) / 153;
        let day = day_from_march - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        Self {
            year,
            month,
            day,
            day_of_year: day_number - days(year, 1, 1),
            weekday: (day_number + 4).rem_euclid(7),
            hour: time / 3600,
            minute: time / 60 % 60,
            second: time % 60,
        }
    }
}

impl Timestamp {
    /// Returns the time so many seconds after 1970, where CEL knows it.
    pub(super) fn from_seconds(seconds: i64) -> Option<Self> {
        Self::new(seconds, 0, 0)
    }

    fn new(seconds: i64, nanos: i64, offset: i64) -> Option<Self> {
        (MIN_SECONDS..=MAX_SECONDS).contains(&seconds).then_some(Self { seconds, nanos, offset })
    }

    /// Reads RFC 3339: the outer `None` for a text that is none, the inner for a time out of range.
    #[expect(clippy::option_option, reason = "two ways to fail")]
    pub(super) fn parse(text: &str) -> Option<Option<Self>> {
        let (seconds, nanos, offset) = parse(text, false)?;
        Some(Self::new(seconds, nanos, offset))
    }

    /// Reads a string of the formats `date-time` and `date`.
    pub(super) fn of_format(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self { seconds: 0, nanos: 0, offset: 0 });
        }
        let parsed = parse(text, true).or_else(|| {
            let (seconds, rest) = parse_date(text)?;
            rest.is_empty().then_some((seconds, 0, 0))
        });
        let (seconds, nanos, offset) = parsed?;
        Some(Self { seconds, nanos, offset })
    }

    /// Returns the seconds since 1970.
    pub(super) fn seconds(self) -> i64 {
        self.seconds
    }

    /// Returns the milliseconds within the second.
    pub(super) fn milliseconds(self) -> i64 {
        self.nanos / 1_000_000
    }

    /// Says whether this is the first instant of the year 1.
    pub(super) fn is_zero(self) -> bool {
        self.seconds == MIN_SECONDS && self.nanos == 0
    }

    /// Returns date and time at an offset from UTC in seconds.
    pub(super) fn civil(self, offset: i64) -> Civil {
        Civil::of(self.seconds + offset)
    }

    /// Returns the offset in a zone, by its name or as `+01:00`.
    pub(super) fn offset_in(self, zone: &str) -> Result<i64, String> {
        let Some((hours, minutes)) = zone.split_once(':') else {
            let zone = Zone::named(zone).ok_or_else(|| format!("unknown time zone {zone}"))?;
            return Ok(zone.offset_at(self.seconds));
        };
        let number = |text: &str| {
            let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
            let plain = !digits.is_empty() && digits.bytes().all(|it| it.is_ascii_digit());
            let value = text.strip_prefix('+').unwrap_or(text).parse::<i64>().ok();
            let value = value.filter(|it| plain && it.abs() < 1_000_000);
            value.ok_or_else(|| format!("invalid time zone offset `{zone}`"))
        };
        let (hour, minute) = (number(hours)?, number(minutes)?);
        let minutes = if zone.starts_with('-') { hour * 60 - minute } else { hour * 60 + minute };
        Ok(minutes * 60)
    }

    /// Adds a span.
    pub(super) fn plus(self, span: Duration) -> Option<Self> {
        let nanos = self.nanos + span.0.rem_euclid(NANOS);
        let seconds = self.seconds + span.0.div_euclid(NANOS) + nanos / NANOS;
        Self::new(seconds, nanos % NANOS, self.offset)
    }

    /// Returns the span from another point to this one.
    pub(super) fn since(self, other: Self) -> Option<Duration> {
        let seconds = i128::from(self.seconds) - i128::from(other.seconds);
        // The seconds alone have to fit, as upstream counts.
        i64::try_from(seconds * i128::from(NANOS)).ok()?;
        let nanos = i128::from(self.nanos) - i128::from(other.nanos);
        i64::try_from(seconds * i128::from(NANOS) + nanos).ok().map(Duration)
    }
}

/// Takes so many digits off.
fn digits(text: &str, count: usize) -> Option<(i64, &str)> {
    let (digits, rest) = text.split_at_checked(count)?;
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    Some((digits.parse().ok().filter(|_| plain)?, rest))
}

fn parse_date(text: &str) -> Option<(i64, &str)> {
    let (year, rest) = digits(text, 4)?;
    let (month, rest) = digits(rest.strip_prefix('-')?, 2)?;
    let (day, rest) = digits(rest.strip_prefix('-')?, 2)?;
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return None,
    };
    (1..=last).contains(&day).then(|| (days(year, month, day) * 86_400, rest))
}

/// Reads date, time and offset; `local` lets the offset be missing.
fn parse(text: &str, local: bool) -> Option<(i64, i64, i64)> {
    let (date, rest) = parse_date(text)?;
    let rest = rest.strip_prefix('T')?;
    // Go takes one digit for the hour.
    let (hour, rest) = digits(rest, 2).or_else(|| digits(rest, 1))?;
    let (minute, rest) = digits(rest.strip_prefix(':')?, 2)?;
    let (second, mut rest) = digits(rest.strip_prefix(':')?, 2)?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let mut nanos = 0;
    if let Some(fraction) = rest.strip_prefix(['.', ',']) {
        let end = fraction.bytes().position(|it| !it.is_ascii_digit()).unwrap_or(fraction.len());
        let (fraction, after) = fraction.split_at_checked(end).filter(|it| !it.0.is_empty())?;
        let nine: String = fraction.chars().chain("000000000".chars()).take(9).collect();
        nanos = nine.parse().ok()?;
        rest = after;
    }
    let offset = match rest {
        "Z" => 0,
        "" if local => 0,
        _ => {
            let sign = if rest.starts_with('-') { -1 } else { 1 };
            let (hours, rest) = digits(rest.strip_prefix(['+', '-'])?, 2)?;
            let (minutes, rest) = digits(rest.strip_prefix(':')?, 2)?;
            if !rest.is_empty() || hours > 24 || minutes > 60 {
                return None;
            }
            sign * (hours * 3600 + minutes * 60)
        }
    };
    Some((date + hour * 3600 + minute * 60 + second - offset, nanos, offset))
}

impl fmt::Display for Timestamp {
    /// Writes RFC 3339 with as many decimals as there are.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let it = self.civil(self.offset);
        write!(f, "{:04}-{:02}-{:02}T", it.year, it.month, it.day)?;
        write!(f, "{:02}:{:02}:{:02}", it.hour, it.minute, it.second)?;
        if self.nanos != 0 {
            let nine = format!("{:09}", self.nanos);
            write!(f, ".{}", nine.trim_end_matches('0'))?;
        }
        if self.offset == 0 {
            return f.write_str("Z");
        }
        let sign = if self.offset < 0 { '-' } else { '+' };
        let minutes = self.offset.abs() / 60;
        write!(f, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    }
}

impl Duration {
    /// Reads what Go's `time.ParseDuration` reads, e.g. `1h15m30.918s`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (negative, mut rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        if rest == "0" {
            return Some(Self(0));
        }
        if rest.is_empty() {
            return None;
        }
        let mut total: u64 = 0;
        while !rest.is_empty() {
            let split = |text: &str| {
                let end = text.bytes().position(|it| !it.is_ascii_digit()).unwrap_or(text.len());
                text.split_at_checked(end).map(|(left, right)| (left.to_owned(), right.len()))
            };
            let (whole, left) = split(rest)?;
            rest = rest.get(rest.len() - left..)?;
            let mut fraction = String::new();
            if let Some(after) = rest.strip_prefix('.') {
                let (digits, left) = split(after)?;
                fraction = digits;
                rest = after.get(after.len() - left..)?;
            }
            if whole.is_empty() && fraction.is_empty() {
                return None;
            }
            let end = rest.find(|it: char| it == '.' || it.is_ascii_digit()).unwrap_or(rest.len());
            let (unit, after) = rest.split_at_checked(end)?;
            rest = after;
            let unit: u64 = match unit {
                "ns" => 1,
                "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
                "ms" => 1_000_000,
                "s" => 1_000_000_000,
                "m" => 60_000_000_000,
                "h" => 3_600_000_000_000,
                _ => return None,
            };
            let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
            total = total.checked_add(whole.checked_mul(unit)?)?;
            // Eighteen decimals of the smallest unit are more than can be told.
            let fraction: String = fraction.chars().take(18).collect();
            if let Ok(digits) = fraction.parse::<u128>() {
                let scale = 10_u128.pow(u32::try_from(fraction.len()).ok()?);
                total =
                    total.checked_add(u64::try_from(digits * u128::from(unit) / scale).ok()?)?;
            }
            if total > 1 << 63 {
                return None;
            }
        }
        if negative {
            i64::try_from(-i128::from(total)).ok().map(Self)
        } else {
            i64::try_from(total).ok().map(Self)
        }
    }

    /// Reads a string of the format `duration`: as above, or `3 days 2 hours`.
    pub(super) fn of_format(text: &str) -> Option<Self> {
        const DAY: i64 = 24 * 3_600_000_000_000;
        /// Units by their names; the last name of each may go on (`hours`).
        const UNITS: &[(&[&str], i64)] = &[
            (&["ns", "nano"], 1),
            (&["us", "\u{b5}s", "micro"], 1_000),
            (&["ms", "milli"], 1_000_000),
            (&["s", "sec"], 1_000_000_000),
            (&["m", "min"], 60_000_000_000),
            (&["h", "hr", "hour"], 3_600_000_000_000),
            (&["d", "day"], DAY),
            (&["w", "wk", "week"], 7 * DAY),
        ];
        if let Some(parsed) = Self::parse(text) {
            return Some(parsed);
        }
        let mut total: i64 = 0;
        let mut found = false;
        let mut rest = text;
        while let Some(start) = rest.find(|it: char| it.is_ascii_digit()) {
            rest = rest.get(start..)?;
            let end = rest.find(|it: char| !it.is_ascii_digit()).unwrap_or(rest.len());
            let (number, after) = rest.split_at_checked(end)?;
            rest = after.trim_start_matches([' ', '\t', '\n', '\r', '\u{c}']);
            let end = rest
                .find(|it: char| !it.is_ascii_alphabetic() && it != '\u{b5}')
                .unwrap_or(rest.len());
            let (unit, after) = rest.split_at_checked(end)?;
            if unit.is_empty() {
                continue;
            }
            rest = after;
            let number: i64 = number.parse().ok()?;
            let unit = unit.to_lowercase();
            for (names, factor) in UNITS {
                let last = names.last().copied().unwrap_or_default();
                for name in *names {
                    if unit == *name || (*name == last && unit.starts_with(name)) {
                        found = true;
                        total = total.wrapping_add(number.wrapping_mul(*factor));
                    }
                }
            }
        }
        found.then_some(Self(total))
    }

    /// Returns the whole units of so many nanoseconds.
    pub(super) fn whole(self, unit: i64) -> i64 {
        self.0.checked_div(unit).unwrap_or_default()
    }
}

impl fmt::Display for Duration {
    /// Writes the seconds, e.g. `3723.5s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // As upstream reckons: two floats, added.
        #[expect(clippy::cast_precision_loss, reason = "upstream writes this very number")]
        let seconds = (self.0 / NANOS) as f64 + (self.0 % NANOS) as f64 / 1e9;
        write!(f, "{seconds}s")
    }
}
