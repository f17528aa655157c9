//! Every policy against its `cases.md`: rule, message, severity and line, through the real loader.
//!
//! A case is a fence of YAML under `## Fails` or `## Passes`. Under *Fails*, a comment
//! `# error: [rule] "message"` on a line, or on lines of its own above it, announces a finding
//! there; whatever is found and not announced, or announced and not found, fails the test. A word
//! after the message is the severity, where it is not the rule's own. Words after `yaml` set the
//! scene: `production` or `non-production` (the environment), `decryption=none` (its label). An
//! AdmissionReview is judged as what an API server asks, anything else as part of a repository.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail by panicking"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tidewaiter::admission::Request;
use tidewaiter::check::policy::{Bundle, PolicyCheck, built_in_modules};
use tidewaiter::check::{Check as _, Context, Results};
use tidewaiter::document::{Document, Node, NodeKind, Scalar};
use tidewaiter::environment::{Environment, KubernetesVersion, Tier};
use tidewaiter::load::{self, Dialect, Limits};
use tidewaiter::review::{Apply, Operation, Provenance, Review};
use tidewaiter::rule::{Registry, RuleId, RuleMeta, Selection};
use tidewaiter::source::{Origin, RepoPath, Source, SourceMap};

const KUBERNETES: KubernetesVersion = KubernetesVersion { major: 1, minor: 37 };

/// One fence of a `cases.md`.
#[derive(Debug, PartialEq)]
struct Case {
    /// The headings that it stands under.
    name: String,
    fails: bool,
    /// The words after `yaml`.
    scene: Vec<String>,
    text: String,
}

/// What a case announces, and what is found: line, rule, message, severity.
type Sighting = (u32, String, String, String);

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("policies")
}

fn built_in() -> PolicyCheck {
    PolicyCheck::built_in().unwrap_or_else(|errors| {
        let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
        panic!("the policies do not load:\n{}", errors.join("\n"))
    })
}

fn files(folder: &Path, name: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, name, found);
        } else if path.to_str().unwrap().ends_with(name) {
            found.push(path);
        }
    }
    found.sort();
}

/// Reads a `cases.md`.
fn read(text: &str) -> Result<Vec<Case>, String> {
    let mut cases = Vec::new();
    let (mut section, mut heading) = ("", "");
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(title) = line.strip_prefix("## ") {
            if !["Why", "Fails", "Passes"].contains(&title) {
                return Err(format!("unknown section `{title}`"));
            }
            (section, heading) = (title, "");
        } else if let Some(title) = line.strip_prefix("### ") {
            heading = title;
        } else if let Some(info) = line.strip_prefix("```") {
            let mut words = info.split_whitespace().map(str::to_owned);
            if words.next().as_deref() != Some("yaml") {
                return Err(format!("a fence of `{info}`"));
            }
            if !["Fails", "Passes"].contains(&section) {
                return Err(format!("a case under `{section}`"));
            }
            let mut text = String::new();
            loop {
                match lines.next() {
                    Some("```") => break,
                    Some(line) => text = text + line + "\n",
                    None => return Err("a fence without an end".to_owned()),
                }
            }
            let name = format!("{section} / {heading}");
            cases.push(Case { name, fails: section == "Fails", scene: words.collect(), text });
        }
    }
    Ok(cases)
}

/// Reads the findings that a case announces.
fn announced(text: &str, rule: &RuleMeta) -> Result<Vec<Sighting>, String> {
    let mut sightings = Vec::new();
    let mut waiting = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let (code, comments) = line.split_once("# error: ").unwrap_or((line, ""));
        if !comments.is_empty() {
            let sighting = || {
                let (id, rest) = comments.strip_prefix('[')?.split_once("] \"")?;
                let (message, severity) = rest.rsplit_once('"')?;
                Some((id.to_owned(), message.to_owned(), severity.trim().to_owned()))
            };
            waiting.push(sighting().ok_or(format!("no announcement: {line}"))?);
        }
        if !code.trim().is_empty() {
            for (id, message, mut severity) in waiting.drain(..) {
                if severity.is_empty() {
                    severity = rule.severity.to_string();
                }
                sightings.push((number, id, message, severity));
            }
        }
    }
    sightings.sort();
    if waiting.is_empty() { Ok(sightings) } else { Err("announced below the end".to_owned()) }
}

/// Runs a check over all objects of a case.
fn run(check: &PolicyCheck, only: &[&str], case: &Case) -> Result<(SourceMap, Results), String> {
    let (sources, documents) = parse(&case.text)?;
    let mut results = Results::default();
    for document in &documents {
        if document.object.as_ref().is_some_and(|it| &*it.kind == "AdmissionReview") {
            let request = Request::read(document.root.clone()).map_err(|it| it.message)?;
            review(check, only, case, &sources, &Asking::Server(&request), &mut results);
            continue;
        }
        for object in load::objects(document) {
            let asking = Asking::Repository(&object.document);
            review(check, only, case, &sources, &asking, &mut results);
        }
    }
    Ok((sources, results))
}

/// What a case is judged as.
enum Asking<'a> {
    Repository(&'a Document),
    Server(&'a Request),
}

fn parse(text: &str) -> Result<(SourceMap, Vec<Document>), String> {
    let mut sources = SourceMap::default();
    let path = RepoPath::new("cases.yaml");
    let id = sources.add(Source::new(path, Origin::File, text.to_owned().into_bytes()));
    let source = sources.get(id).unwrap();
    let parsed = load::parse(source, id, Dialect::Kubectl, &Limits::default());
    match parsed.problems.first() {
        Some(problem) => Err(format!("the case cannot be read: {}", problem.message)),
        None if parsed.documents.is_empty() => Err("the case is empty".to_owned()),
        None => Ok((sources, parsed.documents)),
    }
}

fn review(
    check: &PolicyCheck,
    only: &[&str],
    case: &Case,
    sources: &SourceMap,
    asking: &Asking<'_>,
    results: &mut Results,
) {
    let mut registry = Registry::default();
    for meta in check.rules() {
        registry.add(meta).unwrap();
    }
    let only = only.iter().map(|&id| id.to_owned()).collect();
    let selection = Selection::new(&registry, only, Vec::new()).unwrap();
    let has = |word: &str| case.scene.iter().any(|it| it == word);
    let mut environment = if has("production") {
        Some(environment_of("prod", Tier::Production))
    } else if has("non-production") {
        Some(environment_of("test", Tier::NonProduction))
    } else {
        None
    };
    if has("decryption=none") {
        let labels = BTreeMap::from([("decryption".to_owned(), "none".to_owned())]);
        environment = Some(Environment { labels, ..environment_of("prod", Tier::Production) });
    }
    let provenance = Provenance { path: RepoPath::new("cases.yaml"), root: None };
    let (operation, object, old_object) = match asking {
        Asking::Repository(document) => (Operation::Create, *document, None),
        Asking::Server(request) => {
            let old_object = request.old_object.as_ref();
            (request.operation, request.object.as_ref().or(old_object).unwrap(), old_object)
        }
    };
    check.check_object(
        Context { sources, kubernetes: KUBERNETES, selection: &selection, deadline: None },
        &Review {
            operation,
            object,
            old_object,
            apply: Apply::Client,
            dry_run: false,
            environment: environment.as_ref(),
            provenance: matches!(asking, Asking::Repository(_)).then_some(&provenance),
            asked: match asking {
                Asking::Repository(_) => None,
                Asking::Server(request) => Some(&request.asked),
            },
        },
        results,
    );
}

fn environment_of(name: &str, tier: Tier) -> Environment {
    Environment {
        name: Arc::from(name),
        tier,
        cluster: None,
        kubernetes: KUBERNETES,
        labels: BTreeMap::new(),
    }
}

/// Holds one case against what the check finds.
fn hold(check: &PolicyCheck, rule: &RuleMeta, case: &Case) -> Result<(), String> {
    let known = ["production", "non-production", "decryption=none"];
    if let Some(word) = case.scene.iter().find(|word| !known.contains(&word.as_str())) {
        return Err(format!("unknown scene `{word}`"));
    }
    let expected = announced(&case.text, rule)?;
    if case.fails == expected.is_empty() {
        return Err("a case that fails announces a finding, one that passes does not".to_owned());
    }
    let (sources, results) = run(check, &[rule.id.as_str()], case)?;
    if !results.failures.is_empty() {
        return Err(format!("it could not be judged: {:?}", results.failures));
    }
    let mut found: Vec<Sighting> = results
        .findings
        .iter()
        .map(|finding| {
            let line = sources.location(finding.primary.span).start.line;
            let (rule, severity) = (finding.rule.to_string(), finding.severity.to_string());
            (line, rule, finding.message.clone(), severity)
        })
        .collect();
    found.sort();
    if found == expected {
        Ok(())
    } else {
        Err(format!("announced {expected:#?}\nfound {found:#?}"))
    }
}

/// Returns every rule with its cases.
fn cases(check: &PolicyCheck) -> Vec<(RuleMeta, Vec<Case>)> {
    let read = |meta: RuleMeta| {
        let path = folder().join(meta.id.as_str().replace('-', "_")).join("cases.md");
        let text = fs::read_to_string(&path).unwrap_or_else(|_| panic!("no {}", path.display()));
        assert!(text.contains("## Why\n\n"), "{} does not say why", path.display());
        let cases = read(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        (meta, cases)
    };
    check.rules().into_iter().map(read).collect()
}

#[test]
fn every_policy_finds_what_its_cases_announce_and_nothing_else() {
    let check = built_in();
    let mut errors = Vec::new();
    for (rule, cases) in cases(&check) {
        for fails in [true, false] {
            if !cases.iter().any(|case| case.fails == fails) {
                errors.push(format!("{}: no case with fails = {fails}", rule.id));
            }
        }
        for case in &cases {
            if let Err(error) = hold(&check, &rule, case) {
                errors.push(format!("{}: {}\n{}{error}", rule.id, case.name, case.text));
            }
        }
    }
    assert!(errors.is_empty(), "{}", errors.join("\n\n"));
}

// The program tries a policy only when an object asks for it; here all of them are tried.
#[test]
fn every_built_in_policy_can_be_evaluated() {
    let errors = Bundle::load(built_in_modules()).err().unwrap_or_default();
    assert_eq!(errors.iter().map(ToString::to_string).collect::<Vec<_>>(), Vec::<String>::new());
}

#[test]
fn the_built_in_modules_are_the_folder() {
    let mut paths = Vec::new();
    files(&folder(), ".rego", &mut paths);
    let on_disk: BTreeMap<String, String> = paths
        .iter()
        .map(|path| {
            let below = path.strip_prefix(folder()).unwrap().to_str().unwrap().replace('\\', "/");
            (below, fs::read_to_string(path).unwrap())
        })
        .collect();
    let built_in: BTreeMap<String, String> =
        built_in_modules().map(|(path, text)| (path.to_owned(), text.to_owned())).collect();
    let names = |map: &BTreeMap<String, String>| map.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&built_in), names(&on_disk));
    assert_eq!(built_in, on_disk);
    let mut cases = Vec::new();
    files(&folder(), "cases.md", &mut cases);
    assert_eq!(cases.len(), cases_expected(&built_in), "a `cases.md` without a policy");
}

fn cases_expected(modules: &BTreeMap<String, String>) -> usize {
    modules.keys().filter(|path| path.ends_with("/policy.rego")).count()
}

#[test]
fn rules_name_a_defect_and_carry_what_reports_need() {
    for rule in built_in().rules() {
        let name = rule.id.as_str().split_once('/').unwrap().1;
        for remedy in ["no-", "require-", "avoid-", "use-", "prefer-", "disallow-"] {
            assert!(!name.starts_with(remedy), "{} names a remedy", rule.id);
        }
        assert!(!rule.title.ends_with('.') && rule.title.len() < 60, "{}", rule.title);
        assert!(!rule.help.ends_with('.'), "{}: {}", rule.id, rule.help);
        assert!(rule.description.len() > 100, "{} explains too little", rule.id);
        assert!(rule.references.iter().all(|it| it.url.starts_with("https://")), "{}", rule.id);
        assert!(!rule.references.is_empty(), "{} rests on nothing", rule.id);
    }
}

// A kind that is missing from the list of one policy would be a hole that no other test sees.
#[test]
fn every_policy_about_pods_is_asked_about_every_kind_that_runs_pods() {
    let check = built_in();
    let bad = "hostNetwork: true, hostPID: true, hostIPC: true, volumes: [{name: v, hostPath: \
               {path: /}}], containers: [{name: c, image: x, securityContext: {privileged: true, \
               runAsUser: 0, allowPrivilegeEscalation: true, capabilities: {add: [ALL]}}}]";
    let template = format!("spec: {{template: {{spec: {{{bad}}}}}}}");
    let job = format!("spec: {{jobTemplate: {{{template}}}}}");
    let kinds = [
        ("v1", "Pod", format!("spec: {{{bad}}}")),
        ("v1", "PodTemplate", format!("template: {{spec: {{{bad}}}}}")),
        ("v1", "ReplicationController", template.clone()),
        ("apps/v1", "Deployment", template.clone()),
        ("extensions/v1beta1", "Deployment", template.clone()),
        ("apps/v1", "StatefulSet", template.clone()),
        ("apps/v1", "DaemonSet", template.clone()),
        ("apps/v1", "ReplicaSet", template.clone()),
        ("batch/v1", "Job", template.clone()),
        ("batch/v1", "CronJob", job),
        ("argoproj.io/v1alpha1", "Rollout", template.clone()),
        ("apps.openshift.io/v1", "DeploymentConfig", template.clone()),
        ("serving.knative.dev/v1", "Service", template.clone()),
        ("serving.knative.dev/v1", "Configuration", template),
    ];
    let about_pods: BTreeSet<RuleId> = check
        .rules()
        .into_iter()
        .map(|rule| rule.id)
        .filter(|id| ["pod-security", "production"].contains(&id.category()))
        .collect();
    for (api_version, kind, body) in kinds {
        let text =
            format!("apiVersion: {api_version}\nkind: {kind}\nmetadata: {{name: x}}\n{body}\n");
        let scene = vec!["production".to_owned()];
        let case = Case { name: String::new(), fails: true, scene, text };
        let (_, results) = run(&check, &[], &case).unwrap();
        assert_eq!(results.failures, []);
        let found: BTreeSet<RuleId> = results.findings.into_iter().map(|it| it.rule).collect();
        assert_eq!(found, about_pods, "{api_version} {kind}");
    }
}

// The schema check reports a wrong shape; a policy that breaks on it would close the gate for a
// reason that nobody understands.
#[test]
fn no_policy_breaks_on_a_value_of_another_shape() {
    let check = built_in();
    for (rule, cases) in cases(&check) {
        for case in &cases {
            let (sources, documents) = parse(&case.text).unwrap();
            for document in documents {
                for root in variants(&document.root) {
                    let mut changed = document.clone();
                    changed.root = root;
                    let mut results = Results::default();
                    let only = [rule.id.as_str()];
                    review(
                        &check,
                        &only,
                        case,
                        &sources,
                        &Asking::Repository(&changed),
                        &mut results,
                    );
                    assert_eq!(results.failures, [], "{:?}", changed.root.to_json());
                }
            }
        }
    }
}

/// Returns copies of a tree in each of which one value is of another shape.
fn variants(node: &Node) -> Vec<Node> {
    let scalar = |scalar| NodeKind::Scalar(scalar);
    let leaf = Node { span: node.span, kind: scalar(Scalar::Bool(true)) };
    let mut mapping = Node::mapping(node.span);
    if let NodeKind::Mapping(entries) = &mut mapping.kind {
        entries.push(tidewaiter::document::Entry {
            key: "name".into(),
            key_span: node.span,
            value: leaf.clone(),
        });
    }
    let shapes = [
        scalar(Scalar::Null),
        scalar(Scalar::Int(7)),
        scalar(Scalar::Float(0.5)),
        scalar(Scalar::Bool(false)),
        scalar(Scalar::String("*".into())),
        NodeKind::Sequence(vec![leaf, mapping.clone()]),
        mapping.kind,
    ];
    let mut all: Vec<Node> =
        shapes.into_iter().map(|kind| Node { span: node.span, kind }).collect();
    match &node.kind {
        NodeKind::Scalar(_) => {}
        NodeKind::Sequence(items) => {
            for (index, item) in items.iter().enumerate() {
                for variant in variants(item) {
                    let mut items = items.clone();
                    items[index] = variant;
                    all.push(Node { span: node.span, kind: NodeKind::Sequence(items) });
                }
            }
        }
        NodeKind::Mapping(entries) => {
            for (index, entry) in entries.iter().enumerate() {
                for variant in variants(&entry.value) {
                    let mut entries = entries.clone();
                    entries[index].value = variant;
                    all.push(Node { span: node.span, kind: NodeKind::Mapping(entries) });
                }
            }
        }
    }
    all
}

#[test]
fn a_secret_value_is_in_no_message() {
    let check = built_in();
    let value = ["correct", "horse", "battery"].concat();
    let encoded = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, &value);
    let text = format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{name: x}}\ndata: {{password: {encoded}}}\n\
         stringData: {{token: {value}}}\n"
    );
    let case = Case { name: String::new(), fails: true, scene: Vec::new(), text };
    let (_, results) = run(&check, &["secrets/plaintext-secret"], &case).unwrap();
    assert_eq!(results.findings.len(), 2);
    for finding in results.findings {
        let all = format!("{} {:?} {}", finding.message, finding.help, finding.primary.note);
        assert!(!all.contains(&value) && !all.contains(&encoded), "{all}");
    }
}

// A runner that accepts everything would make the cases prose.
mod the_runner {
    use super::*;

    const GOOD: &str = "\
## Why

Because.

## Fails

```yaml
apiVersion: v1
kind: Pod
metadata: {name: x}
spec:
  hostPID: true  # error: [pod-security/host-pid] \"Pod `x` sees the processes of its node\"
```

## Passes

```yaml
apiVersion: v1
kind: Pod
metadata: {name: x}
spec: {hostPID: false}
```
";

    fn verdict(text: &str) -> Result<(), String> {
        let check = built_in();
        let rules = check.rules();
        let rule = rules.iter().find(|it| it.id.as_str() == "pod-security/host-pid").unwrap();
        let cases = read(text)?;
        assert!(!cases.is_empty());
        cases.iter().try_for_each(|case| hold(&check, rule, case))
    }

    fn after(from: &str, to: &str) -> String {
        assert!(GOOD.contains(from));
        GOOD.replace(from, to)
    }

    #[test]
    fn accepts_what_is_right() {
        assert_eq!(verdict(GOOD), Ok(()));
        let above = "# error: [pod-security/host-pid] \"Pod `x` sees the processes of its node\"";
        let moved =
            after(above, "").replace("  hostPID: true", &format!("  {above}\n  hostPID: true"));
        assert_eq!(verdict(&moved), Ok(()));
    }

    #[test]
    fn refuses_what_is_wrong() {
        let wrong = [
            ("no announcement", after("# error:", "# note:")),
            ("another message", after("sees the", "shows the")),
            ("another rule", after("[pod-security/host-pid]", "[pod-security/host-ipc]")),
            ("another severity", after("node\"", "node\" low")),
            ("another line", after("spec:\n  hostPID: true", "spec: {hostPID: true}\nstatus:")),
            ("nothing is found", after("hostPID: true", "hostPID: null")),
            ("a passing case fails", after("hostPID: false", "hostPID: true")),
            ("an unknown section", after("## Passes", "## Pass")),
            ("a fence without an end", after("false}\n```", "false}")),
            ("no YAML", after("{hostPID: false}", "{hostPID: false")),
            ("another language", after("```yaml", "```json")),
            ("an unknown scene", after("```yaml", "```yaml prod")),
            ("a malformed announcement", after("[pod-security/host-pid]", "pod-security/host-pid")),
        ];
        for (what, text) in wrong {
            assert!(verdict(&text).is_err(), "{what} is accepted");
        }
    }
}
