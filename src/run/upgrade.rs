//! What a newer version of Kubernetes would break: two runs, and what only the second one finds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Options, Outcome, Progress, RunError, check};
use crate::environment::KubernetesVersion;
use crate::finding::Fingerprint;

/// The rules that know versions.
const CATEGORIES: [&str; 2] = ["schema", "api"];

/// Judges for another version, and leaves out what holds already.
///
/// Each environment comes from its own version, or from the one that the options name. What
/// remains is what an upgrade breaks, and what it makes deprecated.
pub fn upgrade(
    options: &Options,
    to: KubernetesVersion,
    progress: &dyn Progress,
) -> Result<Outcome, RunError> {
    let mut options = options.clone();
    if options.only.is_empty() {
        options.only = CATEGORIES.map(str::to_owned).to_vec();
    }
    let before = check(&options, progress)?.verdict;
    options.kubernetes = Some(to);
    let mut outcome = check(&options, progress)?;

    let verdict = &mut outcome.verdict;
    verdict.summary.default_upgraded_from = before.summary.default_kubernetes;
    let versions: BTreeMap<&str, KubernetesVersion> =
        before.summary.environments.iter().map(|it| (it.name.as_str(), it.kubernetes)).collect();
    for environment in &mut verdict.summary.environments {
        environment.upgraded_from = versions.get(environment.name.as_str()).copied();
    }
    let mut from = versions.into_values().chain(before.summary.default_kubernetes);
    if from.all(|from| from == to) && !before.summary.refused {
        return Err(RunError::NoUpgrade(to));
    }

    let waived = before.waived.iter().map(|it| &it.judged);
    let mut known: BTreeMap<&Fingerprint, BTreeSet<&Arc<str>>> = BTreeMap::new();
    for judged in before.findings.iter().chain(waived) {
        known.entry(&judged.fingerprint).or_default().extend(&judged.finding.environments);
    }
    // A defect may be new in one environment and old in another.
    let is_new = |fingerprint: &Fingerprint, environments: &mut BTreeSet<Arc<str>>| {
        let Some(old) = known.get(fingerprint) else { return true };
        environments.retain(|it| !old.contains(it));
        !environments.is_empty()
    };
    verdict.findings.retain_mut(|it| is_new(&it.fingerprint, &mut it.finding.environments));
    verdict
        .waived
        .retain_mut(|it| is_new(&it.judged.fingerprint, &mut it.judged.finding.environments));
    verdict.failures.extend(before.failures);
    verdict.failures.sort();
    verdict.failures.dedup();
    Ok(outcome)
}
