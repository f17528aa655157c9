use super::super::Format;
use super::super::fixture::{PLAIN, Repo, full, rule};
use super::super::tests::hostile;
use super::*;
use crate::finding::Finding;

fn markdown(repo: &Repo) -> String {
    repo.write(Format::Markdown, PLAIN)
}

/// Asserts that there are no tags, no links and no lines but our own; `base` is where links lead.
fn assert_harmless(text: &str, base: &str) {
    assert!(!text.contains(|c: char| (c.is_control() && c != '\n') || c == '\u{202e}'), "{text:?}");
    let mut outside = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('<') {
        outside.push_str(before);
        let (tag, after) = after.split_once('>').unwrap();
        let known = ["table", "tr", "th", "td", "code", "b", "a", "br"];
        if let Some(href) = tag.strip_prefix("a href=\"") {
            let href = href.strip_suffix('"').unwrap();
            assert!(!base.is_empty() && href.starts_with(base), "{href}");
            assert!(
                href.chars().all(|c| c.is_ascii_alphanumeric() || "-._~/:%#".contains(c)),
                "{href}"
            );
        } else {
            assert!(known.contains(&tag.trim_start_matches('/')), "{tag}");
        }
        // What stands in code is read by nobody.
        rest = if tag == "code" { after.split_once("</code>").unwrap().1 } else { after };
    }
    outside.push_str(rest);
    let outside = outside.replace("&#39;", "'").replace("&quot;", "\"");
    for sign in ["@", "://", "www.", "`", "[", "]", "*", "_", "~", "!", "&", ">", "\\", "$"] {
        assert!(!outside.contains(sign), "{sign} in {outside}");
    }
    // An empty line ends the block in which Markdown is not read.
    for table in text.split("<table>\n").skip(1) {
        let rows = table.split("</table>").next().unwrap();
        assert!(rows.lines().all(|line| line.starts_with("<tr><t") && line.ends_with("</tr>")));
    }
}

#[test]
fn everything_is_told() {
    let mut repo = full();
    repo.source_url = Some("https://git.example.com/o/r/blob/0a1b".parse().unwrap());
    let text = markdown(&repo);
    assert_harmless(&text, "https://git.example.com/o/r/blob/0a1b/");
    insta::assert_snapshot!(text, @r##"
    ## Tidewaiter: something was denied

    | denied | warnings | failures | not judged |
    |---:|---:|---:|---:|
    | 1 | 1 | 2 | 8 |

    judged 14 objects of 2 files in 2 roots for 2 environments by 38 rules: 1 denied, 1 warning, 8 not judged, 2 failures (exit 1: something was denied)

    ### Could not be judged

    <table>
    <tr><th>place</th><th>rule</th><th>why</th></tr>
    <tr><td><a href="https://git.example.com/o/r/blob/0a1b/clusters/prod/binding.yaml#L8"><code>clusters/prod/binding.yaml:8</code></a></td><td><code>rbac/wildcard-verb</code></td><td>evaluation took longer than 1 s</td></tr>
    <tr><td></td><td></td><td>the policy bundle <code>extra</code> cannot be read</td></tr>
    <tr><td><a href="https://git.example.com/o/r/blob/0a1b/overlays/dev"><code>overlays/dev</code></a></td><td></td><td>the base <code>../missing</code> does not exist</td></tr>
    </table>

    ### Denied

    <table>
    <tr><th>severity</th><th>rule</th><th>place</th><th>what</th></tr>
    <tr><td>high</td><td><code>rbac/wildcard-verb</code></td><td><a href="https://git.example.com/o/r/blob/0a1b/apps/web/role.yaml#L8"><code>apps/web/role.yaml:8</code></a></td><td>Role <code>web</code> grants every verb on <code>pods</code><br>object: <code>Role shop/web (rbac.authorization.k8s.io/v1)</code><br>in: <code>prod</code>, <code>stage</code><br>help: list the verbs that the workload needs</td></tr>
    </table>

    ### Warnings

    <table>
    <tr><th>severity</th><th>rule</th><th>place</th><th>what</th></tr>
    <tr><td>high</td><td><code>schema/unknown-field</code></td><td><a href="https://git.example.com/o/r/blob/0a1b/clusters/prod/binding.yaml#L5"><code>clusters/prod/binding.yaml:5</code></a></td><td>unknown field <code>roleref</code> in RoleBinding<br>help: the help of the rule</td></tr>
    </table>

    ### Not judged

    <table>
    <tr><th>number</th><th>why</th><th>places</th></tr>
    <tr><td>1</td><td>the base <code>../missing</code> does not exist</td><td><a href="https://git.example.com/o/r/blob/0a1b/overlays/dev"><code>overlays/dev</code></a></td></tr>
    <tr><td>7</td><td>the template of a chart is no manifest before it is rendered</td><td><a href="https://git.example.com/o/r/blob/0a1b/charts/web/templates/1.yaml"><code>charts/web/templates/1.yaml</code></a><br><a href="https://git.example.com/o/r/blob/0a1b/charts/web/templates/2.yaml"><code>charts/web/templates/2.yaml</code></a><br><a href="https://git.example.com/o/r/blob/0a1b/charts/web/templates/3.yaml"><code>charts/web/templates/3.yaml</code></a><br><a href="https://git.example.com/o/r/blob/0a1b/charts/web/templates/4.yaml"><code>charts/web/templates/4.yaml</code></a><br><a href="https://git.example.com/o/r/blob/0a1b/charts/web/templates/5.yaml"><code>charts/web/templates/5.yaml</code></a><br>and 2 more</td></tr>
    </table>

    ### Environments

    <table>
    <tr><th>name</th><th>tier</th><th>Kubernetes</th><th>objects</th></tr>
    <tr><td><code>prod</code></td><td>production</td><td>1.37</td><td>7</td></tr>
    <tr><td><code>stage</code></td><td>non-production</td><td>1.37 (assumed: the newest known)</td><td>7</td></tr>
    </table>
    "##);
}

#[test]
fn hostile_text_becomes_neither_markdown_nor_html() {
    assert_harmless(&markdown(&hostile()), "");
    let mut repo = Repo::default();
    let text = "@org/team #1 ![x](https://track.example/p.png) </code></td></table>\n\n# h\n<!-- \
                <details> `a` | b | ``` **b** <script>alert(1)</script> &lt; \u{202e} www.evil.example";
    let path = format!("d/{}", text.replace(['/', '\n'], "-"));
    repo.file(&path, &format!("k: {text}\n"));
    let meta = rule("schema/unknown-field");
    let mut finding = Finding::new(&meta, repo.span(&path, "k"), text).with_help(text);
    finding.environments.insert(text.into());
    repo.judge(finding, Enforcement::Deny);
    repo.environment(text, "production", false);
    let span = Some(repo.span(&path, "k"));
    let reason = text.to_owned();
    repo.verdict.failures.push(Failure { rule: None, span, reason, help: Some(text.to_owned()) });
    let path = RepoPath::new(&path);
    let reason = text.to_owned();
    repo.verdict.summary.not_judged.push(NotJudged { path, span: None, reason, failure: true });
    assert_harmless(&markdown(&repo), "");
    repo.source_url = Some("https://git.example.com/o/r/blob/0a1b/".parse().unwrap());
    let text = markdown(&repo);
    assert_harmless(&text, "https://git.example.com/o/r/blob/0a1b/d/");
    assert!(text.contains("/d/%40org-team%20%231%20%21%5Bx%5D%28https%3A"), "{text}");
}

#[test]
fn a_report_is_cut_below_what_a_summary_holds_and_says_so() {
    let mut repo = Repo::default();
    repo.file("a.yaml", "a: 1\n");
    let meta = rule("schema/unknown-field");
    let span = repo.span("a.yaml", "a");
    let message = "x&@".repeat(300);
    for n in 0..3000 {
        let enforcement = if n % 2 == 0 { Enforcement::Deny } else { Enforcement::Warn };
        repo.judge(Finding::new(&meta, span, message.clone()), enforcement);
    }
    for n in 0..3000 {
        let reason = format!("{n}: {message}");
        repo.verdict.failures.push(Failure {
            rule: None,
            span: None,
            reason: reason.clone(),
            help: None,
        });
        let path = RepoPath::new("a.yaml");
        repo.verdict.summary.not_judged.push(NotJudged {
            path,
            span: None,
            reason,
            failure: false,
        });
        repo.environment(&message, "production", true);
    }
    let text = markdown(&repo);
    assert!(text.len() < 1 << 20, "{}", text.len());
    assert_harmless(&text, "");
    assert_eq!(text.matches("are shown, because the summary of a job has little room").count(), 5);
    for heading in ["Could not be judged", "Denied", "Warnings", "Not judged", "Environments"] {
        assert!(text.contains(&format!("### {heading}\n")), "{heading}");
    }
}

#[test]
fn a_pass_is_short_and_says_where_nothing_was_judged() {
    let mut repo = Repo::default();
    assert!(markdown(&repo).starts_with("## Tidewaiter: nothing was judged\n"));
    repo.file("a.yaml", "a: 1\n");
    assert!(markdown(&repo).starts_with("## Tidewaiter: no object was judged\n"));
    repo.verdict.summary.objects = 1;
    let text = markdown(&repo);
    assert!(text.starts_with("## Tidewaiter: nothing was denied\n"), "{text}");
    assert!(!text.contains("###"), "{text}");
}

#[test]
fn addresses_of_files_are_web_addresses() {
    for good in ["https://github.com/o/r/blob/abc", "http://localhost:3000/o/r/src/commit/abc/"] {
        assert!(good.parse::<super::super::SourceUrl>().is_ok(), "{good}");
    }
    for bad in [
        "",
        "github.com/o/r",
        "javascript:alert(1)",
        "https://",
        "https:///x",
        "https://a/\"><b>",
        "https://a/b?c",
        "https://a/b#c",
        "https://a/b c",
        "https://a/\n",
    ] {
        assert!(bad.parse::<super::super::SourceUrl>().is_err(), "{bad}");
    }
}

#[test]
fn a_file_outside_of_the_repository_is_no_link() {
    let mut repo = Repo::default();
    repo.source_url = Some("https://git.example.com/o/r/blob/0a1b".parse().unwrap());
    let path = RepoPath::outside(std::path::Path::new("/etc/gate/tidewaiter.yaml"));
    let source = crate::source::Source::new(path.clone(), Origin::File, b"a: 1\n".to_vec());
    let id = repo.sources.add(source);
    let meta = rule("config/unknown-environment");
    repo.judge(Finding::new(&meta, Span::new(id, 0, 1), "wrong"), Enforcement::Warn);
    let reason = "it is no file".to_owned();
    repo.verdict.summary.not_judged.push(NotJudged { path, span: None, reason, failure: false });
    let text = markdown(&repo);
    assert!(text.contains("<td><code>/etc/gate/tidewaiter.yaml:1</code></td>"), "{text}");
    assert!(text.contains("<td><code>/etc/gate/tidewaiter.yaml</code></td>"), "{text}");
    assert!(!text.contains("<a "), "{text}");
}
