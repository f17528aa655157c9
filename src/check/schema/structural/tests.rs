use super::*;
use crate::load::{Dialect, Limits, parse};
use crate::source::{Origin, RepoPath, Source, SourceMap};

/// What a defect says: breach, path, message and the underlined text.
type Said = (Breach, String, String, String);

const KUBERNETES: KubernetesVersion = KubernetesVersion { major: 1, minor: 37 };

fn node(sources: &mut SourceMap, text: &str) -> Node {
    let path = RepoPath::new("a.yaml");
    let id = sources.add(Source::new(path, Origin::File, text.as_bytes().to_vec()));
    let mut parsed = parse(sources.get(id).unwrap(), id, Dialect::Kubectl, &Limits::default());
    assert_eq!(parsed.problems, []);
    parsed.documents.remove(0).root
}

/// Returns a schema whose `spec` has these properties.
fn schema(spec: &str) -> Structural {
    let text = format!("type: object\nproperties:\n  spec: {spec}\n");
    let value = node(&mut SourceMap::default(), &text).to_json();
    Structural::compile(&value, Options::default()).unwrap()
}

/// Returns an object with this `spec`.
fn object(spec: &str) -> String {
    format!("apiVersion: example.com/v1\nkind: Widget\nmetadata: {{name: a}}\nspec: {spec}\n")
}

fn judged(schema: &Structural, old: Option<&str>, new: &str) -> (SourceMap, Judgement) {
    let mut sources = SourceMap::default();
    let new = node(&mut sources, new);
    let old = old.map(|old| node(&mut sources, old));
    let judgement = schema.check(&Subject {
        kind: "Widget",
        object: &new,
        old: old.as_ref(),
        apply: Apply::Client,
        kubernetes: KUBERNETES,
    });
    (sources, judgement)
}

fn found(schema: &Structural, old: Option<&str>, new: &str) -> Vec<Said> {
    let (sources, judgement) = judged(schema, old, new);
    assert_eq!((judgement.failures, judgement.too_expensive), (Vec::new(), false));
    let said = |it: Defect| {
        let underlined = sources.text(it.span).to_owned();
        (it.breach, it.path.to_string(), it.message, underlined)
    };
    judgement.defects.into_iter().map(said).collect()
}

/// Asserts that an object with this `spec` has nothing that the schema of `spec` does not allow.
#[track_caller]
fn assert_good(of: &str, spec: &str) {
    assert_eq!(found(&schema(of), None, &object(spec)), []);
}

/// Asserts that an object with this `spec` has exactly one defect, and which.
#[track_caller]
fn assert_bad(of: &str, spec: &str, breach: Breach, path: &str, message: &str) {
    let found = found(&schema(of), None, &object(spec));
    let said: Vec<(Breach, &str, &str)> =
        found.iter().map(|it| (it.0, it.1.as_str(), it.2.as_str())).collect();
    assert_eq!(said, [(breach, path, message)]);
}

#[test]
fn unknown_fields_are_told_with_what_they_may_be() {
    let of = "{type: object, properties: {replicas: {type: integer}, open: {type: object, \
              x-kubernetes-preserve-unknown-fields: true, properties: {inner: {type: object}}}}}";
    let (sources, judgement) = judged(&schema(of), None, &object("{replica: 3}"));
    let defect = &judgement.defects[0];
    assert_eq!(judgement.defects.len(), 1);
    assert_eq!(sources.text(defect.span), "replica");
    assert_eq!(defect.message, "unknown field `replica` in `spec`");
    assert_eq!(defect.help.as_deref(), Some("did you mean `replicas`?"));
    assert_good(of, "{open: {anything: {goes: 1}}}");
    // What is kept is kept on one level, and what has a schema is checked again.
    let message = "unknown field `x` in `spec.open.inner`";
    assert_bad(of, "{open: {inner: {x: 1}}}", Breach::UnknownField, "spec.open.inner.x", message);
}

#[test]
fn metadata_is_that_of_every_object() {
    let new = "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: a, label: {a: b}, labels: {a: 1}}\n";
    let said: Vec<(Breach, String)> =
        found(&schema("{type: object}"), None, new).into_iter().map(|it| (it.0, it.1)).collect();
    let expected = [
        (Breach::UnknownField, "metadata.label".to_owned()),
        (Breach::WrongType, "metadata.labels.a".to_owned()),
    ];
    assert_eq!(said, expected);
}

#[test]
fn types_are_those_of_the_schema() {
    let of = "{type: object, properties: {num: {type: integer}, f: {type: number}, s: {type: string}, \
              p: {x-kubernetes-int-or-string: true}, l: {type: array, items: {type: boolean}}}}";
    assert_good(of, "{num: 1, f: 1, s: a, p: 50%, l: [true]}");
    assert_good(of, "{num: 2.0, f: 1.5, p: 80}");
    for (spec, path, message) in [
        ("{num: '1'}", "spec.num", "expected an integer in `spec.num`, found the string `1`"),
        ("{num: 1.5}", "spec.num", "expected an integer in `spec.num`, found the number `1.5`"),
        ("{s: 1}", "spec.s", "expected a string in `spec.s`, found the integer `1`"),
        ("{p: []}", "spec.p", "expected an integer or a string in `spec.p`, found a list"),
        ("{l: [1]}", "spec.l[0]", "expected a boolean in `spec.l[0]`, found the integer `1`"),
        ("{l: {}}", "spec.l", "expected a list in `spec.l`, found an object"),
        ("[]", "spec", "expected an object in `spec`, found a list"),
    ] {
        assert_bad(of, spec, Breach::WrongType, path, message);
    }
}

#[test]
fn null_is_absent_unless_it_is_allowed() {
    let of = "{type: object, required: [a], properties: {a: {type: string}, b: {type: string, nullable: true}, \
              c: {type: string, default: x}, l: {type: array, items: {type: string}}}}";
    assert_good(of, "{a: x, b: null, c: null}");
    let missing = "missing field `a` in `spec`";
    assert_bad(of, "{a: null}", Breach::MissingField, "spec.a", missing);
    let message = "expected a string in `spec.l[0]`, found null";
    assert_bad(of, "{a: x, l: [null]}", Breach::WrongType, "spec.l[0]", message);
}

#[test]
fn a_default_fills_in_what_is_required() {
    let of = "{type: object, required: [a, b], properties: {a: {type: string, default: x}, \
              b: {type: object, default: {}, properties: {c: {type: integer, default: 3}}, required: [c]}}}";
    assert_good(of, "{}");
    let rule = "{type: object, properties: {num: {type: integer, default: 3}}, x-kubernetes-validations: \
                [{rule: self.num < 3, message: num must be below 3.}]}";
    let message = "`spec` breaks a rule of its definition: num must be below 3";
    assert_bad(rule, "{}", Breach::BrokenRule, "spec", message);
}

#[test]
fn values_keep_to_their_limits() {
    let of = "{type: object, maxProperties: 2, properties: {e: {type: string, enum: [Always, Never]}, \
              s: {type: string, minLength: 2, maxLength: 3}, p: {type: string, pattern: '^\\d+$'}, \
              num: {type: integer, minimum: 1, maximum: 9, multipleOf: 3}, x: {type: number, minimum: 0, exclusiveMinimum: true}, \
              i: {type: integer, format: int32}, l: {type: array, maxItems: 1, items: {type: string}}}}";
    assert_good(of, "{e: Always, s: äöü}");
    assert_good(of, "{p: '12', num: 3}");
    for (spec, path, message) in [
        ("{e: always}", "spec.e", "`always` is not a value of `spec.e`"),
        ("{s: a}", "spec.s", "`spec.s` has 1 character, but needs 2 at least"),
        ("{s: ''}", "spec.s", "`spec.s` must not be empty"),
        ("{s: abcd}", "spec.s", "`spec.s` has 4 characters, but may have 3 at most"),
        ("{p: '१'}", "spec.p", "`१` does not match the pattern of `spec.p`"),
        ("{num: 0}", "spec.num", "`0` in `spec.num` is too small: it must be at least 1"),
        ("{num: 12}", "spec.num", "`12` in `spec.num` is too large: it must be at most 9"),
        ("{num: 4}", "spec.num", "`4` in `spec.num` is no multiple of 3"),
        ("{x: 0}", "spec.x", "`0` in `spec.x` is too small: it must be more than 0"),
        ("{i: 3000000000}", "spec.i", "the value of `spec.i` does not fit into 32 bits"),
        ("{l: [a, b]}", "spec.l", "`spec.l` has 2 items, but may have 1 at most"),
        ("{e: Never, s: ab, num: 3}", "spec", "`spec` has 3 fields, but may have 2 at most"),
    ] {
        assert_bad(of, spec, Breach::InvalidValue, path, message);
    }
}

#[test]
fn numbers_outgrow_their_format_since_36() {
    let of = schema("{type: object, properties: {i: {type: integer, format: int32}}}");
    let mut sources = SourceMap::default();
    let object = node(&mut sources, &object("{i: 3000000000}"));
    let defects = |minor| {
        let kubernetes = KubernetesVersion { major: 1, minor };
        of.check(&Subject {
            kind: "Widget",
            object: &object,
            old: None,
            apply: Apply::Client,
            kubernetes,
        })
        .defects
        .len()
    };
    assert_eq!([defects(35), defects(36)], [0, 1]);
}

#[test]
fn of_several_forms_the_nearest_one_speaks() {
    let either = "{type: object, properties: {a: {type: string}, b: {type: string}}, \
                  oneOf: [{required: [a]}, {required: [b]}]}";
    assert_good(either, "{a: x}");
    let message = "`spec` needs exactly one of `a` or `b`";
    assert_bad(either, "{}", Breach::MissingField, "spec.a", message);
    let message = "`spec` has `a` and `b` at once, but may have only one";
    assert_bad(either, "{a: x, b: x}", Breach::InvalidValue, "spec", message);
    let forms = "{type: object, properties: {kind: {type: string}, size: {type: integer}}, anyOf: \
                 [{properties: {kind: {enum: [x]}, size: {maximum: 1}}}, {properties: {kind: {enum: [z]}, size: {minimum: 9}}, required: [size]}]}";
    assert_good(forms, "{kind: z, size: 9}");
    let message = "`spec` fits none of the 2 forms that it may take";
    assert_bad(forms, "{kind: x, size: 5}", Breach::InvalidValue, "spec.size", message);
    let not = "{type: object, properties: {a: {type: string, not: {enum: [x]}}}}";
    let message = "`spec.a` has a form that its definition rules out";
    assert_bad(not, "{a: x}", Breach::InvalidValue, "spec.a", message);
    let all =
        "{type: object, properties: {a: {type: string, allOf: [{maxLength: 2}, {pattern: '^a'}]}}}";
    let message = "`b` does not match the pattern of `spec.a`";
    assert_bad(all, "{a: b}", Breach::InvalidValue, "spec.a", message);
}

#[test]
fn sets_and_maps_hold_nothing_twice() {
    let of = "{type: object, properties: {tags: {type: array, x-kubernetes-list-type: set, items: {type: string}}, \
              ports: {type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [name, protocol], \
              items: {type: object, properties: {name: {type: string}, protocol: {type: string, default: TCP}}}}}}";
    assert_good(of, "{tags: [a, b], ports: [{name: a}, {name: a, protocol: UDP}]}");
    let message = "`b` is in `spec.tags` already";
    assert_bad(of, "{tags: [a, b, b, b]}", Breach::DuplicateItem, "spec.tags[2]", message);
    let message = "`spec.ports` has an item of `name` `a`, `protocol` `TCP` already";
    assert_bad(
        of,
        "{ports: [{name: a}, {name: a, protocol: TCP}]}",
        Breach::DuplicateItem,
        "spec.ports[1]",
        message,
    );
}

#[test]
fn a_resource_within_a_resource_is_one() {
    let of = "{type: object, properties: {template: {type: object, x-kubernetes-embedded-resource: true, \
              x-kubernetes-preserve-unknown-fields: true}}}";
    assert_good(of, "{template: {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {any: 1}}}");
    let message = "missing field `kind` in `spec.template`";
    assert_bad(
        of,
        "{template: {apiVersion: v1}}",
        Breach::MissingField,
        "spec.template.kind",
        message,
    );
    let message = "unknown field `nme` in `spec.template.metadata`";
    assert_bad(
        of,
        "{template: {apiVersion: v1, kind: Pod, metadata: {nme: a}}}",
        Breach::UnknownField,
        "spec.template.metadata.nme",
        message,
    );
}

#[test]
fn rules_are_evaluated_unless_a_value_is_wrong() {
    let of = "{type: object, required: [min, max], properties: {min: {type: integer}, max: {type: integer}}, \
              x-kubernetes-validations: [{rule: self.min <= self.max, fieldPath: .max, \
              messageExpression: \"'max is ' + string(self.max)\"}]}";
    assert_good(of, "{min: 1, max: 2}");
    let message = "`spec` breaks a rule of its definition: max is 1";
    assert_bad(of, "{min: 2, max: 1}", Breach::BrokenRule, "spec.max", message);
    let message = "expected an integer in `spec.max`, found the string `1`";
    assert_bad(of, "{min: 2, max: '1'}", Breach::WrongType, "spec.max", message);
}

#[test]
fn transition_rules_need_a_former_state() {
    let of = schema(
        "{type: object, properties: {class: {type: string, x-kubernetes-validations: \
         [{rule: self == oldSelf, message: the class is fixed}]}, size: {type: integer, maximum: 3}}}",
    );
    let (a, b) = (object("{class: a}"), object("{class: b}"));
    assert_eq!(found(&of, None, &b), []);
    assert_eq!(found(&of, Some(&a), &a), []);
    let message = "`spec.class` breaks a rule of its definition: the class is fixed";
    let expected = (Breach::BrokenRule, "spec.class".into(), message.into(), "b".into());
    assert_eq!(found(&of, Some(&a), &b), [expected]);
}

#[test]
fn what_was_wrong_before_and_did_not_change_passes() {
    let of = schema(
        "{type: object, properties: {a: {type: integer, maximum: 3}, b: {type: integer, maximum: 3}}}",
    );
    let old = object("{a: 9, b: 1}");
    assert_eq!(found(&of, Some(&old), &object("{a: 9, b: 2}")), []);
    let paths: Vec<String> =
        found(&of, Some(&old), &object("{a: 8, b: 9}")).into_iter().map(|it| it.1).collect();
    assert_eq!(paths, ["spec.a", "spec.b"]);
}

#[test]
fn server_side_apply_keeps_nulls_and_leaves_some_behind() {
    let of = schema(
        "{type: object, properties: {a: {type: string}, b: {type: object, properties: {c: {type: string}}}, \
         d: {type: object, properties: {c: {type: string}, e: {type: string, default: x}}}}}",
    );
    let mut sources = SourceMap::default();
    let old = node(&mut sources, &object("{b: {c: x}, d: {c: x}}"));
    let mut paths = |new: &str| {
        let new = node(&mut sources, &object(new));
        let (old, kubernetes) = (Some(&old), KUBERNETES);
        let subject =
            Subject { kind: "Widget", object: &new, old, apply: Apply::ServerSide, kubernetes };
        let defects = of.check(&subject).defects;
        defects.iter().map(|it| it.path.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(paths("{a: null, b: {c: z}}"), ["spec.a"]);
    assert_eq!(paths("{b: {}, d: {}}"), ["spec.b"]);
}

#[test]
fn the_status_that_an_object_brings_is_dropped() {
    let schema = |status| {
        let text = "type: object\nproperties: {status: {type: object, properties: {num: {type: integer}}}}";
        let value = node(&mut SourceMap::default(), text).to_json();
        Structural::compile(&value, Options { status, ..Options::default() }).unwrap()
    };
    let new = "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: a}\nstatus: {num: x}\n";
    assert_eq!(found(&schema(true), None, new), []);
    assert_eq!(found(&schema(false), None, new).len(), 1);
}

#[test]
fn what_is_filled_in_later_is_no_defect() {
    let of = "{type: object, properties: {num: {type: integer}, e: {type: string, enum: [a]}, s: {type: string, maxLength: 3}}, \
              x-kubernetes-validations: [{rule: 'self.s == \"x\"'}], oneOf: [{required: [q]}, {required: [num]}]}";
    assert_good(of, "{num: '${COUNT}', e: '{{ .e }}', s: 'ENC[AES256_GCM,data:x]'}");
    let sops = format!("{}sops: {{mac: x, version: 3}}\n", object("{s: x, num: 1}"));
    assert_eq!(found(&schema(of), None, &sops), []);
}

#[test]
fn a_rule_that_does_not_compile_is_a_failure() {
    let of = schema("{type: object, x-kubernetes-validations: [{rule: self.nothing == 1}]}");
    let (_, judgement) = judged(&of, None, &object("{}"));
    assert_eq!(judgement.defects, []);
    assert_eq!(judgement.failures.len(), 1);
    assert!(judgement.failures[0].starts_with("a rule of `spec` cannot be compiled: "));
}

#[test]
fn rules_have_a_budget() {
    let of = schema(
        "{type: object, properties: {l: {type: array, items: {type: integer}}}, x-kubernetes-validations: \
         [{rule: 'self.l.all(a, self.l.all(b, self.l.all(c, a + b + c >= 0)))'}]}",
    );
    let items: Vec<String> = (0..200).map(|it| it.to_string()).collect();
    let (_, judgement) = judged(&of, None, &object(&format!("{{l: [{}]}}", items.join(", "))));
    assert_eq!((judgement.defects, judgement.too_expensive), (Vec::new(), true));
}

#[test]
fn secrets_are_not_shown() {
    let of = "{type: object, properties: {data: {type: object, additionalProperties: {type: string, maxLength: 3, pattern: '^x'}}}}";
    let message = "the value does not match the pattern of `spec.data.k`";
    assert_bad(of, "{data: {k: abc}}", Breach::InvalidValue, "spec.data.k", message);
}

#[test]
fn the_replicas_of_a_scale_are_none_or_more() {
    let text =
        "type: object\nproperties: {spec: {type: object, properties: {num: {type: integer}}}}";
    let value = node(&mut SourceMap::default(), text).to_json();
    let options = Options { replicas: Some(".spec.num".into()), ..Options::default() };
    let schema = Structural::compile(&value, options).unwrap();
    assert_eq!(found(&schema, None, &object("{num: 0}")), []);
    let message = "`spec.num` must be a number of replicas, 0 at least";
    let expected = (Breach::InvalidValue, "spec.num".into(), message.into(), "-1".into());
    assert_eq!(found(&schema, None, &object("{num: -1}")), [expected]);
}

#[test]
fn a_schema_that_is_none_is_refused() {
    let compile = |text: &str| {
        let value = node(&mut SourceMap::default(), text).to_json();
        Structural::compile(&value, Options::default()).unwrap_err().to_string()
    };
    assert_eq!(compile("{type: object, properties: {a: 1}}"), "a schema must be an object at `a`");
}
