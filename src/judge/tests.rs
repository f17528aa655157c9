//! What waivers let through, and what is said of them.

use super::*;
use crate::config::{Draft, Known, Settings};
use crate::date::Date;
use crate::document::ObjectRef;
use crate::environment::Tier;
use crate::load::{Dialect, Limits, Parsed};
use crate::rule::{Registry, RuleMeta};
use crate::source::{Origin, Source, SourceMap};

/// A configuration and two files to find something in.
struct Hall {
    sources: SourceMap,
    registry: Registry,
    settings: Settings,
    tiers: BTreeMap<Arc<str>, Tier>,
    audit: Audit,
}

const ALL: Audit = Audit { expired: true, long: true, unused: true };

impl Hall {
    fn new(config: &str) -> Self {
        let mut registry = Registry::default();
        for id in ["rbac/wildcard-verb", "secrets/plaintext-secret", "secrets/github-pat"] {
            registry.add(rule(id)).unwrap();
        }
        for meta in rules() {
            registry.add(meta).unwrap();
        }
        let mut sources = SourceMap::default();
        let mut add = |path: &str, text: &str| {
            sources.add(Source::new(RepoPath::new(path), Origin::File, text.into()))
        };
        let config_id = add("tidewaiter.yaml", config);
        add("base/role.yaml", &"x".repeat(100));
        add("other/role.yaml", &"x".repeat(100));
        let source = sources.get(config_id).unwrap();
        let parsed = Parsed::of(source, config_id, Dialect::Kubectl, &Limits::default());
        let known = Known { registry: &registry, versions: &[] };
        let draft = Draft::read(parsed.documents.first()).unwrap();
        let settings = draft.resolve(&RepoPath::root(), known).unwrap();
        let tiers = [("prod".into(), Tier::Production), ("dev".into(), Tier::NonProduction)].into();
        Self { sources, registry, settings, tiers, audit: Audit::default() }
    }

    /// Returns a finding in `base/role.yaml`.
    fn finding(&self, rule: &str, start: u32, object: (&str, &str), in_: &[&str]) -> Finding {
        let (source, _) = self.sources.iter().nth(1).unwrap();
        let meta = self.registry.find(rule).unwrap();
        let span = Span::new(source, start, start + 10);
        let (namespace, name) = object;
        let mut finding = Finding::new(meta, span, "wrong").with_object(Some(ObjectRef {
            api_version: "v1".into(),
            kind: "Role".into(),
            namespace: (!namespace.is_empty()).then(|| namespace.into()),
            name: name.into(),
        }));
        finding.environments = in_.iter().map(|name| Arc::from(*name)).collect();
        finding
    }

    fn judge(&self, findings: Vec<Finding>) -> Ruling {
        self.judge_on("2026-06-15", findings)
    }

    fn judge_on(&self, day: &str, findings: Vec<Finding>) -> Ruling {
        let court = Court {
            sources: &self.sources,
            registry: &self.registry,
            settings: &self.settings,
            tiers: &self.tiers,
            today: day.parse::<Date>().unwrap(),
            audit: self.audit,
        };
        court.judge(findings)
    }

    fn text(&self, span: Span) -> &str {
        self.sources.text(span)
    }
}

fn rule(id: &str) -> RuleMeta {
    RuleMeta { help: "mend it".into(), ..crate::rule::fixture(id) }
}

const RULE: &str = "rbac/wildcard-verb";

fn names(environments: &BTreeSet<Arc<str>>) -> Vec<&str> {
    environments.iter().map(|name| &**name).collect()
}

/// Returns the rule, the object and the environments of what is left, and of what is let through.
fn told(ruling: &Ruling) -> (Vec<String>, Vec<String>) {
    let tell = |judged: &Judged| {
        let finding = &judged.finding;
        let object = finding.object.as_ref().map_or_else(String::new, |object| {
            format!("{}/{}", object.namespace.as_deref().unwrap_or_default(), object.name)
        });
        format!("{} {object} {}", finding.rule, names(&finding.environments).join(","))
    };
    (
        ruling.findings.iter().map(tell).collect(),
        ruling.waived.iter().map(|it| tell(&it.judged)).collect(),
    )
}

#[test]
fn what_is_waived_is_no_finding() {
    let hall = Hall::new(
        "waivers:\n- {rules: [rbac], objects: [{name: web}], reason: known, owner: me}\n",
    );
    let ruling = hall.judge(vec![
        hall.finding(RULE, 0, ("", "web"), &["prod"]),
        hall.finding(RULE, 20, ("", "api"), &["prod"]),
    ]);
    assert_eq!(
        told(&ruling),
        (vec![format!("{RULE} /api prod")], vec![format!("{RULE} /web prod")])
    );
    let waived = &ruling.waived[0];
    assert_eq!((&*waived.waiver.reason, waived.waiver.owner.as_deref()), ("known", Some("me")));
    assert_eq!(waived.judged.enforcement, Enforcement::Deny);
    let verdict = Verdict { waived: ruling.waived, ..Verdict::default() };
    assert_eq!(verdict.exit(), Exit::Passed);
}

#[test]
fn a_waiver_for_one_environment_leaves_the_others() {
    let hall = Hall::new("waivers:\n- {rules: [rbac], environments: [dev], reason: r}\n");
    let ruling = hall.judge(vec![
        hall.finding(RULE, 0, ("", "web"), &["prod"]),
        hall.finding(RULE, 0, ("", "web"), &["dev"]),
    ]);
    assert_eq!(
        told(&ruling),
        (vec![format!("{RULE} /web prod")], vec![format!("{RULE} /web dev")])
    );
    assert_eq!(ruling.findings[0].fingerprint, ruling.waived[0].judged.fingerprint);
}

#[test]
fn a_namespace_that_an_overlay_sets_is_seen() {
    // Both come from one line of the base; the first overlay's object stands for both.
    let findings = |hall: &Hall| {
        vec![
            hall.finding(RULE, 0, ("a", "web"), &["dev"]),
            hall.finding(RULE, 0, ("b", "web"), &["prod"]),
        ]
    };
    let of = |namespace: &str| {
        Hall::new(&format!(
            "waivers:\n- {{rules: [rbac], objects: [{{namespace: {namespace}}}], reason: r}}\n"
        ))
    };
    let hall = of("a");
    assert_eq!(
        told(&hall.judge(findings(&hall))),
        (vec![format!("{RULE} b/web prod")], vec![format!("{RULE} a/web dev")])
    );
    let hall = of("b");
    assert_eq!(
        told(&hall.judge(findings(&hall))),
        (vec![format!("{RULE} a/web dev")], vec![format!("{RULE} b/web prod")])
    );
}

#[test]
fn every_object_of_an_environment_has_to_be_waived() {
    let hall = Hall::new("waivers:\n- {rules: [rbac], objects: [{namespace: a}], reason: r}\n");
    let ruling = hall.judge(vec![
        hall.finding(RULE, 0, ("a", "web"), &["prod"]),
        hall.finding(RULE, 0, ("b", "web"), &["prod"]),
    ]);
    assert_eq!(told(&ruling), (vec![format!("{RULE} b/web prod")], Vec::new()));
}

#[test]
fn a_waiver_changes_no_other_fingerprint() {
    let findings = |hall: &Hall| {
        vec![
            hall.finding(RULE, 0, ("", "web"), &[]),
            hall.finding(RULE, 20, ("", "web"), &["dev"]),
            hall.finding(RULE, 40, ("", "web"), &[]),
        ]
    };
    let without = Hall::new("");
    let with = Hall::new("waivers:\n- {rules: [rbac], environments: [dev], reason: r}\n");
    let all: Vec<_> =
        without.judge(findings(&without)).findings.into_iter().map(|it| it.fingerprint).collect();
    let ruling = with.judge(findings(&with));
    let left: Vec<_> = ruling.findings.into_iter().map(|it| it.fingerprint).collect();
    assert_eq!(left, [all[0].clone(), all[2].clone()]);
    assert_eq!(ruling.waived[0].judged.fingerprint, all[1]);
}

#[test]
fn the_more_specific_finding_is_the_one_that_is_waived() {
    let hall = Hall::new("waivers:\n- {rules: [secrets/github-pat], paths: [base], reason: r}\n");
    let ruling = hall.judge(vec![
        hall.finding("secrets/plaintext-secret", 0, ("", "token"), &["prod"]),
        hall.finding("secrets/github-pat", 0, ("", "token"), &[]),
    ]);
    assert_eq!(told(&ruling), (Vec::new(), vec!["secrets/github-pat /token prod".to_owned()]));
}

#[test]
fn what_is_off_needs_no_waiver() {
    let mut hall = Hall::new(
        "enforcement:\n- {rules: [rbac], set: off}\n\
         waivers:\n- {rules: [rbac], paths: [base], reason: r}\n",
    );
    hall.audit = ALL;
    let ruling = hall.judge(vec![hall.finding(RULE, 0, ("", "web"), &[])]);
    assert_eq!(told(&ruling), (vec!["waiver/unused  ".to_owned()], Vec::new()));
}

const EXPIRES: &str =
    "waivers:\n- {rules: [rbac], paths: [base], reason: r, expires: 2026-06-15}\n";

#[test]
fn a_waiver_holds_until_the_end_of_its_last_day() {
    let mut hall = Hall::new(EXPIRES);
    hall.audit = ALL;
    let finding = || vec![hall.finding(RULE, 0, ("", "web"), &[])];
    let ruling = hall.judge_on("2026-06-15", finding());
    assert_eq!((ruling.findings.len(), ruling.waived.len()), (0, 1));
    let ruling = hall.judge_on("2026-06-16", finding());
    assert_eq!(
        told(&ruling),
        (vec![format!("{RULE} /web "), "waiver/expired  ".to_owned()], Vec::new())
    );
    let [back, expired] = ruling.findings.as_slice() else { panic!("two findings") };
    assert_eq!(
        back.finding.help.as_deref(),
        Some("mend it; the waiver of this expired on 2026-06-15")
    );
    assert_eq!(expired.finding.message, "the waiver of `rbac` expired on 2026-06-15");
    assert_eq!(hall.text(expired.finding.primary.span), "2026-06-15");
    assert_eq!(expired.enforcement, Enforcement::Warn);
}

#[test]
fn an_expired_waiver_does_not_stand_before_one_that_holds() {
    let hall = Hall::new(&format!("{EXPIRES}- {{rules: [rbac], paths: [base], reason: again}}\n"));
    let ruling = hall.judge_on("2027-01-01", vec![hall.finding(RULE, 0, ("", "web"), &[])]);
    assert_eq!(ruling.findings, []);
    assert_eq!(ruling.waived[0].waiver.reason, "again");
}

#[test]
fn a_waiver_that_waives_nothing_is_named_where_everything_is_judged() {
    let mut hall = Hall::new(
        "waivers:\n- {rules: [rbac], paths: [base], reason: r}\n\
         - {rules: [rbac/wildcard-verb], paths: [other], reason: r}\n",
    );
    let finding = || vec![hall.finding(RULE, 0, ("", "web"), &[])];
    assert_eq!(hall.judge(finding()).findings, []);
    hall.audit = ALL;
    let ruling = hall.judge(vec![hall.finding(RULE, 0, ("", "web"), &[])]);
    let [unused] = ruling.findings.as_slice() else { panic!("{ruling:?}") };
    assert_eq!(unused.finding.message, "the waiver of `rbac/wildcard-verb` waives nothing");
    assert_eq!(unused.enforcement, Enforcement::Warn);
    let location = hall.sources.location(unused.finding.primary.span);
    assert_eq!((location.path.as_str(), location.start.line), ("tidewaiter.yaml", 3));
}

#[test]
fn a_waiver_that_holds_too_long_is_a_finding() {
    let judged = |expires: &str, audit: Audit| {
        let mut hall = Hall::new(&format!(
            "waiverPolicy: {{maxDays: 90}}\n\
             waivers:\n- {{rules: [rbac], paths: [base], reason: r{expires}}}\n"
        ));
        hall.audit = audit;
        let ruling = hall.judge_on("2026-01-01", vec![hall.finding(RULE, 0, ("", "web"), &[])]);
        let tell = |it: &Judged| (it.finding.message.clone(), it.enforcement);
        ruling.findings.iter().map(tell).collect::<Vec<_>>()
    };
    let deny = |text: &str| vec![(text.to_owned(), Enforcement::Deny)];
    assert_eq!(judged(", expires: 2026-04-01", ALL), []);
    assert_eq!(
        judged(", expires: 2026-04-02", ALL),
        deny("the waiver of `rbac` holds until 2026-04-02, longer than the 90 days allowed")
    );
    assert_eq!(
        judged("", ALL),
        deny("the waiver of `rbac` holds for ever, longer than the 90 days allowed")
    );
    assert_eq!(judged("", Audit::default()), []);
}
