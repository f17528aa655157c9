//! Probes and lifecycle hooks of containers.

use super::Spec;
use super::ports::{NO_PORT, is_port};
use crate::check::api::cx::Cx;
use crate::check::api::field::Field;
use crate::check::api::rule::Rule;
use crate::document::{NodeKind, Scalar};
use crate::naming;

pub(super) const RULES: &[&Rule] = &[&NO_HANDLER, &SEVERAL, &PORT, &PROBE, &SLEEP];

const NO_HANDLER: Rule = Rule::new(
    "api/missing-handler",
    "Probe or hook that does nothing",
    "A probe asks by `exec`, `httpGet`, `tcpSocket` or `grpc`; a hook runs `exec`, `httpGet`, \
     `tcpSocket` or `sleep`.",
    "add one of them",
    &["validateHandler"],
);

const SEVERAL: Rule = Rule::new(
    "api/several-handlers",
    "Probe or hook that does two things",
    "A probe and a hook do exactly one thing; what was merged into another by a patch stays beside \
     it.",
    "remove one of the two; a patch sets the other to `null`",
    &["validateHandler"],
);

const PORT: Rule = Rule::new(
    "api/invalid-probe-port",
    "Port of a probe or a hook that cannot be one",
    "The port is a number between 1 and 65535, or the name of a port. A number in quotes is a name.",
    "write the number without quotes, or the name of a port",
    &["ValidatePortNumOrName"],
);

const PROBE: Rule = Rule::new(
    "api/invalid-probe",
    "Probe that cannot be made",
    "Times and thresholds are not negative. One success is enough for a liveness and a startup \
     probe, and only those two end a container in a time of their own.",
    "mend the probe",
    &["validateProbe", "validateLivenessProbe", "validateReadinessProbe", "validateStartupProbe"],
);

const SLEEP: Rule = Rule::new(
    "api/invalid-sleep",
    "Hook sleeps longer than the pod has to end",
    "A container that sleeps before it stops does so within the grace period of its pod.",
    "sleep for less, or raise `terminationGracePeriodSeconds`",
    &["validateSleepAction"],
);

const SCHEMES: &[&str] = &["HTTP", "HTTPS"];

/// Numbers of a probe that are not negative.
const NUMBERS: &[&str] = &[
    "initialDelaySeconds",
    "timeoutSeconds",
    "periodSeconds",
    "successThreshold",
    "failureThreshold",
];

/// Looks at a probe; `name` says which.
pub(super) fn check_probe<'a>(cx: &mut Cx<'a>, spec: &Spec<'a>, probe: Field<'a>, name: &str) {
    if !probe.exists() {
        return;
    }
    let actions: &[&str] = if cx.minor >= 24 {
        &["exec", "httpGet", "tcpSocket", "grpc"]
    } else {
        &["exec", "httpGet", "tcpSocket"]
    };
    check_handler(cx, spec, probe, actions);
    for key in NUMBERS {
        let number = probe.get(key);
        if number.int().is_some_and(|it| it < 0) {
            cx.invalid(&PROBE, number, "must not be negative");
        }
    }
    let grace = probe.get("terminationGracePeriodSeconds");
    if grace.int().is_some_and(|it| it <= 0) {
        cx.invalid(&PROBE, grace, "must be greater than 0");
    }
    if name == "readinessProbe" {
        if grace.exists() && cx.minor >= 21 {
            cx.forbidden(&PROBE, grace, "for a readiness probe");
        }
    } else {
        // 0 counts as missing, and the default is 1.
        let threshold = probe.get("successThreshold");
        if threshold.int().is_some_and(|it| it > 1) {
            cx.invalid(&PROBE, threshold, "must be 1");
        }
    }
}

/// Looks at the hooks of a container (`validateLifecycle`).
pub(super) fn check_lifecycle<'a>(cx: &mut Cx<'a>, spec: &Spec<'a>, lifecycle: Field<'a>) {
    for name in ["postStart", "preStop"] {
        let hook = lifecycle.get(name);
        if hook.exists() {
            check_handler(cx, spec, hook, &["exec", "httpGet", "tcpSocket", "sleep"]);
        }
    }
}

/// Looks at what a probe or a hook does (`validateHandler`).
fn check_handler<'a>(cx: &mut Cx<'a>, spec: &Spec<'a>, handler: Field<'a>, actions: &[&'a str]) {
    let mut has_one = false;
    for name in actions {
        let action = handler.get(name);
        if !action.exists() {
            continue;
        }
        if has_one {
            cx.forbidden(&SEVERAL, action, "beside another handler");
            continue;
        }
        has_one = true;
        match *name {
            "exec" => {
                cx.require(action.get("command"));
            }
            "httpGet" => check_http(cx, action),
            "sleep" => check_sleep(cx, spec, action),
            _ => check_port(cx, action.get("port")),
        }
    }
    if !has_one {
        cx.required(&NO_HANDLER, handler, "it needs a handler");
    }
}

fn check_http<'a>(cx: &mut Cx<'a>, action: Field<'a>) {
    check_port(cx, action.get("port"));
    cx.one_of_if_any(action.get("scheme"), SCHEMES);
    for header in action.get("httpHeaders").items() {
        let name = header.get("name");
        let right = !name.is_empty()
            && name.text().bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-');
        if right {
            continue;
        }
        if name.is_empty() {
            cx.required(&PROBE, name, "");
        } else {
            cx.invalid(&PROBE, name, "must be the name of a header: letters, digits and `-`");
        }
        cx.named(action.get("httpHeaders"));
    }
}

/// Looks at a port by number or name (`ValidatePortNumOrName`).
fn check_port<'a>(cx: &mut Cx<'a>, port: Field<'a>) {
    match port.node().map(|it| &it.kind) {
        None => cx.required(&PORT, port, ""),
        Some(NodeKind::Scalar(Scalar::Int(number))) if !is_port(*number) => {
            cx.invalid(&PORT, port, NO_PORT);
        }
        Some(NodeKind::Scalar(Scalar::String(name))) => {
            if let Some(wrong) = naming::port_name(name) {
                cx.invalid(&PORT, port, wrong);
                if name.parse::<u16>().is_ok() {
                    cx.help("write the number without quotes");
                }
            }
        }
        _ => {}
    }
}

fn check_sleep<'a>(cx: &mut Cx<'a>, spec: &Spec<'a>, action: Field<'a>) {
    // Servers before 1.33 did not take a sleep of no time.
    let min = i64::from(cx.minor < 33);
    let seconds = action.get("seconds").int().unwrap_or_default();
    if seconds < min || seconds > spec.grace_period {
        let problem = format!(
            "must be between {min} and `terminationGracePeriodSeconds`, {}",
            spec.grace_period
        );
        cx.invalid(&SLEEP, action.get("seconds"), &problem);
        cx.named(action);
    }
}

#[cfg(test)]
mod tests {
    use crate::check::api::fixture::{assert_containers, assert_one, container};

    #[test]
    fn probes_do_one_thing() {
        assert_containers(&[
            ("livenessProbe: {tcpSocket: {port: http}}", &[]),
            ("livenessProbe: {periodSeconds: 1}", &["livenessProbe"]),
            (
                "livenessProbe: {exec: {command: [x]}, tcpSocket: {port: 1}}",
                &["livenessProbe.tcpSocket"],
            ),
            (
                "livenessProbe: {exec: {command: [x]}, successThreshold: 2}",
                &["livenessProbe.successThreshold"],
            ),
            ("readinessProbe: {exec: {command: [x]}, successThreshold: 2}", &[]),
            (
                "readinessProbe: {exec: {}, periodSeconds: -1}",
                &["readinessProbe.exec.command", "readinessProbe.periodSeconds"],
            ),
            (
                "livenessProbe: {httpGet: {port: 1, scheme: http}}",
                &["livenessProbe.httpGet.scheme"],
            ),
            (
                "livenessProbe: {httpGet: {port: 1, httpHeaders: [{name: a b, value: x}]}}",
                &["livenessProbe.httpGet.httpHeaders"],
            ),
        ]);
    }

    #[test]
    fn a_number_in_quotes_is_a_name() {
        assert_one(
            &container("livenessProbe: {tcpSocket: {port: '80'}}"),
            "api/invalid-probe-port",
            "`80` in `spec.containers[c].livenessProbe.tcpSocket.port` must have at least one \
             letter",
            "spec.containers[0].livenessProbe.tcpSocket.port",
            "'80'",
        );
    }

    #[test]
    fn hooks_sleep_within_the_grace_period() {
        assert_containers(&[
            ("lifecycle: {preStop: {sleep: {seconds: 30}}}", &[]),
            ("lifecycle: {preStop: {sleep: {seconds: 31}}}", &["lifecycle.preStop.sleep"]),
            ("lifecycle: {preStop: {}}", &["lifecycle.preStop"]),
        ]);
    }
}
