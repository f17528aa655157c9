//! The authorizer: it type-checks, but only a cluster could answer.

use super::{Row, Scratch, row};
use crate::engine::cel::value::{Evaluated, Failure, Value};

pub(super) const ROWS: &[Row] = &[
    row("authorizer#path(string): path-check", ask).since(27),
    row("authorizer#group(string): group-check", ask).since(27),
    row("authorizer#serviceAccount(string, string): authorizer", ask).since(27),
    row("group-check#resource(string): resource-check", ask).since(27),
    row("resource-check#subresource(string): resource-check", ask).since(27),
    row("resource-check#namespace(string): resource-check", ask).since(27),
    row("resource-check#name(string): resource-check", ask).since(27),
    row("path-check#check(string): decision", ask).since(27),
    row("resource-check#check(string): decision", ask).since(27),
    row("decision#errored(): bool", ask).since(27),
    row("decision#error(): string", ask).since(27),
    row("decision#allowed(): bool", ask).since(27),
    row("decision#reason(): string", ask).since(27),
    row("resource-check#fieldSelector(string): resource-check", ask).since(31),
    row("resource-check#labelSelector(string): resource-check", ask).since(31),
];

fn ask<'a>(_: &mut Scratch, _: &[Value<'a>]) -> Evaluated<'a> {
    Err(Failure::new("only a cluster knows what `authorizer` would answer"))
}
