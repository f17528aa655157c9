use super::*;
use crate::load::{Dialect, Limits, parse as load};
use crate::source::{Origin, RepoPath, Source, SourceMap};

fn data(text: &str) -> Node {
    let source = Source::new(RepoPath::new("data.yaml"), Origin::File, text.into());
    let mut sources = SourceMap::default();
    let id = sources.add(source);
    let parsed = load(sources.get(id).unwrap(), id, Dialect::Kubectl, &Limits::default());
    parsed.documents[0].root.clone()
}

const DATA: &str = "name: Web App\npath: {basename: web, segments: [apps, web]}\nport: 8080\n\
    many: 1000000\nflag: true\nlabels: {b: '2', a: '1'}\nempty: ''\n";

fn filled(template: &str) -> std::result::Result<String, String> {
    render(template, &data(DATA), MissingKey::Default).map_err(|error| error.to_string())
}

#[test]
fn templates_are_filled_in_as_go_does() {
    // What Go's `text/template` with the functions of Argo CD makes of each.
    let cases = [
        ("apps/{{ .path.basename }}", "apps/web"),
        ("{{.name | lower | replace \" \" \"-\"}}", "web-app"),
        ("{{ index .path.segments 1 }}/{{ len .path.segments }}", "web/2"),
        ("{{ .port }} {{ .many }} {{ .flag }}", "8080 1e+06 true"),
        ("{{ int .many }}", "1000000"),
        ("{{ .none }}|{{ .none | default \"x\" }}", "<no value>|x"),
        ("{{ if eq .path.basename \"web\" }}a{{ else }}b{{ end }}", "a"),
        ("{{ if .empty }}a{{ else if .flag }}b{{ else }}c{{ end }}", "b"),
        ("{{ range $key, $value := .labels }}{{ $key }}={{ $value }};{{ end }}", "a=1;b=2;"),
        ("{{ range .path.segments }}[{{ . }}{{ $.port }}]{{ end }}", "[apps8080][web8080]"),
        ("{{ range .none }}a{{ else }}none{{ end }}", "none"),
        ("{{ range until 5 }}{{ if eq . 3 }}{{ break }}{{ end }}{{ . }}{{ end }}", "012"),
        ("{{ with .path }}{{ .basename }}{{ end }}", "web"),
        ("{{ $x := \"a\" }}{{ if .flag }}{{ $x = \"b\" }}{{ end }}{{ $x }}", "b"),
        ("a  {{- /* nothing */ -}}  b", "ab"),
        ("a {{- .path.basename -}} b", "awebb"),
        ("{{ define \"t\" }}<{{ . }}>{{ end }}{{ template \"t\" .port }}", "<8080>"),
        ("{{ printf \"%s-%03d %q %.1f\" .name 7 \"x\" 1.25 }}", "Web App-007 \"x\" 1.2"),
        ("{{ normalize .name }} {{ slugify 10 true \"a-long-name-here\" }}", "web-app a-long"),
        ("{{ (dict \"a\" (list 1 2)).a | join \",\" }}", "1,2"),
        ("{{ toYaml .path }}", "basename: web\nsegments:\n- apps\n- web"),
        ("a:{{ toYaml .labels | nindent 2 }}", "a:\n  a: \"1\"\n  b: \"2\""),
        ("{{ ternary \"y\" \"n\" .flag }}{{ hasPrefix \"We\" .name }}", "ytrue"),
        ("{{ and .flag .port }} {{ or .empty .name }} {{ not .empty }}", "8080 Web App true"),
        ("{{ regexReplaceAll \"(a)(p+)\" \"appl\" \"${2}${1}\" }}", "ppal"),
        ("{{ (fromYaml \"a: [1, 2]\").a | last }}", "2"),
        ("{{ dig \"path\" \"basename\" \"none\" . }} {{ dig \"x\" \"y\" \"none\" . }}", "web none"),
        ("{{ trunc 3 .name }}{{ trunc -3 .name }} {{ substr 0 3 .name }}", "WebApp Web"),
        ("{{ b64enc \"a\" }} {{ b64dec \"YQ==\" }} {{ \"x\" | quote }}", "YQ== a \"x\""),
        ("{{ splitList \"/\" \"a/b\" | first }} {{ (split \"/\" \"a/b\")._1 }}", "a b"),
        ("{{ tpl \"{{ .port }}\" . }}", "8080"),
        ("{{ add 1 2 3 }} {{ sub 5 2 }} {{ div 7 2 }} {{ mod 7 2 }} {{ max 1 9 4 }}", "6 3 3 1 9"),
        ("{{ $d := dict }}{{ $_ := set $d \"k\" \"v\" }}{{ $d.k }}", "v"),
        ("{{ base \"a/b/c\" }} {{ dir \"a/b/c\" }} {{ ext \"x.yaml\" }}", "c a/b .yaml"),
    ];
    for (template, expected) in cases {
        assert_eq!(filled(template).as_deref(), Ok(expected), "{template}");
    }
}

#[test]
fn what_go_refuses_is_refused() {
    let cases = [
        ("{{ .name", "an action is not closed"),
        ("{{ end }}", "`end` closes nothing"),
        ("{{ if .flag }}", "`if` is not closed"),
        ("{{ .name.first }}", "a string has no field `first`"),
        ("{{ .none.first }}", "nothing has a field `first`"),
        ("{{ $x }}", "there is no variable `$x`"),
        ("{{ nothing 1 }}", "the function `nothing` is not known with 1 arguments"),
        ("{{ eq .port \"8080\" }}", "a float64 and a string cannot be compared"),
        ("{{ fail \"why\" }}", "why"),
        ("{{ env \"HOME\" }}", "the function `env` is not known with 1 arguments"),
    ];
    for (template, expected) in cases {
        assert_eq!(filled(template), Err(expected.to_owned()), "{template}");
    }
    let strict = render("{{ .none }}", &data(DATA), MissingKey::Error);
    assert_eq!(strict.unwrap_err().to_string(), "there is no key `none`");
}

#[test]
fn a_template_does_not_take_more_than_it_may() {
    let refused = [
        "{{ range until 100000 }}{{ range until 100000 }}x{{ end }}{{ end }}".to_owned(),
        "{{ $x := list 1 }}{{ range until 40 }}{{ $x = list $x $x }}{{ end }}{{ len $x }}".to_owned(),
        "{{ $x := list 1 }}{{ range until 9999 }}{{ $x = list $x }}{{ end }}{{ len $x }}".to_owned(),
        "{{ $t := dict }}{{ $r := $t }}{{ range until 9999 }}{{ $n := dict }}{{ $_ := set $t \"x\" $n }}{{ $t = $n }}{{ end }}"
            .to_owned(),
        "{{ repeat 100000000 \"x\" }}".to_owned(),
        "{{ define \"t\" }}{{ template \"t\" . }}{{ end }}{{ template \"t\" . }}".to_owned(),
        format!("{{{{ {}1{} }}}}", "(".repeat(100_000), ")".repeat(100_000)),
        "{{ if 1 }}".repeat(100_000),
        "{{ $x := \"aaaaaaaa\" }}{{ range until 40 }}{{ $x = replace \"a\" $x $x }}{{ end }}".to_owned(),
        "{{ $d := dict }}{{ $_ := set $d \"d\" $d }}{{ range until 9 }}{{ toJson $d }}{{ end }}{{ fail \"x\" }}".to_owned(),
    ];
    for template in refused {
        let start: String = template.chars().take(40).collect();
        assert!(filled(&template).is_err(), "{start}");
    }
}
