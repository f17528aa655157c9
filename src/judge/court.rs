//! What each finding does to the gate.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::merge::{Merged, Sighting, merge};
use super::rules::{WAIVER_EXPIRED, WAIVER_LONG, WAIVER_UNUSED};
use super::{Judged, Waived};
use crate::config::{Place, Settings, Waiver};
use crate::date::Date;
use crate::environment::Tier;
use crate::finding::{Failure, Finding, Fingerprint};
use crate::rule::{Enforcement, Registry, RuleId};
use crate::source::{RepoPath, SourceMap, Span};

/// Everything that decides what a finding does to the gate.
#[derive(Debug, Clone, Copy)]
pub struct Court<'run> {
    /// All texts of the run, that of the configuration among them.
    pub sources: &'run SourceMap,
    /// The rules of the run.
    pub registry: &'run Registry,
    /// The configuration.
    pub settings: &'run Settings,
    /// The tier of every environment.
    pub tiers: &'run BTreeMap<Arc<str>, Tier>,
    /// The day that the expiry of waivers is compared with.
    pub today: Date,
    /// What is to be said of the waivers themselves.
    pub audit: Audit,
}

/// What is to be said of the waivers themselves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Audit {
    /// Whether to report those that have expired.
    pub expired: bool,
    /// Whether to report those that hold longer than the configuration allows.
    pub long: bool,
    /// Whether to report those that waived nothing, which only a run over everything can tell.
    pub unused: bool,
}

/// What was decided.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Ruling {
    /// The findings that do something to the gate.
    pub findings: Vec<Judged>,
    /// Those that waivers let through.
    pub waived: Vec<Waived>,
}

/// A defect, and what it does in each environment.
struct Case {
    path: RepoPath,
    /// The defect as a whole, from which its order and its fingerprint come: a waiver for some
    /// of its environments must not change them.
    whole: Finding,
    open: Option<(Finding, Enforcement)>,
    /// What is let through, each with the position of its waiver.
    waived: Vec<(Finding, Enforcement, usize)>,
}

impl Court<'_> {
    /// Returns each defect once, in the order of its place, with what it does to the gate.
    pub fn judge(&self, findings: Vec<Finding>) -> Ruling {
        let mut used = BTreeSet::new();
        let mut cases: Vec<Case> =
            merge(findings).into_iter().filter_map(|it| self.case(it, &mut used)).collect();
        for finding in self.about_waivers(&used) {
            cases.extend(self.case(Merged::from(finding), &mut used));
        }
        cases.sort_by(|one, other| {
            let place = |it: &Finding| (it.primary.span.start, it.primary.span.end);
            let (a, b) = (&one.whole, &other.whole);
            (&one.path, place(a), &a.rule, &a.message, &a.object).cmp(&(
                &other.path,
                place(b),
                &b.rule,
                &b.message,
                &b.object,
            ))
        });
        let mut alike: BTreeMap<Fingerprint, usize> = BTreeMap::new();
        let mut ruling = Ruling::default();
        for case in cases {
            let nth = alike.entry(Fingerprint::new(&case.whole, &case.path, 0)).or_insert(0);
            let fingerprint = Fingerprint::new(&case.whole, &case.path, *nth);
            *nth += 1;
            if let Some((finding, enforcement)) = case.open {
                let fingerprint = fingerprint.clone();
                ruling.findings.push(Judged { finding, enforcement, fingerprint });
            }
            for (finding, enforcement, position) in case.waived {
                let Some(waiver) = self.settings.waivers.get(position) else { continue };
                let fingerprint = fingerprint.clone();
                ruling.waived.push(Waived {
                    judged: Judged { finding, enforcement, fingerprint },
                    waiver: Arc::clone(&waiver.note),
                });
            }
        }
        ruling
    }

    /// Decides for each environment what a defect does there; `None` where it is off in all.
    fn case(&self, merged: Merged, used: &mut BTreeSet<usize>) -> Option<Case> {
        let Merged { finding: mut whole, sightings } = merged;
        let path = self.sources.path(whole.primary.span);
        let environments: Vec<Option<Arc<str>>> = if whole.environments.is_empty() {
            vec![None]
        } else {
            whole.environments.iter().cloned().map(Some).collect()
        };
        let mut open = Part::default();
        let mut waived: BTreeMap<usize, Part<'_>> = BTreeMap::new();
        let mut expired = None;
        let mut is_waived = false;
        for environment in environments {
            let place = Place { environment: self.tiered(environment.as_ref()), path: &path };
            let enforcement = self.enforcement(&whole.rule, place);
            if enforcement == Enforcement::Off {
                continue;
            }
            // Every object that shows the defect here has to be waived.
            let mut first = None;
            let mut uncovered = None;
            let here = sightings.iter().filter(|it| it.environment == environment);
            for sighting in here.take_while(|_| !self.settings.waivers.is_empty()) {
                let covers = |it: &Waiver| it.covers(&whole.rule, place, sighting.object.as_ref());
                let mut waivers =
                    self.settings.waivers.iter().enumerate().filter(|(_, it)| covers(it));
                let live = waivers.clone().find(|(_, it)| !it.note.expired(self.today));
                if let Some((position, _)) = live {
                    used.insert(position);
                    is_waived = true;
                    first.get_or_insert((position, sighting));
                } else {
                    expired = expired.or(waivers.find_map(|(_, it)| it.note.expires));
                    uncovered.get_or_insert(sighting);
                }
            }
            match (uncovered, first) {
                (None, Some((position, sighting))) => {
                    let part = waived.entry(position).or_default();
                    part.add(environment, enforcement, Some(sighting));
                }
                (uncovered, _) => open.add(environment, enforcement, uncovered),
            }
        }
        // What is off in an environment does not reach it.
        whole.environments = std::iter::once(&open)
            .chain(waived.values())
            .flat_map(|part| part.environments.iter().cloned())
            .collect();
        // Where no waiver fits, the least object of all stands for all.
        if !is_waived {
            open.sighting = None;
        }
        let mut open = open.of(&whole);
        if let (Some((finding, _)), Some((day, _))) = (&mut open, expired) {
            let of_rule = || self.registry.get(&finding.rule).map(|meta| meta.help.to_string());
            let help = finding.help.take().or_else(of_rule).unwrap_or_default();
            let separator = if help.is_empty() { "" } else { "; " };
            finding.help = Some(format!("{help}{separator}the waiver of this expired on {day}"));
        }
        let waived: Vec<_> = waived
            .into_iter()
            .filter_map(|(position, part)| {
                part.of(&whole).map(|(finding, enforcement)| (finding, enforcement, position))
            })
            .collect();
        (open.is_some() || !waived.is_empty()).then_some(Case { path, whole, open, waived })
    }

    /// Returns what a failure does to the gate in an environment: that of a rule that only warns
    /// warns, and one of no rule denies. `whole` is the path of a failure that has no place.
    pub fn of_failure(
        &self,
        failure: &Failure,
        environment: Option<&Arc<str>>,
        whole: &RepoPath,
    ) -> Enforcement {
        let Some(rule) = &failure.rule else { return Enforcement::Deny };
        let path = failure.span.map_or_else(|| whole.clone(), |it| self.sources.path(it));
        self.enforcement(rule, Place { environment: self.tiered(environment), path: &path })
    }

    fn enforcement(&self, rule: &RuleId, place: Place<'_>) -> Enforcement {
        let default = self.registry.get(rule).map_or(Enforcement::Deny, |meta| meta.enforcement);
        self.settings.enforcement(rule, default, place)
    }

    fn tiered<'a>(&self, environment: Option<&'a Arc<str>>) -> Option<(&'a str, Tier)> {
        environment
            .map(|name| (&**name, self.tiers.get(name).copied().unwrap_or(Tier::NonProduction)))
    }

    /// Returns what is to be said of the waivers themselves.
    fn about_waivers(&self, used: &BTreeSet<usize>) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut add = |rule: &RuleId, span: Span, message: String| {
            findings.extend(self.registry.get(rule).map(|it| Finding::new(it, span, message)));
        };
        for (position, waiver) in self.settings.waivers.iter().enumerate() {
            let note = &*waiver.note;
            let rules: Vec<String> = note.rules.iter().map(|rule| format!("`{rule}`")).collect();
            let rules = rules.join(", ");
            if let Some((day, span)) = note.expires.filter(|_| note.expired(self.today)) {
                // That it waives nothing goes without saying.
                if self.audit.expired {
                    let message = format!("the waiver of {rules} expired on {day}");
                    add(&WAIVER_EXPIRED, span, message);
                }
                continue;
            }
            if let Some(limit) = self.settings.max_waiver_days.filter(|_| self.audit.long) {
                match note.expires {
                    Some((day, span)) if self.today.days_until(day) > i64::from(limit) => {
                        let message = format!(
                            "the waiver of {rules} holds until {day}, longer than the {limit} \
                             days allowed"
                        );
                        add(&WAIVER_LONG, span, message);
                    }
                    Some(_) => {}
                    None => {
                        let message = format!(
                            "the waiver of {rules} holds for ever, longer than the {limit} days \
                             allowed"
                        );
                        add(&WAIVER_LONG, note.span, message);
                    }
                }
            }
            if self.audit.unused && !used.contains(&position) {
                let message = format!("the waiver of {rules} waives nothing");
                add(&WAIVER_UNUSED, note.span, message);
            }
        }
        findings
    }
}

/// The environments in which a defect does the same.
#[derive(Default)]
struct Part<'a> {
    environments: BTreeSet<Arc<str>>,
    strictest: Option<Enforcement>,
    /// The least of the objects that stand for it.
    sighting: Option<&'a Sighting>,
}

impl<'a> Part<'a> {
    fn add(
        &mut self,
        environment: Option<Arc<str>>,
        enforcement: Enforcement,
        sighting: Option<&'a Sighting>,
    ) {
        self.environments.extend(environment);
        self.strictest = self.strictest.max(Some(enforcement));
        let least = |it: &Sighting| (it.object.clone(), it.path.clone());
        if let Some(sighting) = sighting
            && self.sighting.is_none_or(|known| least(sighting) < least(known))
        {
            self.sighting = Some(sighting);
        }
    }

    /// Returns the defect as it stands in these environments.
    fn of(self, whole: &Finding) -> Option<(Finding, Enforcement)> {
        let enforcement = self.strictest?;
        let mut finding = whole.clone();
        finding.environments = self.environments;
        if let Some(sighting) = self.sighting {
            finding.object.clone_from(&sighting.object);
            finding.path = sighting.path.clone();
        }
        Some((finding, enforcement))
    }
}
