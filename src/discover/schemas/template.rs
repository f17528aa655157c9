//! Templates of paths, in the subset of Go's `text/template` that paths of schemas are written in.
//!
//! The variables and their values are those of kubeconform (`schemaPath` in
//! `pkg/registry/registry.go`), so that its templates work unchanged. There are no loops and no
//! variables of one's own, so a template ends, and its output is bounded by its length.

mod parse;

pub(super) use parse::InvalidTemplate;

/// The kind whose schema is wanted, as a template sees it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Variables<'a> {
    /// The version of Kubernetes, e.g. `v1.30.0` or `master`.
    pub(super) kubernetes: &'a str,
    /// `-strict`, or nothing.
    pub(super) strict: &'a str,
    /// The kind, as the object has it.
    pub(super) kind: &'a str,
    /// The API group; empty for the core group.
    pub(super) group: &'a str,
    /// The version without the group.
    pub(super) version: &'a str,
}

/// A variable of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Variable {
    NormalizedKubernetesVersion,
    StrictSuffix,
    ResourceKind,
    ResourceApiVersion,
    Group,
    KindSuffix,
}

impl Variable {
    /// All of them, each with its name.
    const ALL: [(&'static str, Self); 6] = [
        ("NormalizedKubernetesVersion", Self::NormalizedKubernetesVersion),
        ("StrictSuffix", Self::StrictSuffix),
        ("ResourceKind", Self::ResourceKind),
        ("ResourceAPIVersion", Self::ResourceApiVersion),
        ("Group", Self::Group),
        ("KindSuffix", Self::KindSuffix),
    ];

    fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(it, _)| *it == name).map(|(_, variable)| *variable)
    }

    fn value(self, of: Variables<'_>) -> String {
        // For the core group the version stands where a group would.
        let group = if of.group.is_empty() { of.version } else { of.group };
        match self {
            Self::NormalizedKubernetesVersion => of.kubernetes.to_owned(),
            Self::StrictSuffix => of.strict.to_owned(),
            Self::ResourceKind => of.kind.to_lowercase(),
            Self::ResourceApiVersion => of.version.to_owned(),
            Self::Group => group.to_owned(),
            Self::KindSuffix => {
                let label = group.split('.').next().unwrap_or_default().to_lowercase();
                if of.group.is_empty() {
                    format!("-{label}")
                } else {
                    format!("-{label}-{}", of.version.to_lowercase())
                }
            }
        }
    }
}

/// A template that was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Value(Expression),
    /// The first arm whose condition holds; one without a condition always does.
    If(Vec<(Option<Expression>, Vec<Self>)>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Expression {
    Variable(Variable),
    Constant(Value),
    Call(Function, Vec<Self>),
}

/// The functions of Go's templates that are known here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Function {
    And,
    Or,
    Not,
    Eq,
    Ne,
    Print,
    Printf,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Value {
    Text(String),
    Bool(bool),
    Number(i64),
}

impl Value {
    /// Says whether `if` takes it for true.
    fn holds(&self) -> bool {
        match self {
            Self::Text(text) => !text.is_empty(),
            Self::Bool(value) => *value,
            Self::Number(value) => *value != 0,
        }
    }
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Bool(value) => value.fmt(f),
            Self::Number(value) => value.fmt(f),
        }
    }
}

impl Template {
    /// Reads a template.
    pub(super) fn new(text: &str) -> Result<Self, InvalidTemplate> {
        parse::template(text).map(|parts| Self { parts })
    }

    /// Fills in the variables.
    pub(super) fn expand(&self, of: Variables<'_>) -> String {
        let mut out = String::new();
        expand(&self.parts, of, &mut out);
        out
    }

    /// Returns the text before the first action.
    pub(super) fn head(&self) -> &str {
        match self.parts.first() {
            Some(Part::Text(text)) => text,
            _ => "",
        }
    }
}

fn expand(parts: &[Part], of: Variables<'_>, out: &mut String) {
    for part in parts {
        match part {
            Part::Text(text) => out.push_str(text),
            Part::Value(expression) => out.push_str(&value(expression, of).to_string()),
            Part::If(arms) => {
                let holds = |condition: &Option<Expression>| {
                    condition.as_ref().is_none_or(|it| value(it, of).holds())
                };
                if let Some((_, parts)) = arms.iter().find(|(condition, _)| holds(condition)) {
                    expand(parts, of, out);
                }
            }
        }
    }
}

fn value(expression: &Expression, of: Variables<'_>) -> Value {
    match expression {
        Expression::Variable(variable) => Value::Text(variable.value(of)),
        Expression::Constant(value) => value.clone(),
        Expression::Call(function, arguments) => {
            call(*function, arguments.iter().map(|it| value(it, of)).collect())
        }
    }
}

fn call(function: Function, arguments: Vec<Value>) -> Value {
    let last = arguments.last().cloned().unwrap_or(Value::Bool(false));
    match function {
        Function::And => arguments.into_iter().find(|it| !it.holds()).unwrap_or(last),
        Function::Or => arguments.into_iter().find(Value::holds).unwrap_or(last),
        Function::Not => Value::Bool(!last.holds()),
        Function::Eq => Value::Bool(is_one_of(&arguments)),
        Function::Ne => Value::Bool(!is_one_of(&arguments)),
        Function::Print => Value::Text(arguments.iter().map(ToString::to_string).collect()),
        Function::Printf => Value::Text(printf(&arguments)),
    }
}

fn is_one_of(arguments: &[Value]) -> bool {
    arguments.split_first().is_some_and(|(first, others)| others.contains(first))
}

/// Formats as Go's `fmt.Sprintf` does, for the verbs that [`parse`] lets through.
fn printf(arguments: &[Value]) -> String {
    let Some((format, arguments)) = arguments.split_first() else { return String::new() };
    let mut arguments = arguments.iter();
    let mut out = String::new();
    let format = format.to_string();
    let mut chars = format.chars();
    while let Some(c) = chars.next() {
        match (c, if c == '%' { chars.next() } else { None }) {
            ('%', Some('%')) => out.push('%'),
            ('%', Some('q')) => {
                out.extend(arguments.next().map(|it| format!("{:?}", it.to_string())));
            }
            ('%', Some(_)) => out.extend(arguments.next().map(ToString::to_string)),
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEPLOYMENT: Variables<'_> = Variables {
        kubernetes: "v1.30.0",
        strict: "-strict",
        kind: "Deployment",
        group: "apps",
        version: "v1",
    };
    const SERVICE: Variables<'_> =
        Variables { kubernetes: "master", strict: "", kind: "Service", group: "", version: "v1" };
    const RELEASE: Variables<'_> = Variables {
        kubernetes: "v1.30.0",
        strict: "",
        kind: "HelmRelease",
        group: "helm.toolkit.fluxcd.io",
        version: "v2beta1",
    };

    fn expanded(template: &str, of: Variables<'_>) -> String {
        Template::new(template).unwrap().expand(of)
    }

    fn refused(template: &str) -> String {
        Template::new(template).unwrap_err().to_string()
    }

    #[test]
    fn the_layout_of_kubernetes_json_schema() {
        let template = "s/{{ .NormalizedKubernetesVersion }}-standalone{{ .StrictSuffix }}/\
                        {{ .ResourceKind }}{{ .KindSuffix }}.json";
        assert_eq!(
            expanded(template, DEPLOYMENT),
            "s/v1.30.0-standalone-strict/deployment-apps-v1.json"
        );
        assert_eq!(expanded(template, SERVICE), "s/master-standalone/service-v1.json");
        assert_eq!(
            expanded(template, RELEASE),
            "s/v1.30.0-standalone/helmrelease-helm-v2beta1.json"
        );
    }

    #[test]
    fn the_layout_of_the_catalog_of_definitions() {
        let template = "{{.Group}}/{{.ResourceKind}}_{{.ResourceAPIVersion}}.json";
        assert_eq!(expanded(template, RELEASE), "helm.toolkit.fluxcd.io/helmrelease_v2beta1.json");
        // The core group has no name, and its version stands in for it.
        assert_eq!(expanded(template, SERVICE), "v1/service_v1.json");
    }

    #[test]
    fn trim_markers_take_the_space_around() {
        assert_eq!(expanded("a \n{{- .Group -}} \t b", DEPLOYMENT), "aappsb");
        assert_eq!(expanded("a {{- /* why */ -}} b", DEPLOYMENT), "ab");
        assert_eq!(expanded("a {{/* why */}} b", DEPLOYMENT), "a  b");
        assert_eq!(expanded("{{ if .StrictSuffix -}} x {{- end }}", DEPLOYMENT), "x");
        assert_eq!(expanded("{{.Group}}{{.Group}}", DEPLOYMENT), "appsapps");
    }

    #[test]
    fn conditions_choose() {
        let template = "{{ if eq .ResourceKind \"service\" `pod` }}core\
                        {{ else if and .StrictSuffix (ne .Group \"v1\") }}strict\
                        {{ else }}other{{ end }}.json";
        assert_eq!(expanded(template, SERVICE), "core.json");
        assert_eq!(expanded(template, DEPLOYMENT), "strict.json");
        assert_eq!(expanded(template, RELEASE), "other.json");
        assert_eq!(expanded("{{ if not .StrictSuffix }}open{{ end }}", SERVICE), "open");
        assert_eq!(expanded("{{ or .StrictSuffix \"-none\" }}", SERVICE), "-none");
    }

    #[test]
    fn functions_and_pipelines_write() {
        assert_eq!(
            expanded("{{ printf \"%s_%v%%\" .ResourceKind .Group }}", SERVICE),
            "service_v1%"
        );
        assert_eq!(
            expanded("{{ .ResourceKind | printf \"%s-%s\" .Group }}", SERVICE),
            "v1-service"
        );
        assert_eq!(expanded("{{ print .Group \"/\" 1 true }}", SERVICE), "v1/1true");
        assert_eq!(expanded("{{ \"\\\"a\\\"\" }}", SERVICE), "\"a\"");
    }

    #[test]
    fn what_is_not_understood_is_refused_with_its_place() {
        assert_eq!(
            refused("a/{{ .ResourceKnd }}.json"),
            "there is no variable `.ResourceKnd` (column 6); did you mean `.ResourceKind`?"
        );
        assert_eq!(refused("a/{{ .Group"), "the `{{` in column 3 is not closed by `}}`");
        assert_eq!(
            refused("{{ lower .Group }}"),
            "there is no function `lower` (column 4): only `and`, `or`, `not`, `eq`, `ne`, `print` \
             and `printf` are known"
        );
        assert_eq!(
            refused("{{ range .Group }}{{ end }}"),
            "`range` (column 4) is not understood: only values, comments and `if` are"
        );
        assert_eq!(refused("{{ if .Group }}x"), "the `if` in column 4 has no `end`");
        assert_eq!(refused("x{{ end }}"), "there is no `if` before this `end` (column 5)");
        assert_eq!(refused("{{ else }}"), "there is no `if` before this `else` (column 4)");
        assert_eq!(refused("{{ }}"), "something is expected in column 4");
        assert_eq!(refused("{{ .Group .Group }}"), "`.Group` (column 4) takes nothing after it");
        assert_eq!(refused("{{ eq .Group }}"), "`eq` (column 4) takes two things or more");
        assert_eq!(
            refused("{{ printf \"%x\" 1 }}"),
            "`printf` (column 4) has a verb other than `%s`, `%v`, `%d`, `%q` and `%%`"
        );
        assert_eq!(refused("{{ \"a }}"), "the text in column 4 is not closed");
        assert_eq!(refused("{{ (.Group }}"), "the `(` in column 4 is not closed");
        assert_eq!(refused("{{ $x := 1 }}"), "`$x` (column 4) is not understood");
    }

    #[test]
    fn a_template_is_bounded() {
        let deep = format!("{{{{ {}1{} }}}}", "(".repeat(99), ")".repeat(99));
        assert_eq!(refused(&deep), "it is nested too deeply");
        let deep = "{{ if 1 }}".repeat(99);
        assert_eq!(refused(&deep), "it is nested too deeply");
        assert_eq!(refused(&"a".repeat(5000)), "it is longer than 4096 bytes");
    }

    #[test]
    fn the_head_is_what_does_not_change() {
        assert_eq!(Template::new("a/b/{{ .Group }}.json").unwrap().head(), "a/b/");
        assert_eq!(Template::new("{{ .Group }}.json").unwrap().head(), "");
    }
}
