//! Security contexts of pods and containers.

use std::collections::BTreeSet;

use super::{Spec, profiles, system};
use crate::check::api::cx::Cx;
use crate::check::api::field::Field;
use crate::check::api::forms::OUT_OF_RANGE;
use crate::check::api::rule::Rule;
use crate::check::api::shared::UNSUPPORTED;

pub(super) const RULES: &[&Rule] = &[&CONTRADICTION, &SYSCTL];

const CONTRADICTION: Rule = Rule::new(
    "api/security-contradiction",
    "Settings of a security context that exclude each other",
    "A privileged container and one with `CAP_SYS_ADMIN` can always gain privileges, and `/proc` \
     stays masked for the users of the node.",
    "decide for one of the two",
    &["ValidateSecurityContext", "validateShareProcessNamespace"],
);

const SYSCTL: Rule = Rule::new(
    "api/invalid-sysctl",
    "Kernel setting that a pod cannot have",
    "Names of kernel settings are parts with `.` or `/` between them, each once; what belongs to a \
     namespace of the node's own cannot be set in it.",
    "mend the name, or leave the setting out",
    &["validateSysctls", "ValidateHostSysctl"],
);

const PROC_MOUNTS: &[&str] = &["Default", "Unmasked"];
const GROUP_POLICIES: &[&str] = &["Always", "OnRootMismatch"];
const SUPPLEMENTAL_POLICIES: &[&str] = &["Merge", "Strict"];
const LABEL_POLICIES: &[&str] = &["MountOption", "Recursive"];

/// The settings of semaphores, shared memory and messages.
const OF_MESSAGES: &[&str] = &[
    "kernel.sem",
    "kernel.shm",
    "kernel.shmall",
    "kernel.shmmax",
    "kernel.shmmni",
    "kernel.shm_rmid_forced",
    "kernel.msg",
    "kernel.msgmax",
    "kernel.msgmnb",
    "kernel.msgmni",
];

/// The highest number of a user or a group.
const ID_MAX: i64 = i32::MAX as i64;
/// The longest name of a kernel setting.
const SYSCTL_MAX: usize = 253;

/// The minor in which the mount of `/proc` may be chosen by default.
const PROC_MOUNT: u32 = 33;
/// The minor in which the policy for supplemental groups and for labels came on by default.
const POLICIES: u32 = 33;
/// The minor in which labels may be set by mount options by default.
const MOUNT_OPTION: u32 = 37;

/// Looks at the number of a user or a group (`IsValidUserID`, `IsValidGroupID`).
fn check_id<'a>(cx: &mut Cx<'a>, id: Field<'a>) {
    if id.int().is_some_and(|it| !(0..=ID_MAX).contains(&it)) {
        cx.invalid(&OUT_OF_RANGE, id, "must be between 0 and 2147483647");
    }
}

/// Looks at the context of a container (`ValidateSecurityContext`).
pub(super) fn check_container<'a>(cx: &mut Cx<'a>, spec: &Spec<'a>, context: Field<'a>) {
    if !context.exists() {
        return;
    }
    check_id(cx, context.get("runAsUser"));
    check_id(cx, context.get("runAsGroup"));
    let mount = context.get("procMount");
    if cx.minor >= PROC_MOUNT {
        cx.one_of(mount, PROC_MOUNTS);
        if spec.host_users && mount.text() == "Unmasked" {
            cx.invalid(&CONTRADICTION, mount, "is for pods with `hostUsers: false` only");
        }
    }
    profiles::check_seccomp(cx, context.get("seccompProfile"));
    let escalation = context.get("allowPrivilegeEscalation");
    if escalation.bool() == Some(false) {
        if context.get("privileged").is_true() {
            cx.invalid(&CONTRADICTION, escalation, "must not be `false` in a privileged container");
            cx.named(context);
        }
        let mut added = context.at(&["capabilities", "add"]).items();
        if !spec.had_before(|it| &it.admin, has_admin)
            && added.any(|it| it.text() == "CAP_SYS_ADMIN")
        {
            cx.invalid(&CONTRADICTION, escalation, "must not be `false` beside `CAP_SYS_ADMIN`");
            cx.named(context);
        }
    }
    system::check_windows_options(cx, context.get("windowsOptions"));
    profiles::check_app_armor(cx, context.get("appArmorProfile"));
}

/// Says whether a container of a spec has `CAP_SYS_ADMIN` already.
fn has_admin(spec: Field<'_>) -> bool {
    super::containers_of(spec).map(|it| it.get("securityContext")).any(|context| {
        context.get("allowPrivilegeEscalation").bool() != Some(true)
            && context.at(&["capabilities", "add"]).items().any(|it| it.text() == "CAP_SYS_ADMIN")
    })
}

/// Looks at the context of a pod (`validatePodSpecSecurityContext`).
pub(super) fn check_pod<'a>(cx: &mut Cx<'a>, spec: &Spec<'a>) {
    let shared = spec.field.get("shareProcessNamespace");
    if shared.is_true() && spec.field.get("hostPID").is_true() {
        cx.invalid(&CONTRADICTION, shared, "must not be `true` beside `hostPID`");
    }
    let context = spec.field.get("securityContext");
    if !context.exists() {
        return;
    }
    for key in ["fsGroup", "runAsUser", "runAsGroup"] {
        check_id(cx, context.get(key));
    }
    for group in context.get("supplementalGroups").items() {
        check_id(cx, group);
    }
    check_sysctls(cx, spec, context.get("sysctls"));
    cx.one_of(context.get("fsGroupChangePolicy"), GROUP_POLICIES);
    profiles::check_seccomp(cx, context.get("seccompProfile"));
    system::check_windows_options(cx, context.get("windowsOptions"));
    profiles::check_app_armor(cx, context.get("appArmorProfile"));
    if cx.minor >= POLICIES {
        cx.one_of(context.get("supplementalGroupsPolicy"), SUPPLEMENTAL_POLICIES);
        let labels = context.get("seLinuxChangePolicy");
        let had = spec.had(|it| it.at(&["securityContext", "seLinuxChangePolicy"]).exists());
        if cx.minor >= MOUNT_OPTION || had {
            cx.one_of(labels, LABEL_POLICIES);
        } else if labels.str().is_some_and(|it| it != "Recursive") {
            cx.not_supported(&UNSUPPORTED, labels, &["Recursive"]);
        }
    }
}

fn check_sysctls<'a>(cx: &mut Cx<'a>, spec: &Spec<'a>, settings: Field<'a>) {
    if settings.is_empty() {
        return;
    }
    let old = spec.old;
    let keep = old.is_some_and(|old| {
        let mut settings = old.at(&["securityContext", "sysctls"]).items();
        settings.any(|it| host_namespace(old, it.get("name").text()).is_some())
    });
    let mut names = BTreeSet::new();
    for setting in settings.items() {
        let name = setting.get("name");
        let text = name.text();
        if name.is_empty() {
            cx.required(&SYSCTL, name, "");
        } else if !is_sysctl(text) {
            cx.invalid(&SYSCTL, name, "must be lower-case parts with `.` or `/` between them");
        } else if !names.insert(text) {
            cx.duplicate(&SYSCTL, name);
        }
        if cx.minor >= 28
            && !keep
            && let Some(field) = host_namespace(spec.field, text)
        {
            cx.invalid(&SYSCTL, name, &format!("must not be set beside `{field}`"));
        }
    }
}

/// Says whether a text is the name of a kernel setting (`IsValidSysctlName`).
fn is_sysctl(name: &str) -> bool {
    name.len() <= SYSCTL_MAX
        && name.split(['.', '/']).all(|part| {
            let plain = |it: u8| it.is_ascii_lowercase() || it.is_ascii_digit();
            let bytes = part.as_bytes();
            bytes.first().is_some_and(|it| plain(*it))
                && bytes.last().is_some_and(|it| plain(*it))
                && bytes.iter().all(|it| plain(*it) || matches!(*it, b'-' | b'_'))
        })
}

/// Returns the field by which a pod shares the namespace that a setting belongs to, if it does.
fn host_namespace(spec: Field<'_>, sysctl: &str) -> Option<&'static str> {
    // The parts stand between dots, or between slashes where a slash comes first.
    let dots = sysctl.chars().find(|it| matches!(it, '.' | '/')) != Some('/');
    let name = if dots { sysctl.to_owned() } else { sysctl.replace('/', ".") };
    if name.starts_with("net.") {
        spec.get("hostNetwork").is_true().then_some("hostNetwork")
    } else if OF_MESSAGES.contains(&&*name) || name.starts_with("fs.mqueue.") {
        spec.get("hostIPC").is_true().then_some("hostIPC")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use crate::check::api::fixture::{assert_containers, assert_pods};

    #[test]
    fn contexts_do_not_contradict_themselves() {
        assert_containers(&[
            ("securityContext: {runAsUser: 0, privileged: true}", &[]),
            ("securityContext: {runAsUser: -1}", &["securityContext.runAsUser"]),
            (
                "securityContext: {privileged: true, allowPrivilegeEscalation: false}",
                &["securityContext"],
            ),
            ("securityContext: {procMount: Unmasked}", &["securityContext.procMount"]),
            (
                "securityContext: {seccompProfile: {type: Localhost}}",
                &["securityContext.seccompProfile.localhostProfile"],
            ),
            (
                "securityContext: {appArmorProfile: {type: RuntimeDefault, localhostProfile: a}}",
                &["securityContext.appArmorProfile.localhostProfile"],
            ),
        ]);
        assert_pods(&[("shareProcessNamespace: true, hostPID: true", &["shareProcessNamespace"])]);
    }

    #[test]
    fn settings_of_the_kernel() {
        let with = |name: &str| {
            format!(
                "hostNetwork: true, securityContext: {{sysctls: [{{name: {name}, value: '1'}}]}}"
            )
        };
        let refused: &[&str] = &["securityContext.sysctls[0].name"];
        assert_pods(&[
            (&with("kernel.shm_rmid_forced"), &[]),
            (&with("net.ipv4.tcp_syncookies"), refused),
            (&with("net/ipv4.tcp_syncookies"), refused),
            (&with("a..b"), refused),
        ]);
    }
}
