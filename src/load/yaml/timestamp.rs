//! Dates and times as go-yaml recognizes them.

/// Returns the text that go-yaml v3 makes of a timestamp (`time.RFC3339Nano`), or `None` where
/// the text is not one.
///
/// Accepts what `parseTimestamp` of go-yaml's `resolve.go` accepts: `2006-1-2`,
/// `2006-1-2 15:4:5.999999999`, and `2006-1-2T15:4:5.999999999Z07:00` with `T` or `t`.
pub(super) fn parse(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let year_digits = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if year_digits != 4 || bytes.get(4) != Some(&b'-') {
        return None;
    }
    let mut rest = Reader(text);
    let year = rest.number(4, 4)?;
    rest.literal('-')?;
    let month = rest.number(1, 2)?;
    rest.literal('-')?;
    let day = rest.number(1, 2)?;
    if !(1..=12).contains(&month) || day < 1 || day > days(year, month) {
        return None;
    }
    let date = format!("{year:04}-{month:02}-{day:02}");
    if rest.0.is_empty() {
        return Some(format!("{date}T00:00:00Z"));
    }
    let zoned = match rest.next()? {
        'T' | 't' => true,
        ' ' => false,
        _ => return None,
    };
    let hour = rest.number(1, 2)?;
    rest.literal(':')?;
    let minute = rest.number(1, 2)?;
    rest.literal(':')?;
    let second = rest.number(1, 2)?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let fraction = rest.fraction()?;
    let zone = if zoned { rest.zone()? } else { "Z".to_owned() };
    rest.0.is_empty().then(|| format!("{date}T{hour:02}:{minute:02}:{second:02}{fraction}{zone}"))
}

struct Reader<'a>(&'a str);

impl Reader<'_> {
    fn next(&mut self) -> Option<char> {
        let first = self.0.chars().next()?;
        self.0 = self.0.get(first.len_utf8()..)?;
        Some(first)
    }

    fn literal(&mut self, wanted: char) -> Option<()> {
        self.0 = self.0.strip_prefix(wanted)?;
        Some(())
    }

    fn number(&mut self, min: usize, max: usize) -> Option<u32> {
        let count = self.0.bytes().take(max).take_while(u8::is_ascii_digit).count();
        if count < min {
            return None;
        }
        let (digits, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        digits.parse().ok()
    }

    fn fraction(&mut self) -> Option<String> {
        let Some(rest) = self.0.strip_prefix(['.', ',']) else {
            return Some(String::new());
        };
        let count = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, rest) = rest.split_at_checked(count)?;
        self.0 = rest;
        // Go keeps nanoseconds and drops zeros at the end.
        let kept = digits.get(..count.min(9))?.trim_end_matches('0');
        match (count, kept) {
            (0, _) => None,
            (_, "") => Some(String::new()),
            (_, kept) => Some(format!(".{kept}")),
        }
    }

    fn zone(&mut self) -> Option<String> {
        match self.next()? {
            'Z' => Some("Z".to_owned()),
            sign @ ('+' | '-') => {
                let hours = self.number(2, 2)?;
                self.literal(':')?;
                let minutes = self.number(2, 2)?;
                if hours > 24 || minutes > 60 {
                    return None;
                }
                if hours == 0 && minutes == 0 {
                    return Some("Z".to_owned());
                }
                Some(format!("{sign}{hours:02}:{minutes:02}"))
            }
            _ => None,
        }
    }
}

fn days(year: u32, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => {
            29
        }
        2 => 28,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn dates_and_times_are_normalized() {
        for (text, time) in [
            ("2001-01-01", "2001-01-01T00:00:00Z"),
            ("2001-1-2", "2001-01-02T00:00:00Z"),
            ("2024-02-29", "2024-02-29T00:00:00Z"),
            ("2001-12-14 21:59:43.10", "2001-12-14T21:59:43.1Z"),
            ("2001-12-14t21:59:43.10-05:00", "2001-12-14T21:59:43.1-05:00"),
            ("2001-12-14T21:59:43Z", "2001-12-14T21:59:43Z"),
        ] {
            assert_eq!(parse(text).as_deref(), Some(time), "{text}");
        }
    }

    #[test]
    fn anything_else_is_not_a_time() {
        for text in [
            "2001-13-01",
            "2001-02-29",
            "20010101",
            "2001-01-01x",
            "01-01-2001",
            "2001-01-01T",
            "2001-01-01T24:00:00Z",
            "2001-01-01T00:00:00",
            "1.1.1",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
