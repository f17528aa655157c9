//! How far the verdicts agree, as a table and as a list of the disagreements.

use std::collections::BTreeMap;
use std::fmt;

use rayon::prelude::*;
use tidewaiter::check::schema::newest;
use tidewaiter::environment::KubernetesVersion;

use super::cases::Case;
use super::judge::{Judge, Verdict};

/// What is asked for, from environment variables.
#[derive(Debug)]
pub(crate) struct Options {
    /// `KUBERNETES`: the minor to judge by; the newest otherwise.
    pub(crate) kubernetes: KubernetesVersion,
    /// `VERDICTS`: the file of the folder whose verdicts replace those of the cases.
    pub(crate) verdicts: Option<String>,
    /// `SHOW`: lists disagreements whose line contains this text; all for an empty one.
    pub(crate) show: Option<String>,
    /// `FIELDS=1`: lists refusals in which another field is named.
    pub(crate) fields: bool,
}

impl Options {
    pub(crate) fn from_environment() -> Self {
        let text = |name| std::env::var_os(name).and_then(|it| it.into_string().ok());
        Self {
            kubernetes: text("KUBERNETES").map_or_else(newest, |it| it.parse().unwrap()),
            verdicts: text("VERDICTS"),
            show: text("SHOW"),
            fields: text("FIELDS").is_some(),
        }
    }
}

/// The share of the cases on which both must agree, by set.
const WANTED: [(char, f64); 5] = [('s', 99.5), ('c', 99.5), ('t', 99.5), ('u', 99.0), ('r', 99.5)];
/// The share of the refusals of one field in which ours names the same one.
const WANTED_FIELDS: f64 = 95.0;

#[derive(Debug, Default)]
struct Row {
    cases: usize,
    agree: usize,
    falsely_refused: usize,
    falsely_passed: usize,
    named: usize,
    same_field: usize,
}

/// The table.
#[derive(Debug)]
pub(crate) struct Table {
    rows: BTreeMap<char, Row>,
    lines: Vec<String>,
}

fn share(part: usize, of: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts are small")]
    if of == 0 { 100.0 } else { part as f64 * 100.0 / of as f64 }
}

impl Table {
    /// Asks the judge about every case.
    pub(crate) fn of(judge: &Judge, cases: &[Case], options: &Options) -> Self {
        let verdicts: Vec<Verdict> =
            cases.par_iter().map(|case| judge.judge(&case.question)).collect();
        let mut table = Self { rows: BTreeMap::new(), lines: Vec::new() };
        for (case, verdict) in cases.iter().zip(&verdicts) {
            table.add(case, verdict, options);
        }
        table
    }

    fn add(&mut self, case: &Case, verdict: &Verdict, options: &Options) {
        let row = self.rows.entry(case.set()).or_default();
        row.cases += 1;
        let refused = !verdict.refusals.is_empty() || !verdict.failures.is_empty();
        let ours = || {
            let refusals = verdict.refusals.iter();
            let told: Vec<String> =
                refusals.map(|it| format!("{} [{}] {}", it.rule, it.field, it.message)).collect();
            [told, verdict.failures.clone()].concat().join("; ")
        };
        let line = match (case.accepted, refused) {
            (true, true) => {
                row.falsely_refused += 1;
                Some(format!("REFUSED {} ({}): {}", case.id, case.mutation, ours()))
            }
            (false, false) => {
                row.falsely_passed += 1;
                Some(format!("PASSED {} ({}): {}", case.id, case.mutation, case.message))
            }
            (true, false) => {
                row.agree += 1;
                None
            }
            (false, true) => {
                row.agree += 1;
                let mut differs = None;
                if !case.fields.is_empty() {
                    row.named += 1;
                    let named = |field: &String| {
                        let field = plain(field);
                        verdict.refusals.iter().any(|it| plain(&it.field) == field)
                    };
                    if case.fields.iter().any(named) {
                        row.same_field += 1;
                    } else if options.fields {
                        let fields = case.fields.join(", ");
                        differs = Some(format!(
                            "FIELD {} ({}): {fields} | {} | {}",
                            case.id,
                            case.mutation,
                            ours(),
                            case.message
                        ));
                    }
                }
                differs
            }
        };
        if let (Some(line), Some(wanted)) = (line, &options.show)
            && line.contains(wanted.as_str())
        {
            self.lines.push(line);
        }
    }

    /// Says whether the shares are those that are wanted.
    pub(crate) fn agrees(&self) -> bool {
        self.rows.iter().all(|(set, row)| {
            let wanted = WANTED.iter().find(|it| it.0 == *set).map_or(100.0, |it| it.1);
            share(row.agree, row.cases) >= wanted
                && row.falsely_refused == 0
                && share(row.same_field, row.named) >= WANTED_FIELDS
        })
    }
}

/// Returns a path without the signs in which spellings differ: `data[a.b]` and `data.a.b`.
fn plain(path: &str) -> String {
    path.replace(['[', '.'], "/").replace([']', '"'], "").trim_start_matches('/').to_owned()
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.lines {
            let line: String = line.chars().take(1200).collect();
            writeln!(f, "{}", line.replace('\n', " "))?;
        }
        writeln!(f, "| set | cases | agree | falsely refused | falsely passed | same field |")?;
        writeln!(f, "|---|---|---|---|---|---|")?;
        for (set, row) in &self.rows {
            writeln!(
                f,
                "| {set} | {} | {:.2} % | {} | {} | {:.1} % of {} |",
                row.cases,
                share(row.agree, row.cases),
                row.falsely_refused,
                row.falsely_passed,
                share(row.same_field, row.named),
                row.named,
            )?;
        }
        Ok(())
    }
}
