mod samples;

use self::samples::{Digits, Sample};
use super::*;
use crate::document::Document;
use crate::environment::KubernetesVersion;
use crate::load::{Dialect, Limits, parse};
use crate::review::{Apply, Operation};
use crate::rule::{Registry, Selection};
use crate::source::{Origin, Source, SourceMap};

struct Fixture {
    check: SecretsCheck,
    sources: SourceMap,
    selection: Selection,
}

impl Fixture {
    fn new() -> Self {
        Self {
            check: SecretsCheck::new(),
            sources: SourceMap::default(),
            selection: Selection::default(),
        }
    }

    fn context(&self) -> Context<'_> {
        Context {
            sources: &self.sources,
            kubernetes: KubernetesVersion { major: 1, minor: 37 },
            selection: &self.selection,
            deadline: None,
        }
    }

    fn add(&mut self, path: &str, text: &str) -> SourceId {
        self.sources.add(Source::new(RepoPath::new(path), Origin::File, text.into()))
    }

    fn check_source(&self, id: SourceId) -> Vec<Finding> {
        let mut results = Results::default();
        self.check.check_source(self.context(), id, &mut results);
        assert_eq!(results.failures, []);
        results.findings
    }

    /// Judges the text of a file, and gives what was underlined.
    fn source(&mut self, path: &str, text: &str) -> Vec<(String, String)> {
        let id = self.add(path, text);
        self.check_source(id)
            .iter()
            .map(|it| (it.rule.to_string(), self.sources.text(it.primary.span).to_owned()))
            .collect()
    }

    fn check_objects(&self, id: SourceId) -> Vec<Finding> {
        let source = self.sources.get(id).unwrap();
        let parsed = parse(source, id, Dialect::Kubectl, &Limits::default());
        assert_eq!(parsed.problems, []);
        let mut results = Results::default();
        for document in &parsed.documents {
            let review = review(document);
            self.check.check_object(self.context(), &review, &mut results);
        }
        assert_eq!(results.failures, []);
        results.findings
    }
}

fn review(object: &Document) -> Review<'_> {
    Review {
        operation: Operation::Create,
        object,
        old_object: None,
        apply: Apply::Client,
        dry_run: false,
        environment: None,
        provenance: None,
        asked: None,
    }
}

fn registry(rules: Vec<RuleMeta>) -> Registry {
    let mut registry = Registry::default();
    for rule in rules {
        registry.add(rule).unwrap();
    }
    registry
}

fn sample(id: &str) -> Sample {
    samples::all().into_iter().find(|it| it.id == id).unwrap()
}

#[test]
fn every_format_finds_its_own_secret_and_no_other() {
    let mut fixture = Fixture::new();
    for Sample { id, text, secret } in samples::all() {
        let found = fixture.source("a.txt", &text);
        assert_eq!(found, [(format!("secrets/{id}"), secret)], "{id}");
    }
}

#[test]
fn every_format_has_a_sample() {
    let sampled: BTreeSet<String> =
        samples::all().iter().map(|it| format!("secrets/{}", it.id)).collect();
    let known: BTreeSet<String> =
        SecretsCheck::new().rules().iter().map(|it| it.id.to_string()).collect();
    assert_eq!(sampled, known);
}

#[test]
fn rules_are_complete_and_distinct() {
    let rules = SecretsCheck::new().rules();
    for rule in &rules {
        assert!(rule.id.as_str().parse::<RuleId>().is_ok(), "{}", rule.id);
        for text in [&rule.title, &rule.description, &rule.help] {
            assert!(!text.trim().is_empty() && !text.contains("  "), "{}: {text}", rule.id);
        }
        assert!(!rule.help.ends_with('.'), "{}", rule.id);
    }
    let count = rules.len();
    registry(rules);
    assert!(count >= 60, "{count}");
}

#[test]
fn a_token_within_a_longer_word_is_nothing() {
    let mut fixture = Fixture::new();
    for (index, format) in formats::all().enumerate() {
        let Shape::Token { lead: 0, .. } = format.shape else { continue };
        for sample in samples::all().iter().filter(|it| format.id.ends_with(it.id)) {
            let longer = format!("x{}", sample.secret);
            let found = fixture.source("a.txt", &longer);
            assert!(!found.iter().any(|(id, _)| id == format.id), "{index} {}", sample.id);
        }
    }
}

#[test]
fn tokens_written_by_hand_are_nothing() {
    let mut fixture = Fixture::new();
    for token in [
        ["ghp_", &"x".repeat(36)].concat(),
        ["ghp_", "1234567890abcdefghijklmnopqrstuvwxyz"].concat(),
        ["github_pat_", &"A".repeat(22), "_", &"B".repeat(59)].concat(),
        ["glpat-", "your-token-goes-here"].concat(),
        ["xoxb-", "123456789012-123456789012-", &"x".repeat(24)].concat(),
        ["hooks.slack.com/services/", "T00000000/B00000000/", &"X".repeat(24)].concat(),
        ["sk_live_", &"0".repeat(24)].concat(),
        ["AIza", "SyYOUR_API_KEY_GOES_HERE_0123456789"].concat(),
    ] {
        assert_eq!(fixture.source("a.txt", &token), [], "{token}");
    }
}

#[test]
fn a_wrong_checksum_lowers_the_severity_and_says_so() {
    let mut fixture = Fixture::new();
    for (id, lowered) in [
        ("github-pat", Severity::High),
        ("github-fine-grained-pat", Severity::High),
        ("github-refresh-token", Severity::Medium),
        ("npm-token", Severity::High),
        ("atlassian-api-token", Severity::High),
        ("cloudflare-token", Severity::High),
        ("grafana-service-account-token", Severity::Medium),
        ("vercel-token", Severity::Medium),
        ("age-identity", Severity::High),
        ("pypi-token", Severity::High),
        ("sentry-org-token", Severity::Medium),
    ] {
        let Sample { text, secret, .. } = sample(id);
        // In the middle of what every checksum covers; digits and capitals occur in all alphabets.
        let middle =
            if id == "pypi-token" || id == "sentry-org-token" { 8 } else { secret.len() / 2 };
        let digit = if secret.as_bytes()[middle] == b'4' { "5" } else { "4" };
        let mut altered = secret.clone();
        altered.replace_range(middle..=middle, digit);
        let source = fixture.add("a.txt", &text.replace(&secret, &altered));
        let [finding] = &fixture.check_source(source)[..] else { panic!("{id}") };
        assert_eq!(finding.severity, lowered, "{id}");
        assert!(finding.message.ends_with("fails its own integrity check: an example, or altered"));
        let source = fixture.add("b.txt", &text);
        let [finding] = &fixture.check_source(source)[..] else { panic!("{id}") };
        assert!(!finding.message.contains("integrity"), "{id}");
    }
}

#[test]
fn what_gitops_repositories_are_full_of_is_nothing() {
    let mut digits = Digits::new(11);
    let hex = digits.of("0123456789abcdef", 64);
    let random = base64::encode(&digits.bytes(64));
    let sealed = {
        let mut bytes = vec![2, 0];
        bytes.extend(digits.bytes(600));
        base64::encode(&bytes)
    };
    let certificate = {
        let mut bytes = vec![0x30, 0x82, 1, 0];
        bytes.extend(digits.bytes(256));
        base64::encode(&bytes)
    };
    let certificate_pem =
        format!("-----BEGIN CERTIFICATE-----\n{certificate}\n-----END CERTIFICATE-----\n");
    let age = "age1".to_owned() + &digits.of("qpzry9x8gf2tvdw0s3jn54khce6mua7l", 58);
    let client = digits.of("abcdefghijklmnopqrstuvwxyz0123456789", 16);
    let commit = hex.get(..40).unwrap();
    let mut fixture = Fixture::new();
    for text in [
        format!("password: ENC[AES256_GCM,data:{random},iv:{random},tag:{random},type:str]"),
        format!("encryptedData:\n  password: {sealed}"),
        format!("image: registry.corp.io/results-api@sha256:{hex}"),
        format!("image: docker.io/api:prod-{commit}"),
        format!("ref: {commit}"),
        format!("client_id: Iv1.{client}\nclientId: Iv23li{client}\nid: Ov23li{client}"),
        format!("recipients: [{age}]"),
        certificate_pem.clone(),
        format!("caBundle: {}", base64::encode(certificate_pem.as_bytes())),
        format!("-----BEGIN PUBLIC KEY-----\n{certificate}\n-----END PUBLIC KEY-----\n"),
        format!("ssh-ed25519 {random} alice@corp.io"),
        format!("integrity: sha512-{random}"),
        "accessKeyID: ".to_owned() + &["AKIA", "Z7QK3MUR5TWL2XNB"].concat(),
        "url: ssh://git@github.com/corp/repo.git".to_owned(),
        "url: https://$(USER):$(PASS)@git.corp.io/a.git".to_owned(),
        "url: https://user:<password>@git.corp.io/a.git".to_owned(),
        "{\"auths\": {}}".to_owned(),
        "{\"auth\": \"none\"}, authentication: enabled".to_owned(),
        "key: AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQ"
            .to_owned(),
        "//registry.corp.io/:_authToken=${NPM_TOKEN}".to_owned(),
        "token: <TOKEN>\npassword: changeme\ntoken: ${TOKEN}\n".to_owned(),
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9".to_owned(),
        "sk-learn task-runner disk-0 msg. SG.1".to_owned(),
    ] {
        assert_eq!(fixture.source("a.yaml", &text), [], "{text}");
    }
}

#[test]
fn lock_files_are_searched_for_distinctive_tokens_only() {
    let mut fixture = Fixture::new();
    let (token, url) = (sample("npm-token"), sample("url-password"));
    let encoded = base64::encode(token.text.repeat(2).as_bytes());
    let text = format!("{}{}{encoded}\n", token.text, url.text);
    let rules = |found: Vec<(String, String)>| found.into_iter().map(|it| it.0).collect::<Vec<_>>();
    let found = fixture.source("web/package-lock.json", &text);
    assert_eq!(rules(found), ["secrets/npm-token"]);
    let found = fixture.source("web/package.json", &text);
    assert_eq!(rules(found), ["secrets/npm-token", "secrets/url-password", "secrets/npm-token"]);
}

#[test]
fn text_in_base64_is_read_twice_over() {
    let mut fixture = Fixture::new();
    let Sample { text, .. } = sample("github-pat");
    let once = base64::encode(format!("name: build\n{text}").as_bytes());
    let twice = base64::encode(once.as_bytes());
    let thrice = base64::encode(twice.as_bytes());
    for (encoded, is_found) in [(&once, true), (&twice, true), (&thrice, false)] {
        let found = fixture.source("a.yaml", &format!("config: \"{encoded}\"\n"));
        let expected = is_found.then(|| ("secrets/github-pat".to_owned(), encoded.clone()));
        assert_eq!(found, Vec::from_iter(expected));
    }
}

#[test]
fn the_data_of_a_secret_is_decoded() {
    let mut fixture = Fixture::new();
    let Sample { secret, .. } = sample("url-password");
    let value = base64::encode(format!("redis://:{secret}@r").as_bytes());
    let text = format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{name: cache}}\ndata:\n  url: \"{value}\"\n"
    );
    let id = fixture.add("a.yaml", &text);
    assert_eq!(fixture.check_source(id), [], "too short to be taken for base64 without a reason");
    let [finding] = &fixture.check_objects(id)[..] else { panic!() };
    assert_eq!(finding.rule.as_str(), "secrets/url-password");
    assert_eq!(fixture.sources.text(finding.primary.span), value);
    assert_eq!(finding.path.to_string(), "data.url");
    assert_eq!(&*finding.object.as_ref().unwrap().name, "cache");
    assert_eq!(finding.message, "a password in a URL stands here merely encoded");
}

#[test]
fn text_and_object_point_at_the_same_place() {
    let mut fixture = Fixture::new();
    let value = base64::encode(sample("github-pat").text.as_bytes());
    for quoted in [value.clone(), format!("\"{value}\""), format!("'{value}'")] {
        let text = format!("apiVersion: v1\nkind: Secret\ndata:\n  token: {quoted}\n");
        let id = fixture.add("a.yaml", &text);
        let (by_text, by_object) = (fixture.check_source(id), fixture.check_objects(id));
        assert_eq!(by_text.len(), 1);
        assert_eq!(by_object.len(), 1);
        assert_eq!(by_text[0].primary, by_object[0].primary);
        assert_eq!(by_text[0].message, by_object[0].message);
        assert_eq!(fixture.sources.text(by_text[0].primary.span), value);
    }
}

#[test]
fn base64_that_is_broken_over_lines_is_decoded() {
    let mut fixture = Fixture::new();
    let value = base64::encode(sample("github-pat").text.as_bytes());
    let (first, second) = value.split_at(30);
    let text =
        format!("apiVersion: v1\nkind: Secret\ndata:\n  token: |\n    {first}\n    {second}\n");
    let id = fixture.add("a.yaml", &text);
    let [finding] = &fixture.check_objects(id)[..] else { panic!() };
    assert_eq!(finding.rule.as_str(), "secrets/github-pat");
}

#[test]
fn what_yaml_hides_is_found_in_the_object_and_nowhere_twice() {
    let mut fixture = Fixture::new();
    let Sample { secret, .. } = sample("github-pat");
    let (start, end) = secret.split_at(20);
    let head = "apiVersion: v1\nkind: ConfigMap\ndata:\n";
    for hidden in [
        format!("{head}  a: \"\\x67{}\"\n", secret.strip_prefix('g').unwrap()),
        format!("{head}  a: \"{start}\\\n    {end}\"\n"),
    ] {
        let id = fixture.add("a.yaml", &hidden);
        assert_eq!(fixture.check_source(id), []);
        let [finding] = &fixture.check_objects(id)[..] else { panic!("{hidden}") };
        assert_eq!(finding.path.to_string(), "data.a");
        assert!(finding.message.contains("in clear"));
    }
    let open = format!("{head}  a: |\n    one\n    {secret}\n  b: {secret}\n");
    let id = fixture.add("a.yaml", &open);
    assert_eq!(fixture.check_source(id).len(), 2);
    assert_eq!(fixture.check_objects(id), []);
}

#[test]
fn a_token_after_an_escape_is_found() {
    let mut fixture = Fixture::new();
    let Sample { secret, .. } = sample("github-pat");
    for text in [format!("{{\"a\": \"x\\n{secret}\"}}"), format!("https://a/?q=1%26t%3D{secret}")] {
        let found = fixture.source("a.json", &text);
        assert_eq!(found, [("secrets/github-pat".to_owned(), secret.clone())]);
    }
}

#[test]
fn utf16_is_read() {
    let mut fixture = Fixture::new();
    let Sample { text, secret, .. } = sample("github-pat");
    let bytes = format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    let id = fixture.sources.add(Source::new(RepoPath::new("a.yaml"), Origin::File, bytes));
    let [finding] = &fixture.check_source(id)[..] else { panic!() };
    assert_eq!(fixture.sources.text(finding.primary.span), secret);
}

#[test]
fn an_aws_secret_shows_the_id_it_belongs_to() {
    let mut fixture = Fixture::new();
    let id = fixture.add("a.txt", &sample("aws-secret-access-key").text);
    let [finding] = &fixture.check_source(id)[..] else { panic!() };
    let related: Vec<_> = finding.related.iter().map(|it| fixture.sources.text(it.span)).collect();
    assert!(matches!(related[..], [id] if id.starts_with("AKIA") && id.len() == 20));
}

#[test]
fn unwanted_rules_are_left_out() {
    let mut fixture = Fixture::new();
    let registry = registry(fixture.check.rules());
    let skip = vec!["secrets/github-pat".to_owned()];
    fixture.selection = Selection::new(&registry, Vec::new(), skip).unwrap();
    assert_eq!(fixture.source("a.txt", &sample("github-pat").text), []);
    assert_eq!(fixture.source("a.txt", &sample("gitlab-pat").text).len(), 1);
}

#[test]
fn no_finding_gives_a_secret_away() {
    let mut fixture = Fixture::new();
    for Sample { id, text, secret } in samples::all() {
        let encoded = base64::encode(text.as_bytes());
        let manifest = format!("apiVersion: v1\nkind: Secret\ndata:\n  a: {encoded}\n");
        let plain = fixture.add("a.txt", &text);
        let object = fixture.add("a.yaml", &manifest);
        let mut findings = fixture.check_source(plain);
        findings.extend(fixture.check_source(object));
        findings.extend(fixture.check_objects(object));
        assert!(findings.len() >= 2, "{id}");
        let format = formats::all().find(|it| it.id == format!("secrets/{id}")).unwrap();
        // The words of the format itself are public, and some secrets repeat them.
        let public = [format.noun, format.id].into_iter().chain(format.keywords.iter().copied());
        let said = public.fold(format!("{findings:?}"), |said, it| said.replace(it, ""));
        let prefix =
            format.keywords.iter().find(|it| secret.starts_with(**it)).map_or(0, |it| it.len());
        for hidden in [&secret.as_bytes()[prefix..], encoded.as_bytes()] {
            for part in hidden.windows(6) {
                let part = String::from_utf8_lossy(part);
                assert!(!said.contains(&*part), "{id}: {part}");
            }
        }
    }
}

// The work for a hostile text grows with its length, not with the square of it.
#[test]
fn hostile_texts_are_read_in_linear_time() {
    let check = SecretsCheck::new();
    let scanner = check.scanner.as_ref().unwrap();
    let size = 1 << 18;
    let mut texts = vec!["a".repeat(size), "=".repeat(size), "eyJ".repeat(size / 3)];
    let mut digits = Digits::new(3);
    texts.push(base64::encode(&digits.bytes(size)));
    texts.push("QUFB".repeat(size / 4));
    for keyword in formats::all().flat_map(|it| it.keywords) {
        for between in ["", " ", "\n", "a", "a;", "aaaaaaaaaaaaaaaaaaaaaaaa.", ":a@", "\": \""] {
            let part = format!("{keyword}{between}");
            texts.push(part.repeat(size / 8 / part.len()));
        }
    }
    let started = std::time::Instant::now();
    for text in &texts {
        drop(scanner.scan(text.as_bytes(), Mode::Full));
    }
    let bytes: usize = texts.iter().map(String::len).sum();
    // About 20 times what it takes without optimization; a square would take hours.
    let allowed = std::time::Duration::from_mins(1);
    assert!(started.elapsed() < allowed, "{:?} for {bytes} bytes", started.elapsed());
}
