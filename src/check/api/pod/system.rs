//! Operating systems, the namespaces of the node, and the options of Windows.

use super::Spec;
use crate::check::api::cx::Cx;
use crate::check::api::field::Field;
use crate::check::api::rule::Rule;
use crate::check::api::shared::UNSUPPORTED;
use crate::naming;

pub(super) const RULES: &[&Rule] = &[&OTHER_SYSTEM, &WINDOWS, &HOST_USERS];

const OTHER_SYSTEM: Rule = Rule::new(
    "api/field-of-other-system",
    "Field that the pod's operating system does not have",
    "A pod that names its operating system cannot have settings that only another one knows.",
    "remove the field, or name the right system",
    &["validateLinux", "validateWindows"],
);

const WINDOWS: Rule = Rule::new(
    "api/invalid-windows-options",
    "Option of Windows that cannot be used",
    "Users of Windows have a name of limited length and form, with an optional domain, and all \
     containers of a pod run as processes of the node or none does.",
    "mend the option",
    &["validateWindowsSecurityContextOptions", "validateWindowsHostProcessPod"],
);

const HOST_USERS: Rule = Rule::new(
    "api/host-namespace-without-host-users",
    "Pod with users of its own shares a namespace of the node",
    "A pod with `hostUsers: false` has users of its own, to whom the node's processes and network \
     do not belong.",
    "leave out one of the two",
    &["validateHostUsers"],
);

const SYSTEMS: &[&str] = &["linux", "windows"];

/// What a pod of Windows does not have, in its own context.
const NOT_IN_WINDOWS_PODS: &[&str] = &[
    "appArmorProfile",
    "seLinuxOptions",
    "seccompProfile",
    "fsGroup",
    "fsGroupChangePolicy",
    "sysctls",
    "runAsUser",
    "runAsGroup",
    "supplementalGroups",
    "supplementalGroupsPolicy",
    "seLinuxChangePolicy",
];

/// What a pod of Windows does not have, in the contexts of its containers.
const NOT_IN_WINDOWS_CONTAINERS: &[&str] = &[
    "appArmorProfile",
    "seLinuxOptions",
    "seccompProfile",
    "capabilities",
    "readOnlyRootFilesystem",
    "privileged",
    "allowPrivilegeEscalation",
    "procMount",
    "runAsUser",
    "runAsGroup",
];

/// The largest specification of an account, in bytes.
const ACCOUNT_MAX: usize = 64 * 1024;
/// A domain has fewer bytes than this.
const DOMAIN_MAX: usize = 256;
/// The longest name of a user, in bytes.
const USER_MAX: usize = 104;

/// The minor in which pods may name their operating system by default.
const SYSTEM_SINCE: u32 = 24;
/// The minor in which pods may have users of their own by default.
const USERS_SINCE: u32 = 33;
/// The minor in which containers may be processes of a node by default.
const HOST_PROCESS_SINCE: u32 = 23;

/// Looks at all that has to do with the node's system.
pub(super) fn check<'a>(cx: &mut Cx<'a>, spec: &Spec<'a>) {
    if cx.minor >= HOST_PROCESS_SINCE {
        check_host_process(cx, spec);
    }
    check_host_users(cx, spec);
    let system = spec.field.get("os");
    if cx.minor < SYSTEM_SINCE || !system.exists() {
        return;
    }
    let name = system.get("name");
    if !cx.require(name) {
        return;
    }
    match name.text() {
        "linux" => check_linux(cx, spec),
        "windows" => check_windows(cx, spec),
        _ => {
            cx.not_supported(&UNSUPPORTED, name, SYSTEMS);
            cx.named(system);
        }
    }
}

fn check_linux<'a>(cx: &mut Cx<'a>, spec: &Spec<'a>) {
    let contexts = spec.containers().map(|it| it.get("securityContext"));
    for context in std::iter::once(spec.field.get("securityContext")).chain(contexts) {
        let options = context.get("windowsOptions");
        if options.exists() {
            cx.forbidden(&OTHER_SYSTEM, options, "for a pod of Linux");
        }
    }
}

fn check_windows<'a>(cx: &mut Cx<'a>, spec: &Spec<'a>) {
    let mut forbid = |field: Field<'a>| cx.forbidden(&OTHER_SYSTEM, field, "for a pod of Windows");
    let own = spec.field.get("securityContext");
    for key in NOT_IN_WINDOWS_PODS {
        let field = own.get(key);
        if field.exists() && !(*key == "sysctls" && field.is_empty()) {
            forbid(field);
        }
    }
    for key in ["hostUsers", "shareProcessNamespace"] {
        let field = spec.field.get(key);
        if field.exists() {
            forbid(field);
        }
    }
    for key in ["hostPID", "hostIPC"] {
        let field = spec.field.get(key);
        if field.is_true() {
            forbid(field);
        }
    }
    for context in spec.containers().map(|it| it.get("securityContext")) {
        if !context.exists() {
            continue;
        }
        for key in NOT_IN_WINDOWS_CONTAINERS {
            let field = context.get(key);
            if field.exists() {
                forbid(field);
            }
        }
    }
}

/// Pods with users of their own share no namespace of the node (`validateHostUsers`).
fn check_host_users<'a>(cx: &mut Cx<'a>, spec: &Spec<'a>) {
    if spec.host_users || cx.minor < USERS_SINCE {
        return;
    }
    let had = spec
        .had(|old| old.get("hostUsers").bool() == Some(false) && old.get("hostNetwork").is_true());
    for key in ["hostNetwork", "hostPID", "hostIPC"] {
        let field = spec.field.get(key);
        if field.is_true() && !(key == "hostNetwork" && had) {
            cx.forbidden(&HOST_USERS, field, "when `hostUsers` is `false`");
            match key {
                "hostPID" => cx.named(spec.field.get("HostPID")),
                "hostIPC" => cx.named(spec.field.get("HostIPC")),
                _ => {}
            }
        }
    }
    let had_devices = spec.had(|old| {
        old.get("hostUsers").bool() == Some(false)
            && super::containers_of(old).any(|it| !it.get("volumeDevices").is_empty())
    });
    if cx.minor < 34 || had_devices {
        return;
    }
    for container in spec.containers() {
        let devices = container.get("volumeDevices");
        if !devices.is_empty() {
            cx.forbidden(&HOST_USERS, devices, "when `hostUsers` is `false`");
        }
    }
}

/// Looks at the options of Windows (`validateWindowsSecurityContextOptions`).
pub(super) fn check_windows_options<'a>(cx: &mut Cx<'a>, options: Field<'a>) {
    if !options.exists() {
        return;
    }
    cx.name(options.get("gmsaCredentialSpecName"), naming::dns_subdomain);
    let account = options.get("gmsaCredentialSpec");
    if let Some(text) = account.str() {
        if text.is_empty() {
            cx.required(&WINDOWS, account, "");
        } else if text.len() > ACCOUNT_MAX {
            cx.too_long(&WINDOWS, account, ACCOUNT_MAX, "bytes");
        }
    }
    let user = options.get("runAsUserName");
    if let Some(wrong) = user.str().and_then(user_name) {
        cx.invalid(&WINDOWS, user, wrong);
    }
}

/// Says what is wrong with the name of a user.
fn user_name(text: &str) -> Option<&'static str> {
    if text.is_empty() {
        return Some("must not be empty");
    }
    if text.bytes().any(|it| it.is_ascii_control()) {
        return Some("must not contain control characters");
    }
    let (domain, user) = match text.split_once('\\') {
        Some((_, rest)) if rest.contains('\\') => {
            return Some("must have at most one backslash");
        }
        Some((domain, user)) => (Some(domain), user),
        None => (None, text),
    };
    if let Some(domain) = domain
        && (domain.len() >= DOMAIN_MAX || !(is_net_bios(domain) || is_domain(domain)))
    {
        return Some("must have the domain of a network before the backslash");
    }
    if user.is_empty() {
        return Some("must have the name of a user after the backslash");
    }
    if user.len() > USER_MAX {
        return Some("must have a user of at most 104 characters");
    }
    if user.chars().all(|it| matches!(it, '.' | ' ')) {
        return Some("must not be dots and spaces only");
    }
    user.contains(['"', '/', ':', ';', '|', '=', ',', '+', '*', '?', '<', '>', '@', '[', ']'])
        .then_some("must not contain any of `\"/:;|=,+*?<>@[]`")
}

fn is_net_bios(domain: &str) -> bool {
    let count = domain.chars().count();
    (1..=15).contains(&count)
        && !domain.starts_with('.')
        && !domain.contains(['\\', '/', ':', '*', '?', '"', '<', '>', '|'])
}

fn is_domain(domain: &str) -> bool {
    domain.split('.').all(|part| naming::dns_label(&part.to_ascii_lowercase()).is_none())
}

/// Containers run as processes of the node, all or none (`validateWindowsHostProcessPod`).
fn check_host_process<'a>(cx: &mut Cx<'a>, spec: &Spec<'a>) {
    let of = |it: Field<'a>| it.at(&["securityContext", "windowsOptions", "hostProcess"]);
    let own = of(spec.field).bool();
    let (mut all, mut processes) = (0, 0);
    for container in spec.containers() {
        all += 1;
        let context = container.get("securityContext");
        if !context.exists() && own.is_none() {
            continue;
        }
        let field = of(container);
        let value = field.bool();
        if let (Some(own), Some(value)) = (own, value)
            && own != value
        {
            cx.invalid(&WINDOWS, field, "must be the same as in the pod's own context");
        }
        processes += usize::from(value.or(own) == Some(true));
    }
    if processes == 0 {
        return;
    }
    if processes != all {
        cx.invalid(&WINDOWS, spec.field, "must have `hostProcess` in all containers or in none");
    }
    if !spec.host_network {
        let network = spec.field.get("hostNetwork");
        cx.report(
            &WINDOWS,
            network.path(),
            crate::document::Part::Value,
            "processes of the node need `hostNetwork: true`".to_owned(),
            None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::api::fixture::{assert_containers, assert_pods};

    #[test]
    fn fields_belong_to_their_system() {
        assert_pods(&[
            ("os: {name: linux}, securityContext: {runAsUser: 1}", &[]),
            (
                "os: {name: windows}, securityContext: {runAsUser: 1}",
                &["securityContext.runAsUser"],
            ),
            ("os: {name: windows}, hostPID: true", &["hostPID"]),
            ("os: {name: plan9}", &["os"]),
            ("os: {}", &["os.name"]),
            (
                "os: {name: linux}, securityContext: {windowsOptions: {}}",
                &["securityContext.windowsOptions"],
            ),
            ("hostUsers: false, hostIPC: true", &["HostIPC"]),
        ]);
    }

    #[test]
    fn processes_of_the_node_are_in_its_network() {
        assert_containers(&[(
            "securityContext: {windowsOptions: {hostProcess: true}}",
            &["spec.hostNetwork"],
        )]);
    }

    #[test]
    fn users_of_windows() {
        for good in ["a", "NT AUTHORITY\\SYSTEM", "corp.example.com\\a b"] {
            assert_eq!(user_name(good), None, "{good}");
        }
        for bad in ["", "a\\b\\c", "\\a", "a\\", "..", "a@b", "a\tb", "a*\\b"] {
            assert!(user_name(bad).is_some(), "{bad}");
        }
    }
}
