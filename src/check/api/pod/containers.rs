//! Containers of all three lists.

use super::{Spec, environment, handlers, mounts, ports, requirements, security, some_or};
use crate::check::api::cx::Cx;
use crate::check::api::field::Field;
use crate::check::api::rule::Rule;
use crate::check::api::seen::Seen;
use crate::naming;

pub(super) const RULES: &[&Rule] = &[&NAME, &IMAGE, &RESTART, &NOT_HERE, &NO_CONTAINERS, &TARGET];

const NAME: Rule = Rule::new(
    "api/invalid-container-name",
    "Container with a name that it cannot have",
    "The name of a container is a DNS label, and no other container of the pod has it, init \
     containers and ephemeral ones included.",
    "choose another name",
    &["validateContainerCommon", "validateContainers", "validateInitContainers"],
);

const IMAGE: Rule = Rule::new(
    "api/invalid-image",
    "Container without an image",
    "A container names its image, without white space around it.",
    "set `image`",
    &["validateContainerCommon", "validateContainerOnlyForPod"],
);

const RESTART: Rule = Rule::new(
    "api/invalid-container-restart",
    "Restart policy of a container that it cannot have",
    "Init containers restart always and are sidecars then, and since 1.35 any container may have a \
     policy of its own, with at most 20 rules for exit codes.",
    "mend the policy or its rules",
    &["validateInitContainerRestartPolicy", "validateContainerRestartPolicy"],
);

const NOT_HERE: Rule = Rule::new(
    "api/field-of-other-container",
    "Field stands in a container that has no use for it",
    "Init containers end before the others begin, so only those that keep running, the sidecars, \
     have probes and a lifecycle. Ephemeral containers have neither those nor ports or resources.",
    "remove the field, or set `restartPolicy: Always` on an init container that keeps running",
    &["validateInitContainers", "validateEphemeralContainers"],
);

const NO_CONTAINERS: Rule = Rule::new(
    "api/missing-containers",
    "Pod without containers",
    "A pod has at least one container that is no init container.",
    "add a container",
    &["validateContainers"],
);

const TARGET: Rule = Rule::new(
    "api/unknown-target-container",
    "Ephemeral container joins a container that does not exist",
    "The target of an ephemeral container is another container of the pod.",
    "name a container of the pod",
    &["validateEphemeralContainers"],
);

const PULL_POLICIES: &[&str] = &["Always", "IfNotPresent", "Never"];
const MESSAGE_POLICIES: &[&str] = &["FallbackToLogsOnError", "File"];
const RESTART_POLICIES: &[&str] = &["Always", "Never", "OnFailure"];
const OPERATORS: &[&str] = &["In", "NotIn"];

/// The minor in which policies of single containers came on by default.
const OWN_POLICIES: u32 = 35;
/// The minor in which a container may restart all others.
const RESTART_ALL: u32 = 36;
/// The minor in which init containers may be sidecars.
const SIDECARS: u32 = 29;
/// The most rules of one container.
const RULES_MAX: usize = 20;
/// The most exit codes of one rule.
const CODES_MAX: usize = 255;

/// What only containers that keep running have.
const RUNNING_ONLY: &[&str] = &["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"];

/// What ephemeral containers do not have.
const NOT_EPHEMERAL: &[&str] = &[
    "ports",
    "resources",
    "livenessProbe",
    "readinessProbe",
    "startupProbe",
    "lifecycle",
    "resizePolicy",
    "restartPolicy",
    "restartPolicyRules",
];

/// Looks at all containers of a spec.
pub(super) fn check<'a>(cx: &mut Cx<'a>, spec: &Spec<'a>) {
    let containers = spec.field.get("containers");
    if containers.is_empty() {
        cx.required(&NO_CONTAINERS, containers, "");
    }
    let mut names = Seen::default();
    for container in containers.items() {
        check_common(cx, spec, container);
        check_unique(cx, container, &mut names);
        check_running(cx, spec, container);
        if cx.minor >= OWN_POLICIES {
            check_restart(cx, container);
        } else if container.get("restartPolicy").exists() && cx.minor != 34 {
            cx.forbidden(&NOT_HERE, container.get("restartPolicy"), "outside of init containers");
        }
    }
    ports::check_unique(cx, spec, containers.items());
    for container in spec.field.get("initContainers").items() {
        check_common(cx, spec, container);
        check_unique(cx, container, &mut names);
        check_init(cx, spec, container);
        ports::check_unique(cx, spec, std::iter::once(container));
    }
    check_ephemeral(cx, spec, &names);
}

fn check_unique<'a>(cx: &mut Cx<'a>, container: Field<'a>, names: &mut Seen<&'a str>) {
    let name = container.get("name");
    if !name.is_empty() && !names.insert(name.text()) {
        cx.duplicate(&NAME, name);
    }
}

/// Looks at what all containers have (`validateContainerCommon`).
fn check_common<'a>(cx: &mut Cx<'a>, spec: &Spec<'a>, container: Field<'a>) {
    cx.require_name_by(&NAME, container.get("name"), naming::dns_label);
    if container.get("image").is_empty() {
        cx.required(&IMAGE, container.get("image"), "");
    }
    cx.one_of_if_any(container.get("terminationMessagePolicy"), MESSAGE_POLICIES);
    ports::check(cx, container.get("ports"));
    environment::check(cx, spec, container);
    mounts::check(cx, spec, container);
    cx.one_of_if_any(container.get("imagePullPolicy"), PULL_POLICIES);
    requirements::check_container(cx, spec, container.get("resources"));
    requirements::check_resize(cx, spec, container.get("resizePolicy"));
    security::check_container(cx, spec, container.get("securityContext"));
}

/// Looks at the probes and the lifecycle of a container that keeps running.
fn check_running<'a>(cx: &mut Cx<'a>, spec: &Spec<'a>, container: Field<'a>) {
    handlers::check_lifecycle(cx, spec, container.get("lifecycle"));
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        handlers::check_probe(cx, spec, container.get(probe), probe);
    }
}

/// Looks at what is special about init containers (`validateInitContainers`).
fn check_init<'a>(cx: &mut Cx<'a>, spec: &Spec<'a>, container: Field<'a>) {
    let policy = container.get("restartPolicy");
    let is_sidecar = policy.text() == "Always" && cx.minor >= SIDECARS;
    if cx.minor >= OWN_POLICIES {
        let rules = container.get("restartPolicyRules");
        if is_sidecar && cx.minor < RESTART_ALL {
            if !rules.is_empty() {
                cx.forbidden(&RESTART, rules, "when an init container always restarts");
            }
        } else {
            check_restart(cx, container);
        }
    } else if cx.minor >= SIDECARS && cx.minor != 34 {
        cx.one_of(policy, &["Always"]);
    }
    if is_sidecar {
        check_running(cx, spec, container);
    } else {
        for key in RUNNING_ONLY {
            if container.get(key).exists() {
                cx.forbidden(
                    &NOT_HERE,
                    container.get(key),
                    "in an init container, unless it restarts always",
                );
            }
        }
    }
    if !is_sidecar
        && cx.minor >= 36
        && !spec.had_before(|it| &it.restarts_at_resize, restarts_at_resize)
    {
        for policy in container.get("resizePolicy").items() {
            let restart = policy.get("restartPolicy");
            if restart.text() == "RestartContainer" {
                cx.invalid(&RESTART, restart, "is for init containers that restart always only");
            }
        }
    }
}

/// Says whether an init container of a spec restarts when it is resized, which servers once took.
fn restarts_at_resize(spec: Field<'_>) -> bool {
    let containers = spec.get("initContainers").items();
    let others = containers.filter(|it| it.get("restartPolicy").text() != "Always");
    let mut policies = others.flat_map(|it| it.get("resizePolicy").items());
    policies.any(|it| it.get("restartPolicy").text() == "RestartContainer")
}

/// Looks at the policy of a container and its rules (`validateContainerRestartPolicy`).
fn check_restart<'a>(cx: &mut Cx<'a>, container: Field<'a>) {
    let (policy, rules) = (container.get("restartPolicy"), container.get("restartPolicyRules"));
    if policy.exists() {
        cx.one_of(policy, RESTART_POLICIES);
    } else if !rules.is_empty() {
        cx.required(&RESTART, policy, "the rules are exceptions from it");
    }
    if rules.len() > RULES_MAX {
        cx.too_long(&RESTART, rules, RULES_MAX, "rules");
    }
    let actions: &[&str] =
        if cx.minor >= RESTART_ALL { &["Restart", "RestartAllContainers"] } else { &["Restart"] };
    for rule in rules.items() {
        cx.require_one_of(rule.get("action"), actions);
        let codes = rule.get("exitCodes");
        if codes.exists() {
            cx.require_one_of(codes.get("operator"), OPERATORS);
            if codes.get("values").len() > CODES_MAX {
                cx.too_long(&RESTART, codes.get("values"), CODES_MAX, "exit codes");
            }
        } else {
            cx.required(&RESTART, codes, "the rule is about exit codes");
        }
    }
}

/// Looks at ephemeral containers (`validateEphemeralContainers`).
fn check_ephemeral<'a>(cx: &mut Cx<'a>, spec: &Spec<'a>, others: &Seen<&'a str>) {
    let ephemeral = spec.field.get("ephemeralContainers");
    if ephemeral.is_empty() {
        return;
    }
    let mut names = others.clone();
    for container in ephemeral.items() {
        check_common(cx, spec, container);
        check_image_of_pod(cx, container);
        check_unique(cx, container, &mut names);
        let target = container.get("targetContainerName");
        if !target.is_empty() && !others.contains(&target.text()) {
            cx.not_found(&TARGET, target, "a container of the pod");
        }
        for key in NOT_EPHEMERAL {
            if !container.get(key).is_empty() {
                cx.forbidden(&NOT_HERE, container.get(key), "in an ephemeral container");
            }
        }
        for mount in container.get("volumeMounts").items() {
            for key in ["subPath", "subPathExpr"] {
                if !mount.get(key).is_empty() {
                    cx.forbidden(&NOT_HERE, mount.get(key), "in an ephemeral container");
                }
            }
        }
    }
}

/// Looks at the white space around an image, which templates may have.
pub(super) fn check_image_of_pod<'a>(cx: &mut Cx<'a>, container: Field<'a>) {
    let image = container.get("image");
    if image.text().trim() != some_or(image, "") {
        cx.invalid(&IMAGE, image, "must not begin or end with white space");
    }
}

#[cfg(test)]
mod tests {
    use crate::check::api::fixture::{assert_containers, assert_pods, assert_refused};

    #[test]
    fn names_tell_containers_apart() {
        assert_pods(&[
            ("initContainers: [{name: b, image: i}]", &[]),
            ("initContainers: [{name: c, image: i}]", &["initContainers[0].name"]),
            ("initContainers: [{name: B, image: i}]", &["initContainers[0].name"]),
            ("initContainers: [{image: i}]", &["initContainers[0].name"]),
            ("initContainers: [{name: b}]", &["initContainers[0].image"]),
        ]);
        assert_refused(
            "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: []}\n",
            &["spec.containers"],
        );
    }

    #[test]
    fn only_containers_that_keep_running_have_probes() {
        assert_pods(&[
            (
                "initContainers: [{name: b, image: i, livenessProbe: {exec: {command: [x]}}}]",
                &["initContainers[0].livenessProbe"],
            ),
            (
                "initContainers: [{name: b, image: i, restartPolicy: Always, \
                  livenessProbe: {exec: {command: [x]}}}]",
                &[],
            ),
            (
                "ephemeralContainers: [{name: b, image: i, ports: [{containerPort: 1}]}]",
                &["ephemeralContainers[0].ports", "ephemeralContainers"],
            ),
        ]);
    }

    #[test]
    fn rules_for_restarts_need_a_policy() {
        let rule = "{action: Restart, exitCodes: {operator: In, values: [1]}}";
        assert_containers(&[
            (&format!("restartPolicy: Never, restartPolicyRules: [{rule}]"), &[]),
            (&format!("restartPolicyRules: [{rule}]"), &["restartPolicy"]),
            ("restartPolicy: Sometimes", &["restartPolicy"]),
            (
                "restartPolicy: Never, restartPolicyRules: [{action: Wait}]",
                &["restartPolicyRules[0].action", "restartPolicyRules[0].exitCodes"],
            ),
        ]);
    }
}
