use super::*;
use crate::document::{Document, ObjectRef};
use crate::load::{self, Dialect, Limits};
use crate::rule::Registry;
use crate::source::{Origin, Source, SourceMap};

fn registry() -> Registry {
    let mut registry = Registry::default();
    for id in
        ["rbac/wildcard-verb", "rbac/bind-verb", "pod-security/host-network", "waiver/expired"]
    {
        registry.add(crate::rule::fixture(id)).unwrap();
    }
    registry
}

/// A refusal: the underlined text, the message, the help.
type Refusal = (String, String, Option<String>);

fn resolve(document: Option<&Document>, folder: &RepoPath) -> Result<Settings, ConfigError> {
    let versions = [35, 36].map(|minor| KubernetesVersion { major: 1, minor });
    Draft::read(document)?.resolve(folder, Known { registry: &registry(), versions: &versions })
}

fn read_in(folder: &str, text: &str) -> Result<Settings, Refusal> {
    let folder = RepoPath::new(folder);
    let mut sources = SourceMap::default();
    let source = Source::new(folder.join(FILE_NAME).unwrap(), Origin::File, text.into());
    let id = sources.add(source);
    let source = sources.get(id).unwrap();
    let parsed = load::parse(source, id, Dialect::Kubectl, &Limits::default());
    assert_eq!(parsed.problems, []);
    resolve(parsed.documents.first(), &folder).map_err(|error| {
        let underlined = sources.text(error.span).to_owned();
        (underlined, error.message, error.help)
    })
}

fn read(text: &str) -> Settings {
    read_in("", text).unwrap()
}

fn refused(text: &str) -> Refusal {
    read_in("", text).unwrap_err()
}

/// Refuses a waiver of `rbac` with these keys added.
fn refused_waiver(keys: &str) -> Refusal {
    refused(&format!("waivers:\n- rules: [rbac]\n  reason: r\n{keys}"))
}

fn refusal(underlined: &str, message: &str, help: Option<&str>) -> Refusal {
    (underlined.to_owned(), message.to_owned(), help.map(str::to_owned))
}

/// What a finding does: by rule, environment and path.
fn enforced(
    settings: &Settings,
    rule: &str,
    environment: Option<(&str, Tier)>,
    path: &str,
) -> Enforcement {
    let path = RepoPath::new(path);
    settings.enforcement(
        &rule.parse().unwrap(),
        Enforcement::Deny,
        Place { environment, path: &path },
    )
}

const PROD: Option<(&str, Tier)> = Some(("prod", Tier::Production));
const DEV: Option<(&str, Tier)> = Some(("dev", Tier::NonProduction));

#[test]
fn no_file_changes_nothing() {
    let settings = resolve(None, &RepoPath::root()).unwrap();
    assert_eq!(enforced(&settings, "rbac/wildcard-verb", PROD, "a.yaml"), Enforcement::Deny);
    assert_eq!(settings.external(&RepoPath::new("a.yaml")), None);
    for empty in ["", "# Nothing yet.\n", "---\n", "{}\n"] {
        assert!(read(empty).environments.is_empty(), "{empty}");
    }
}

#[test]
fn every_key_is_read() {
    let settings = read(
        "kubernetes: '1.36'\n\
         environments:\n\
         - name: prod\n  tier: production\n  cluster: eu\n  kubernetes: '1.35'\n  \
         paths: [clusters/prod]\n  labels: {region: eu}\n\
         external:\n\
         - paths: [charts]\n  reason: rendered elsewhere\n",
    );
    let version = |minor| Some(KubernetesVersion { major: 1, minor });
    assert_eq!(settings.kubernetes, version(36));
    let [environment] = settings.environments.as_slice() else { panic!("one environment") };
    assert_eq!(environment.name, "prod");
    assert_eq!(environment.tier, Some(Tier::Production));
    assert_eq!(environment.cluster.as_deref(), Some("eu"));
    assert_eq!(environment.kubernetes, version(35));
    assert_eq!(environment.paths[0].as_str(), "clusters/prod");
    assert_eq!(environment.labels, BTreeMap::from([("region".to_owned(), "eu".to_owned())]));
    assert_eq!(settings.external(&RepoPath::new("charts/a/b.yaml")), Some("rendered elsewhere"));
    assert_eq!(settings.external(&RepoPath::new("apps/b.yaml")), None);
}

#[test]
fn an_unknown_key_is_underlined_and_the_near_one_named() {
    assert_eq!(
        refused("kubernetes: '1.36'\nenvironmnets: []\n"),
        refusal("environmnets", "unknown key `environmnets`", Some("did you mean `environments`?")),
    );
    assert_eq!(
        refused("external:\n- paths: [a]\n  reason: r\n  owner: me\n"),
        refusal("owner", "unknown key `owner`", Some("the keys here are `paths`, `reason`")),
    );
}

#[test]
fn a_value_of_the_wrong_type_is_underlined() {
    assert_eq!(
        refused("kubernetes: 1.30\n"),
        refusal("1.30", "expected a string, found the number `1.3`", Some("put it in quotes")),
    );
    assert_eq!(
        refused("external:\n- paths: charts\n  reason: r\n"),
        refusal("charts", "expected a list, found the text `charts`", Some("write `[charts]`")),
    );
    assert_eq!(
        refused("external:\n- charts\n"),
        refusal("charts", "expected a mapping, found the text `charts`", None),
    );
    assert_eq!(
        refused("enforcement:\n- [[rbac], warn]\n"),
        refusal("[[rbac], warn]", "expected a mapping, found a list", None),
    );
    assert_eq!(
        refused("[]\n"),
        refusal("[]", "expected a mapping of settings, found a list", None),
    );
}

#[test]
fn a_missing_key_is_named() {
    assert_eq!(
        refused("external:\n- {paths: [charts]}\n"),
        refusal("{paths: [charts]}", "the key `reason` is missing", None),
    );
}

#[test]
fn an_unknown_word_is_underlined_and_the_near_one_named() {
    assert_eq!(
        refused("enforcement:\n- rules: [rbac]\n  set: warm\n"),
        refusal("warm", "unknown value `warm`", Some("did you mean `warn`?")),
    );
    assert_eq!(
        refused("enforcement:\n- rules: [rbac]\n  set: warn\n  tier: prod\n"),
        refusal(
            "prod",
            "unknown value `prod`",
            Some("write one of `production`, `non-production`")
        ),
    );
    assert_eq!(
        refused("enforcement:\n- rules: [rbac]\n  set: on\n"),
        refusal("on", "expected one of `off`, `warn`, `deny`", None),
    );
}

#[test]
fn off_needs_no_quotes() {
    for off in ["off", "Off", "'off'"] {
        let settings = read(&format!("enforcement:\n- rules: [rbac]\n  set: {off}\n"));
        assert_eq!(
            enforced(&settings, "rbac/wildcard-verb", None, "a.yaml"),
            Enforcement::Off,
            "{off}"
        );
    }
}

#[test]
fn an_unknown_rule_is_underlined_and_the_near_one_named() {
    assert_eq!(
        refused("enforcement:\n- rules: [rbac/bind-verb, rbac/wildcard-verbs]\n  set: warn\n"),
        refusal(
            "rbac/wildcard-verbs",
            "there is no rule or category `rbac/wildcard-verbs`",
            Some("did you mean `rbac/wildcard-verb`?")
        ),
    );
    assert_eq!(
        refused("enforcement:\n- rules: [everything]\n  set: warn\n"),
        refusal(
            "everything",
            "there is no rule or category `everything`",
            Some("`tidewaiter rules` lists them")
        ),
    );
}

#[test]
fn an_empty_reason_is_refused() {
    assert_eq!(
        refused("external:\n- paths: [a]\n  reason: ' '\n"),
        refusal("' '", "the reason is empty", None),
    );
}

#[test]
fn a_bad_pattern_is_underlined() {
    assert_eq!(
        refused("external:\n- paths: [a, ../b]\n  reason: r\n"),
        refusal(
            "../b",
            "`../b` is not a path pattern: it must stay inside the folder of the configuration",
            None
        ),
    );
    let (underlined, message, _) = refused("environments:\n- name: prod\n  paths: ['a[']\n");
    assert_eq!(underlined, "'a['");
    assert!(message.starts_with("`a[` is not a path pattern: "), "{message}");
}

#[test]
fn a_version_that_is_none_is_underlined() {
    assert_eq!(
        refused("environments:\n- name: prod\n  paths: []\n  kubernetes: latest\n"),
        refusal(
            "latest",
            "`latest` is not a Kubernetes version: write a minor version such as `1.37`",
            None
        ),
    );
}

#[test]
fn later_entries_win() {
    let settings = read(
        "enforcement:\n\
         - {rules: [rbac], set: off}\n\
         - {rules: [rbac/wildcard-verb], set: warn}\n\
         - {rules: [pod-security], set: warn}\n",
    );
    assert_eq!(enforced(&settings, "rbac/wildcard-verb", None, "a.yaml"), Enforcement::Warn);
    assert_eq!(enforced(&settings, "rbac/bind-verb", None, "a.yaml"), Enforcement::Off);
    let settings = read(
        "enforcement:\n\
         - {rules: [rbac/wildcard-verb], set: warn}\n\
         - {rules: [rbac], set: off}\n",
    );
    assert_eq!(enforced(&settings, "rbac/wildcard-verb", None, "a.yaml"), Enforcement::Off);
}

#[test]
fn an_environment_is_named_by_its_class_or_in_full() {
    let class = read("enforcement:\n- {rules: [rbac], set: warn, environments: [prod]}\n");
    let full = read("enforcement:\n- {rules: [rbac], set: warn, environments: [prod/eu]}\n");
    let at = |settings, name| {
        enforced(settings, "rbac/bind-verb", Some((name, Tier::Production)), "a.yaml")
    };
    for (name, by_class, in_full) in [
        ("prod", Enforcement::Warn, Enforcement::Deny),
        ("prod/eu", Enforcement::Warn, Enforcement::Warn),
        ("prod/us", Enforcement::Warn, Enforcement::Deny),
        ("preprod", Enforcement::Deny, Enforcement::Deny),
    ] {
        assert_eq!((at(&class, name), at(&full, name)), (by_class, in_full), "{name}");
    }
    // Where no environment is known, none is meant.
    assert_eq!(enforced(&class, "rbac/bind-verb", None, "a.yaml"), Enforcement::Deny);
}

#[test]
fn a_tier_limits_an_entry() {
    let settings = read("enforcement:\n- {rules: [rbac], set: warn, tier: non-production}\n");
    assert_eq!(enforced(&settings, "rbac/bind-verb", DEV, "a.yaml"), Enforcement::Warn);
    assert_eq!(enforced(&settings, "rbac/bind-verb", PROD, "a.yaml"), Enforcement::Deny);
    assert_eq!(enforced(&settings, "rbac/bind-verb", None, "a.yaml"), Enforcement::Deny);
}

#[test]
fn paths_start_at_the_folder_of_the_file() {
    let text = "enforcement:\n- {rules: [rbac], set: off, paths: [apps/*/dev]}\n";
    let settings = read_in("fleet", text).unwrap();
    let at = |path| enforced(&settings, "rbac/bind-verb", None, path);
    assert_eq!(at("fleet/apps/web/dev/a.yaml"), Enforcement::Off);
    assert_eq!(at("apps/web/dev/a.yaml"), Enforcement::Deny);
    assert_eq!(at("fleet/apps/web/prod/a.yaml"), Enforcement::Deny);
}

#[test]
fn a_version_that_is_not_known_is_underlined() {
    assert_eq!(
        refused("environments: []\nkubernetes: '1.4'\n"),
        refusal("'1.4'", "Kubernetes 1.4 is not known", Some("this program knows 1.35, 1.36")),
    );
}

/// Says which waivers name a finding, by position.
fn covering(
    settings: &Settings,
    rule: &str,
    environment: Option<(&str, Tier)>,
    path: &str,
    object: Option<(&str, Option<&str>, &str)>,
) -> Vec<usize> {
    let object = object.map(|(kind, namespace, name)| ObjectRef {
        api_version: "v1".into(),
        kind: kind.into(),
        namespace: namespace.map(Into::into),
        name: name.into(),
    });
    let path = RepoPath::new(path);
    let (rule, place) = (rule.parse().unwrap(), Place { environment, path: &path });
    let waivers = settings.waivers.iter().enumerate();
    waivers.filter(|(_, it)| it.covers(&rule, place, object.as_ref())).map(|(at, _)| at).collect()
}

#[test]
fn a_waiver_says_all_that_it_may() {
    let settings = read(
        "waivers:\n- rules: [rbac/bind-verb]\n  paths: [apps]\n  reason: ' known '\n  \
         owner: team-a\n  ticket: A-1\n  expires: 2026-02-28\n",
    );
    let [waiver] = settings.waivers.as_slice() else { panic!("one waiver") };
    let note = &waiver.note;
    assert_eq!((&*note.reason, note.rules.as_slice()), ("known", &["rbac/bind-verb".into()][..]));
    assert_eq!((note.owner.as_deref(), note.ticket.as_deref()), (Some("team-a"), Some("A-1")));
    let day = |text: &str| text.parse().unwrap();
    assert_eq!(note.expires.unwrap().0, day("2026-02-28"));
    assert!(!note.expired(day("2026-02-28")));
    assert!(note.expired(day("2026-03-01")));
}

#[test]
fn a_waiver_names_rules_and_categories() {
    let settings = read(
        "waivers:\n\
         - {rules: [rbac/bind-verb], paths: [a], reason: r}\n\
         - {rules: [rbac], paths: [a], reason: r}\n",
    );
    assert_eq!(covering(&settings, "rbac/bind-verb", None, "a/b.yaml", None), [0, 1]);
    assert_eq!(covering(&settings, "rbac/wildcard-verb", None, "a/b.yaml", None), [1]);
    assert_eq!(covering(&settings, "rbac/bind-verb", None, "c/b.yaml", None), [0; 0]);
    assert_eq!(covering(&settings, "pod-security/host-network", None, "a/b.yaml", None), [0; 0]);
}

#[test]
fn all_that_a_waiver_names_must_hold() {
    let settings = read(
        "waivers:\n- rules: [rbac]\n  objects: [{name: web}]\n  environments: [prod]\n  \
         paths: [a]\n  reason: r\n",
    );
    let web = Some(("Role", None, "web"));
    let covered = |environment, path, object| {
        !covering(&settings, "rbac/bind-verb", environment, path, object).is_empty()
    };
    assert!(covered(PROD, "a/b.yaml", web));
    assert!(covered(Some(("prod/eu", Tier::Production)), "a/b.yaml", web));
    assert!(!covered(DEV, "a/b.yaml", web));
    assert!(!covered(None, "a/b.yaml", web));
    assert!(!covered(PROD, "b/b.yaml", web));
    assert!(!covered(PROD, "a/b.yaml", Some(("Role", None, "api"))));
    assert!(!covered(PROD, "a/b.yaml", None));
}

#[test]
fn objects_are_named_by_kind_namespace_and_name() {
    let settings = read(
        "waivers:\n- rules: [rbac]\n  reason: r\n  objects:\n  \
         - {kind: Role, namespace: 'team-*', name: web}\n  - {kind: ClusterRole, name: 'x:*'}\n",
    );
    for (object, covered) in [
        (("Role", Some("team-a"), "web"), true),
        (("Role", Some("other"), "web"), false),
        (("Role", None, "web"), false),
        (("Role", Some("team-a"), "web-2"), false),
        (("RoleBinding", Some("team-a"), "web"), false),
        (("ClusterRole", None, "x:y/z"), true),
        (("ClusterRole", None, "web"), false),
    ] {
        let found = covering(&settings, "rbac/bind-verb", None, "a.yaml", Some(object));
        assert_eq!(!found.is_empty(), covered, "{object:?}");
    }
}

#[test]
fn a_waiver_that_is_for_everything_is_refused() {
    let help =
        "add `objects`, `environments` or `paths`; `enforcement` turns a rule off everywhere";
    assert_eq!(
        refused_waiver(""),
        refusal("rules", "the waiver does not say what it is for", Some(help)),
    );
    assert_eq!(
        refused_waiver("  objects: [{}]\n"),
        refusal("{}", "the entry names no object", Some("add `kind`, `namespace` or `name`")),
    );
    assert_eq!(
        refused("waivers:\n- {rules: [], paths: [a], reason: r}\n"),
        refusal("[]", "the waiver names no rule", None),
    );
}

#[test]
fn a_waiver_has_a_reason() {
    assert_eq!(
        refused("waivers:\n- {rules: [rbac], paths: [a]}\n"),
        refusal("{rules: [rbac], paths: [a]}", "the key `reason` is missing", None),
    );
    assert_eq!(
        refused("waivers:\n- {rules: [rbac], paths: [a], reason: \"\\t\"}\n"),
        refusal("\"\\t\"", "the reason is empty", None),
    );
    assert_eq!(
        refused_waiver("  paths: [a]\n  owner: ''\n"),
        refusal("''", "the owner is empty", None),
    );
}

#[test]
fn names_in_a_waiver_are_looked_up() {
    assert_eq!(
        refused("waivers:\n- {rules: [rbac/bind-verbs], paths: [a], reason: r}\n"),
        refusal(
            "rbac/bind-verbs",
            "there is no rule or category `rbac/bind-verbs`",
            Some("did you mean `rbac/bind-verb`?")
        ),
    );
    assert_eq!(refused_waiver("  objects: [{name: 'a['}]\n").0, "'a['",);
    assert_eq!(
        refused_waiver("  paths: [a]\n  expires: 2026-02-30\n"),
        refusal("2026-02-30", "`2026-02-30` is not a day: write it as YYYY-MM-DD", None),
    );
}

#[test]
fn waivers_cannot_hide_what_is_wrong_with_waivers() {
    for name in ["waiver", "waiver/expired"] {
        assert_eq!(
            refused(&format!("waivers:\n- {{rules: [rbac, {name}], paths: [a], reason: r}}\n")),
            refusal(name, "a waiver cannot hide what is wrong with waivers", None),
        );
    }
}

#[test]
fn a_policy_for_waivers_makes_keys_mandatory() {
    let text = |keys: &str| {
        format!(
            "waiverPolicy: {{require: [owner, ticket, expires], maxDays: 90}}\n\
             waivers:\n- rules: [rbac]\n  paths: [a]\n  reason: r\n{keys}"
        )
    };
    let owner = "  owner: o\n";
    let ticket = "  owner: o\n  ticket: t\n";
    let help = Some("`waiverPolicy` here requires it");
    for (keys, missing) in [("", "owner"), (owner, "ticket"), (ticket, "expires")] {
        let message = format!("the waiver has no `{missing}`");
        assert_eq!(refused(&text(keys)), refusal("rules", &message, help));
    }
    let all = text(&format!("{ticket}  expires: 2026-01-31\n"));
    assert_eq!(read(&all).max_waiver_days, Some(90));
    assert_eq!(
        refused("waiverPolicy: {require: [approver]}\n"),
        refusal(
            "approver",
            "unknown value `approver`",
            Some("write one of `owner`, `ticket`, `expires`")
        ),
    );
}

#[test]
fn environments_are_remembered_where_they_are_named_first() {
    let settings = read(
        "enforcement:\n- {rules: [rbac], set: warn, environments: [prod, dev]}\n\
         waivers:\n- {rules: [rbac], environments: [prod, stage], reason: r}\n",
    );
    let names: Vec<_> = settings.named_environments.keys().map(String::as_str).collect();
    assert_eq!(names, ["dev", "prod", "stage"]);
    assert!(settings.named_environments["prod"] < settings.named_environments["stage"]);
}

#[test]
fn policies_lie_below_the_configuration() {
    for path in ["../rules", "/rules", "a/../../rules", "''"] {
        let (underlined, message, help) = refused(&format!("policies: [rules, {path}]\n"));
        assert_eq!(underlined, path);
        let text = path.trim_matches('\'');
        assert_eq!(message, format!("`{text}` leads out of the folder of the configuration"));
        assert_eq!(help.as_deref(), Some("name a folder or a file below it"));
    }
}
