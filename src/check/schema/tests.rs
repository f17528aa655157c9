use super::*;
use crate::load::{Dialect, Limits, objects, parse};
use crate::review::Operation;
use crate::rule::Selection;
use crate::source::{Origin, RepoPath, Source, SourceMap};

mod versions;

/// What a finding says: rule, message, help, path and the underlined text.
type Said = (String, String, Option<String>, String, String);

fn results(text: &str, kubernetes: KubernetesVersion) -> (SourceMap, Results) {
    results_with(text, kubernetes, Apply::Client)
}

fn results_with(text: &str, kubernetes: KubernetesVersion, apply: Apply) -> (SourceMap, Results) {
    let mut sources = SourceMap::default();
    let path = RepoPath::new("a.yaml");
    let id = sources.add(Source::new(path, Origin::File, text.as_bytes().to_vec()));
    let parsed = parse(sources.get(id).unwrap(), id, Dialect::Kubectl, &Limits::default());
    assert_eq!(parsed.problems, []);
    let check = SchemaCheck::default();
    let selection = Selection::default();
    let mut results = Results::default();
    for document in &parsed.documents {
        for object in objects(document) {
            let review = Review {
                operation: Operation::Create,
                object: &object.document,
                old_object: None,
                apply,
                dry_run: false,
                environment: None,
                provenance: None,
                asked: None,
            };
            let cx =
                Context { sources: &sources, kubernetes, selection: &selection, deadline: None };
            check.check_object(cx, &review, &mut results);
        }
    }
    (sources, results)
}

fn findings_for(text: &str, kubernetes: KubernetesVersion) -> Vec<Said> {
    let (sources, results) = results(text, kubernetes);
    assert_eq!(results.failures, []);
    let said = |it: Finding| {
        let underlined = sources.text(it.primary.span).to_owned();
        (it.rule.to_string(), it.message, it.help, it.path.to_string(), underlined)
    };
    results.findings.into_iter().map(said).collect()
}

fn findings(text: &str) -> Vec<Said> {
    findings_for(text, newest())
}

/// Asserts that a text has exactly one finding, and which.
#[track_caller]
fn assert_one(text: &str, rule: &str, message: &str, help: Option<&str>, path: &str, under: &str) {
    let expected = (rule.into(), message.into(), help.map(Into::into), path.into(), under.into());
    assert_eq!(findings(text), [expected]);
}

#[track_caller]
fn assert_clean(text: &str) {
    assert_eq!(findings(text), []);
}

/// A pod whose only container has these lines besides its name.
fn pod(lines: &str) -> String {
    let lines: Vec<String> = lines.lines().map(|line| format!("      {line}\n")).collect();
    let lines = lines.concat();
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: web}}\nspec:\n  containers:\n    - name: web\n{lines}"
    )
}

#[test]
fn an_unknown_field_underlines_its_key_and_names_its_neighbour() {
    assert_one(
        "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec:\n  ports:\n    - port: 80\n      portocol: TCP\n",
        "schema/unknown-field",
        "unknown field `portocol` in `spec.ports[0]`",
        Some("did you mean `protocol`?"),
        "spec.ports[0].portocol",
        "portocol",
    );
}

#[test]
fn list_items_are_named_in_messages_and_numbered_in_paths() {
    assert_one(
        &pod("imagePullPolcy: Always"),
        "schema/unknown-field",
        "unknown field `imagePullPolcy` in `spec.containers[web]`",
        Some("did you mean `imagePullPolicy`?"),
        "spec.containers[0].imagePullPolcy",
        "imagePullPolcy",
    );
}

#[test]
fn a_field_of_an_object_around_is_indented_too_far() {
    assert_one(
        &pod("securityContext:\n  privileged: false\n  ports: []"),
        "schema/unknown-field",
        "unknown field `ports` in `spec.containers[web].securityContext`",
        Some("it is a field of `spec.containers[web]`: check the indentation"),
        "spec.containers[0].securityContext.ports",
        "ports",
    );
}

#[test]
fn a_field_of_an_object_within_is_indented_too_little() {
    let text = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  selector: {matchLabels: {app: web}}\n  nodeSelector: {disk: ssd}\n  template:\n    metadata: {labels: {app: web}}\n    spec:\n      containers: [{name: web, image: web}]\n";
    assert_one(
        text,
        "schema/unknown-field",
        "unknown field `nodeSelector` in `spec`",
        Some("it is a field of `spec.template.spec`: check the indentation"),
        "spec.nodeSelector",
        "nodeSelector",
    );
}

#[test]
fn labels_outside_of_labels_are_told_where_they_belong() {
    assert_one(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: web\n  app.kubernetes.io/name: web\n",
        "schema/unknown-field",
        "unknown field `app.kubernetes.io/name` in `metadata`",
        Some("keys of your own belong into `metadata.annotations` or `metadata.labels`"),
        "metadata[app.kubernetes.io/name]",
        "app.kubernetes.io/name",
    );
}

#[test]
fn a_misspelt_required_field_is_one_finding() {
    assert_one(
        "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec:\n  ports:\n    - prot: 80\n",
        "schema/unknown-field",
        "unknown field `prot` in `spec.ports[0]`",
        Some("did you mean `port`?"),
        "spec.ports[0].prot",
        "prot",
    );
    assert_one(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nSpec: {}\n",
        "schema/unknown-field",
        "unknown field `Spec` in the Deployment",
        Some("did you mean `spec`?"),
        "Spec",
        "Spec",
    );
}

#[test]
fn a_missing_field_points_at_its_parent() {
    assert_one(
        "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec:\n  ports:\n    - name: http\n",
        "schema/missing-field",
        "missing field `port` in `spec.ports[0]`",
        None,
        "spec.ports[0].port",
        "name: http",
    );
    assert_one(
        "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: web}\n",
        "schema/missing-field",
        "missing field `spec` in the StatefulSet",
        None,
        "spec",
        "StatefulSet",
    );
}

#[test]
fn a_required_null_is_missing_and_an_optional_one_absent() {
    assert_one(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers: null\n",
        "schema/missing-field",
        "missing field `containers` in `spec`",
        Some("it is `null`, which is the same as missing: give it a value"),
        "spec.containers",
        "containers",
    );
    assert_clean(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: web, creationTimestamp: null, labels: {a: null}}\nspec:\n  nodeSelector: null\n  containers: [{name: web, image: web, args: [a, null], resources: null}]\nstatus: {}\n",
    );
}

#[test]
fn a_null_item_is_refused_where_an_empty_one_would_be() {
    assert_one(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers: [null]\n",
        "schema/missing-field",
        "missing field `name` in `spec.containers[0]`",
        None,
        "spec.containers[0].name",
        "null",
    );
}

#[test]
fn wrong_types_say_what_is_there_and_how_to_mend_it() {
    let deployment = |replicas: &str| {
        format!(
            "apiVersion: apps/v1\nkind: ReplicaSet\nmetadata: {{name: web}}\nspec:\n  replicas: {replicas}\n  selector: {{}}\n"
        )
    };
    for (value, found, help) in [
        ("three", "the string `three`", None),
        ("\"3\"", "the string `3`", Some("remove the quotes")),
        ("1.5", "the number `1.5`", None),
        ("true", "the boolean `true`", None),
        ("[3]", "a list", None),
    ] {
        assert_one(
            &deployment(value),
            "schema/wrong-type",
            &format!("expected an integer in `spec.replicas`, found {found}"),
            help,
            "spec.replicas",
            value,
        );
    }
    assert_clean(&deployment("3.0"));
    assert_one(
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: web, labels: {gate: yes}}\n",
        "schema/wrong-type",
        "expected a string in `metadata.labels.gate`, found the boolean `true`",
        Some("put the value in quotes; without them `yes`, `no`, `on` and `off` are booleans too"),
        "metadata.labels.gate",
        "yes",
    );
    assert_one(
        &pod("command: run"),
        "schema/wrong-type",
        "expected a list in `spec.containers[web].command`, found a string",
        Some("start each item with `- `"),
        "spec.containers[0].command",
        "run",
    );
}

#[test]
fn values_of_secrets_are_never_shown() {
    let secret = ["hunter", "2"].concat();
    let number = "1234567";
    let texts = [
        format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: a}}\ndata: {{password: {secret}!}}\n"
        ),
        format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: a}}\nstringData: {{pin: {number}}}\n"
        ),
        format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: a}}\nstringData: {secret}\n"),
        pod(&format!("env: [{{name: PIN, value: {number}}}]")),
    ];
    for text in texts {
        let findings = findings(&text);
        assert_eq!(findings.len(), 1, "{text}");
        let said = format!("{} {:?}", findings[0].1, findings[0].2);
        assert!(!said.contains(&secret) && !said.contains(number), "{said}");
    }
}

#[test]
fn text_of_an_object_is_cut_and_printable_in_messages() {
    let text =
        format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{\"a\\n`{}\": b}}\n", "x".repeat(90));
    let findings = findings(&text);
    let shown = format!("a\u{fffd}\u{fffd}{}…", "x".repeat(45));
    assert_eq!(findings[0].1, format!("unknown field `{shown}` in `metadata`"));
}

#[test]
fn long_paths_are_cut_in_the_middle() {
    let deep = |inner: &str| {
        (0..20).fold(inner.to_owned(), |it, _| format!("{{properties: {{a: {it}}}}}"))
    };
    let text = format!(
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {{name: a}}\nspec: {{group: b, scope: Cluster, names: {{kind: A, plural: as}}, versions: [{{name: v1, schema: {{openAPIV3Schema: {}}}}}]}}\n",
        deep("{tipe: object}")
    );
    let tail = ".properties.a".repeat(6);
    let place = format!("spec.versions[0].schema.openAPIV3Schema.properties.…{tail}");
    assert_eq!(findings(&text)[0].1, format!("unknown field `tipe` in `{place}`"));
}

#[test]
fn an_object_of_nothing_but_defects_is_told_in_part_and_fails() {
    let fields: Vec<String> = (0..1500).map(|n| format!("x{n}: 1\n")).collect();
    let fields = fields.concat();
    let text = format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\n{fields}");
    let (_, results) = results(&text, newest());
    assert_eq!(results.findings.len(), 1000);
    let reasons: Vec<&str> = results.failures.iter().map(|it| it.reason.as_str()).collect();
    assert_eq!(reasons, ["an object has 1000 defects or more; not all are told"]);
}

#[test]
fn values_of_enumerations_are_held() {
    assert_one(
        "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec:\n  ports: [{port: 80, protocol: tcp}]\n",
        "schema/invalid-value",
        "`tcp` is not a value of `spec.ports[0].protocol`",
        Some("did you mean `TCP`? It takes `SCTP`, `TCP` or `UDP`"),
        "spec.ports[0].protocol",
        "tcp",
    );
    for (path, value) in [
        ("imagePullPolicy", "Sometimes"),
        ("terminationMessagePolicy", "Nope"),
        ("restartPolicy", "Sometimes"),
    ] {
        let findings = findings(&pod(&format!("{path}: {value}")));
        assert_eq!(
            findings[0].1,
            format!("`{value}` is not a value of `spec.containers[web].{path}`")
        );
    }
    assert_clean(&pod("imagePullPolicy: ''"));
}

#[test]
fn quantities_numbers_and_formats_are_held() {
    assert_one(
        &pod("resources: {limits: {memory: 128mb}}"),
        "schema/invalid-value",
        "`128mb` in `spec.containers[web].resources.limits.memory` is not a quantity",
        Some("did you mean `128M`?"),
        "spec.containers[0].resources.limits.memory",
        "128mb",
    );
    assert_clean(&pod("resources: {limits: {cpu: 2, memory: 128Mi, example.com/gpu: 0.5}}"));
    assert_one(
        &pod("ports: [{containerPort: 99999999999}]"),
        "schema/invalid-value",
        "the value of `spec.containers[web].ports[0].containerPort` does not fit into 32 bits",
        None,
        "spec.containers[0].ports[0].containerPort",
        "99999999999",
    );
    assert_one(
        "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: {user: 'not base64'}\n",
        "schema/invalid-value",
        "the value of `data.user` is not base64",
        Some("encode the value, or write it in plain under `stringData`"),
        "data.user",
        "'not base64'",
    );
    assert_one(
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: a, creationTimestamp: yesterday}\n",
        "schema/invalid-value",
        "the value of `metadata.creationTimestamp` is not a date and time of RFC 3339",
        Some("write it as in `2006-01-02T15:04:05Z`"),
        "metadata.creationTimestamp",
        "yesterday",
    );
}

#[test]
fn an_int_or_string_is_either() {
    assert_clean(&pod("livenessProbe: {httpGet: {port: http}}"));
    assert_clean(&pod("livenessProbe: {httpGet: {port: 80}}"));
    assert_one(
        &pod("livenessProbe: {httpGet: {port: true}}"),
        "schema/wrong-type",
        "expected an integer or a string in `spec.containers[web].livenessProbe.httpGet.port`, found the boolean `true`",
        None,
        "spec.containers[0].livenessProbe.httpGet.port",
        "true",
    );
}

#[test]
fn what_the_server_takes_passes() {
    // Required by the published schema, and not by the server.
    assert_clean(
        "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: db}\nspec:\n  selector: {matchLabels: {app: db}}\n  template:\n    metadata: {labels: {app: db}}\n    spec: {containers: [{name: db, image: db}]}\n",
    );
    assert_clean(
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: a}\nspec: {}\n",
    );
    assert_clean("apiVersion: v1\nkind: List\n");
    // Objects without declared fields stay open.
    assert_clean(
        "apiVersion: apps/v1\nkind: ControllerRevision\nmetadata: {name: a}\nrevision: 1\ndata: {any: [thing]}\n",
    );
    let old = KubernetesVersion { major: 1, minor: 30 };
    let text = "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: a}\nroleRef: {kind: Role, name: a}\n";
    assert_eq!(findings_for(text, old), []);
}

#[test]
fn what_is_filled_in_later_passes() {
    assert_clean(
        "apiVersion: apps/v1\nkind: ReplicaSet\nmetadata: {name: web}\nspec: {replicas: \"${REPLICAS}\", selector: \"{{ selector }}\"}\n",
    );
    assert_clean(&pod("imagePullPolicy: $(POLICY)\nresources: {limits: {cpu: <CPU>}}"));
    assert_clean(
        "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: {user: \"ENC[AES256_GCM,data:x]\"}\nsops: {mac: x, version: 3.8.1}\n",
    );
    let text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\nsops: nothing of the kind\n";
    assert_eq!(findings(text)[0].1, "unknown field `sops` in the ConfigMap");
}

#[test]
fn items_are_told_apart_by_keys_with_their_defaults() {
    let service = |ports: &str| {
        format!("apiVersion: v1\nkind: Service\nmetadata: {{name: web}}\nspec:\n  ports: {ports}\n")
    };
    assert_one(
        &service("[{port: 80, name: a}, {port: 80, protocol: TCP, name: b}]"),
        "schema/repeated-item",
        "a second item `port: 80, protocol: TCP` in `spec.ports`",
        Some("it is the same as item 0 of the list"),
        "spec.ports[1]",
        "{port: 80, protocol: TCP, name: b}",
    );
    assert_clean(&service("[{port: 80, name: a}, {port: 80, protocol: UDP, name: b}]"));
    // An atomic list may repeat itself, and so may one whose key only serves patches.
    assert_clean(&pod("args: [a, a]"));
}

#[test]
fn server_side_apply_refuses_what_a_plain_request_repeats() {
    let text = pod("env: [{name: A, value: x}, {name: B}, {name: A, value: z}]");
    let told = |apply| {
        let (_, results) = results_with(&text, newest(), apply);
        let said = results.findings.into_iter().map(|it| (it.rule.to_string(), it.message));
        said.collect::<Vec<_>>()
    };
    let message = "a second item `name: A` in `spec.containers[web].env`".to_owned();
    assert_eq!(told(Apply::ServerSide), [("schema/duplicate-item".to_owned(), message.clone())]);
    assert_eq!(told(Apply::Client), [("schema/repeated-item".to_owned(), message)]);
}

#[test]
fn a_json_schema_within_another_is_decoded_without_strictness() {
    let text = |items: &str| {
        format!(
            "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {{name: a}}\nspec: {{group: b, scope: Cluster, names: {{kind: A, plural: as}}, versions: [{{name: v1, schema: {{openAPIV3Schema: {{{items}}}}}}}]}}\n"
        )
    };
    assert_clean(&text("items: {type: object, tipe: object}"));
    assert_clean(&text("additionalProperties: true, items: {properties: {a: {x: 1}}}"));
    let wrong = |items: &str| {
        let findings = findings(&text(items));
        (findings[0].0.clone(), findings[0].3.clone())
    };
    let schema = "spec.versions[0].schema.openAPIV3Schema";
    assert_eq!(
        wrong("items: {properties: {a: 3}}"),
        ("schema/wrong-type".to_owned(), format!("{schema}.items.properties.a"))
    );
    assert_eq!(
        wrong("additionalProperties: 'yes'"),
        ("schema/wrong-type".to_owned(), format!("{schema}.additionalProperties"))
    );
}

#[test]
fn unknown_schemas_are_told_once_for_each_kind() {
    let text = "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: a}\n---\napiVersion: example.com/v1\nkind: Widget\nmetadata: {name: b}\n---\napiVersion: example.com/v2\nkind: Widget\nmetadata: {name: c}\n";
    let (_, results) = results(text, newest());
    assert_eq!(results.findings.len(), 3);
    assert!(results.findings.iter().all(|it| it.rule == UNVERIFIED));
    let notes: Vec<(String, String)> = one_per_kind(results.findings)
        .into_iter()
        .map(|it| (it.message, it.primary.note))
        .collect();
    let message = |v: &str| {
        format!(
            "the schema of `Widget` in `example.com/{v}` is not known, so its fields are not checked"
        )
    };
    assert_eq!(
        notes,
        [
            (message("v1"), "and 1 more object of this kind".to_owned()),
            (message("v2"), String::new()),
        ]
    );
}

#[test]
fn other_sources_are_asked_first() {
    /// Knows one custom kind, by the schema of a built-in one.
    #[derive(Debug)]
    struct Widgets(Builtin);

    impl SchemaSource for Widgets {
        fn lookup(&self, wanted: &Wanted<'_>) -> Option<Answer<'_>> {
            let is_widget =
                (wanted.group, wanted.version, wanted.kind) == ("example.com", "v1", "Widget");
            let of = Wanted { group: "", kind: "ConfigMap", ..*wanted };
            if is_widget { self.0.lookup(&of) } else { None }
        }

        fn scope(&self, _wanted: &Wanted<'_>) -> Option<KindScope> {
            None
        }
    }

    let text = "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: a}\nsize: 3\n";
    assert_eq!(findings(text)[0].0, "coverage/unknown-kind");
    let mut sources = SourceMap::default();
    let source = Source::new(RepoPath::new("a.yaml"), Origin::File, text.as_bytes().to_vec());
    let id = sources.add(source);
    let parsed = parse(sources.get(id).unwrap(), id, Dialect::Kubectl, &Limits::default());
    let review = Review {
        operation: Operation::Create,
        object: &parsed.documents[0],
        old_object: None,
        apply: Apply::Client,
        dry_run: false,
        environment: None,
        provenance: None,
        asked: None,
    };
    let selection = Selection::default();
    let cx =
        Context { sources: &sources, kubernetes: newest(), selection: &selection, deadline: None };
    let mut results = Results::default();
    let own = Sources::new(vec![Arc::new(Widgets(Builtin::new().unwrap()))]);
    SchemaCheck::new(Arc::new(own)).check_object(cx, &review, &mut results);
    let messages: Vec<&str> = results.findings.iter().map(|it| it.message.as_str()).collect();
    assert_eq!(messages, ["unknown field `size` in the Widget"]);
}

#[test]
fn rules_that_are_not_wanted_are_not_told() {
    let check = SchemaCheck::default();
    let ids: Vec<String> = check.rules().iter().map(|it| it.id.to_string()).collect();
    assert_eq!(
        ids,
        [
            "coverage/remote-schema",
            "coverage/unknown-kind",
            "schema/broken-rule",
            "schema/deprecated-kind",
            "schema/disabled-api",
            "schema/duplicate-item",
            "schema/invalid-value",
            "schema/missing-field",
            "schema/repeated-item",
            "schema/unknown-custom-field",
            "schema/unknown-field",
            "schema/unknown-kind",
            "schema/unproven-defect",
            "schema/unserved-version",
            "schema/wrong-type",
        ]
    );
    let mut registry = crate::rule::Registry::default();
    for rule in check.rules() {
        registry.add(rule).unwrap();
    }
    let selection =
        Selection::new(&registry, Vec::new(), vec!["schema/unknown-field".to_owned()]).unwrap();
    let text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\nx: 1\ndata: []\n";
    let mut sources = SourceMap::default();
    let source = Source::new(RepoPath::new("a.yaml"), Origin::File, text.as_bytes().to_vec());
    let id = sources.add(source);
    let parsed = parse(sources.get(id).unwrap(), id, Dialect::Kubectl, &Limits::default());
    let review = Review {
        operation: Operation::Create,
        object: &parsed.documents[0],
        old_object: None,
        apply: Apply::Client,
        dry_run: false,
        environment: None,
        provenance: None,
        asked: None,
    };
    let cx =
        Context { sources: &sources, kubernetes: newest(), selection: &selection, deadline: None };
    let mut results = Results::default();
    check.check_object(cx, &review, &mut results);
    let rules: Vec<&str> = results.findings.iter().map(|it| it.rule.as_str()).collect();
    assert_eq!(rules, ["schema/wrong-type"]);
}
