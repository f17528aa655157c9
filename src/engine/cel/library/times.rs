//! Parts of points and spans of time.

use super::{Row, Scratch, row};
use crate::engine::cel::time::{Civil, Timestamp};
use crate::engine::cel::value::{Evaluated, Failure, Value};

pub(super) const ROWS: &[Row] = &[
    row("timestamp#getFullYear(): int", year),
    row("timestamp#getFullYear(string): int", year),
    row("timestamp#getMonth(): int", month),
    row("timestamp#getMonth(string): int", month),
    row("timestamp#getDayOfYear(): int", day_of_year),
    row("timestamp#getDayOfYear(string): int", day_of_year),
    row("timestamp#getDayOfMonth(): int", day_of_month),
    row("timestamp#getDayOfMonth(string): int", day_of_month),
    row("timestamp#getDate(): int", date),
    row("timestamp#getDate(string): int", date),
    row("timestamp#getDayOfWeek(): int", day_of_week),
    row("timestamp#getDayOfWeek(string): int", day_of_week),
    row("timestamp#getHours(): int", hours),
    row("timestamp#getHours(string): int", hours),
    row("duration#getHours(): int", hours),
    row("timestamp#getMinutes(): int", minutes),
    row("timestamp#getMinutes(string): int", minutes),
    row("duration#getMinutes(): int", minutes),
    row("timestamp#getSeconds(): int", seconds),
    row("timestamp#getSeconds(string): int", seconds),
    row("duration#getSeconds(): int", seconds),
    row("timestamp#getMilliseconds(): int", milliseconds),
    row("timestamp#getMilliseconds(string): int", milliseconds),
    row("duration#getMilliseconds(): int", milliseconds),
];

/// Returns the time, and the offset of the zone that the second argument names.
fn zoned(args: &[Value<'_>]) -> Result<(Timestamp, i64), Failure> {
    match args {
        [Value::Timestamp(time)] => Ok((*time, 0)),
        [Value::Timestamp(time), Value::String(zone)] => {
            Ok((*time, time.offset_in(zone.as_str()).map_err(Failure::new)?))
        }
        _ => Err(Failure::no_overload()),
    }
}

fn part<'a>(args: &[Value<'a>], of: fn(&Civil) -> i64) -> Evaluated<'a> {
    let (time, offset) = zoned(args)?;
    Ok(Value::Int(of(&time.civil(offset))))
}

/// Returns a part of a time, or the whole units of a span.
fn part_or_units<'a>(args: &[Value<'a>], of: fn(&Civil) -> i64, unit: i64) -> Evaluated<'a> {
    match args {
        [Value::Duration(span)] => Ok(Value::Int(span.whole(unit))),
        _ => part(args, of),
    }
}

fn year<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    part(args, |it| it.year)
}

fn month<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    part(args, |it| it.month - 1)
}

fn day_of_year<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    part(args, |it| it.day_of_year)
}

fn day_of_month<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    part(args, |it| it.day - 1)
}

fn date<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    part(args, |it| it.day)
}

fn day_of_week<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    part(args, |it| it.weekday)
}

fn hours<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    part_or_units(args, |it| it.hour, 3_600_000_000_000)
}

fn minutes<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    part_or_units(args, |it| it.minute, 60_000_000_000)
}

fn seconds<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    part_or_units(args, |it| it.second, 1_000_000_000)
}

fn milliseconds<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    match args {
        [Value::Duration(span)] => Ok(Value::Int(span.whole(1_000_000))),
        _ => Ok(Value::Int(zoned(args)?.0.milliseconds())),
    }
}
