//! `CronJobs`.

use super::cx::Cx;
use super::field::Field;
use super::rule::Rule;
use super::shared::UNSUPPORTED;
use super::{Kind, job, pod, rollout, schedule};

pub(super) const KINDS: &[Kind] =
    &[Kind { group: "batch", name: "CronJob", validate, update: None }];

pub(super) const RULES: &[&Rule] = &[&SCHEDULE, &ZONE_IN_SCHEDULE, &TIME_ZONE, &OLD_ZONE];

const SCHEDULE: Rule = Rule::new(
    "api/invalid-schedule",
    "Schedule that names no time",
    "A schedule has five fields: minute, hour, day of the month, month, day of the week; or it is \
     `@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly` or `@every` and a time.",
    "write five fields, such as `0 3 * * *`",
    &["validateScheduleFormat", "ParseStandard"],
);

const ZONE_IN_SCHEDULE: Rule = Rule::new(
    "api/time-zone-in-schedule",
    "Time zone stands in the schedule",
    "The time zone has a field of its own; in the schedule it is taken only where an older CronJob \
     has it already.",
    "move the zone into `timeZone`",
    &["validateScheduleFormat"],
);

const TIME_ZONE: Rule = Rule::new(
    "api/unknown-time-zone",
    "Time zone that does not exist",
    "The zone is one of the IANA time zone database, such as `Europe/Paris`.",
    "use a name of the database",
    &["validateTimeZone"],
);

const OLD_ZONE: Rule = Rule::new(
    "api/deprecated-time-zone",
    "Time zone stands in the schedule still",
    "A CronJob that has it already may keep it there for now.",
    "move the zone into `timeZone`",
    &["WarningsOnUpdate"],
)
.warning();

const POLICIES: &[&str] = &["Allow", "Forbid", "Replace"];

/// The minor in which `CronJobs` may have a time zone, by default.
const TIME_ZONES: u32 = 25;
/// The minor in which schedules of new `CronJobs` have no zone.
const NO_ZONE: u32 = 29;

/// Looks at a `CronJob` (`ValidateCronJobCreate`, `ValidateCronJobUpdate`).
fn validate<'a>(cx: &mut Cx<'a>, object: Field<'a>) {
    let spec = object.get("spec");
    let old = cx.old.map(|it| it.get("spec"));
    check_schedule(cx, spec, old);
    let zone = spec.get("timeZone");
    let kept = old.is_some_and(|it| it.get("timeZone").str() == zone.str());
    if cx.minor >= TIME_ZONES && !kept {
        check_zone(cx, zone);
    }
    rollout::check_counts(
        cx,
        spec,
        &["startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit"],
    );
    let policy = spec.get("concurrencyPolicy");
    if policy.str().is_some_and(|it| !it.is_empty() && !POLICIES.contains(&it)) {
        cx.not_supported(&UNSUPPORTED, policy, POLICIES);
    }
    let template = spec.get("jobTemplate");
    job::check_job_template(cx, template, old.map(|it| it.get("jobTemplate")));
    pod::warn_of_name(cx, object);
    job::warn(cx, template.get("spec"));
}

/// Looks at the schedule (`validateScheduleFormat`).
fn check_schedule<'a>(cx: &mut Cx<'a>, spec: Field<'a>, old: Option<Field<'a>>) {
    let field = spec.get("schedule");
    let Some(text) = field.str().filter(|it| !it.is_empty()) else {
        if field.is_empty() {
            cx.required(&SCHEDULE, field, "");
        }
        return;
    };
    if let Err(wrong) = schedule::check(text) {
        cx.invalid(&SCHEDULE, field, &wrong.to_string());
    }
    if !text.contains("TZ") {
        return;
    }
    let had = old.is_some_and(|it| it.get("schedule").text().contains("TZ"));
    if had || cx.minor < NO_ZONE {
        if spec.get("timeZone").exists() && cx.minor >= TIME_ZONES {
            cx.invalid(&ZONE_IN_SCHEDULE, field, "must not have a zone beside `timeZone`");
        } else {
            cx.invalid(&OLD_ZONE, field, "has a zone, which `timeZone` is for");
        }
    } else {
        cx.invalid(&ZONE_IN_SCHEDULE, field, "must not have a zone, which `timeZone` is for");
    }
}

/// Looks at the time zone (`validateTimeZone`).
fn check_zone<'a>(cx: &mut Cx<'a>, zone: Field<'a>) {
    let Some(name) = zone.str() else { return };
    if name.is_empty() {
        cx.required(&TIME_ZONE, zone, "");
    } else if !schedule::is_zone(name) {
        cx.invalid(&TIME_ZONE, zone, "is no zone of the time zone database");
        if let Some(near) = schedule::nearest_zone(name) {
            cx.help(format!("did you mean `{near}`?"));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::check::api::fixture::{assert_one, assert_refused, assert_update};

    fn cron_job(fields: &str) -> String {
        format!(
            "apiVersion: batch/v1\nkind: CronJob\nmetadata: {{name: a}}\nspec:\n  \
             jobTemplate: {{spec: {{template: {{spec: {{restartPolicy: Never, containers: [{{name: c, image: i}}]}}}}}}}}\n  {fields}\n"
        )
    }

    #[test]
    fn schedules_and_zones() {
        for (fields, refused) in [
            ("schedule: 0 3 * * *", vec![]),
            ("schedule: 0 3 * *", vec!["spec.schedule"]),
            ("schedule: TZ=UTC 0 3 * * *", vec!["spec.schedule"]),
            ("timeZone: UTC", vec!["spec.schedule"]),
            ("schedule: '@daily'\n  timeZone: Mars/Base", vec!["spec.timeZone"]),
            ("schedule: '@daily'\n  concurrencyPolicy: Never", vec!["spec.concurrencyPolicy"]),
            (
                "schedule: '@daily'\n  failedJobsHistoryLimit: -1",
                vec!["spec.failedJobsHistoryLimit"],
            ),
        ] {
            assert_refused(&cron_job(fields), &refused);
        }
        assert_one(
            &cron_job("schedule: 61 * * * *"),
            "api/invalid-schedule",
            "`61 * * * *` in `spec.schedule` must have a minute between 0 and 59",
            "spec.schedule",
            "61 * * * *",
        );
    }

    #[test]
    fn an_old_schedule_keeps_its_zone() {
        let old = cron_job("schedule: TZ=UTC 0 3 * * *");
        // Only a warning.
        assert_update(&old, &old.replace("0 3", "0 4"), &["spec.schedule"]);
        assert_update(
            &old,
            &cron_job("schedule: TZ=UTC 0 3 * * *\n  timeZone: UTC"),
            &["spec.schedule"],
        );
    }

    #[test]
    fn the_server_makes_selectors() {
        let object = cron_job("schedule: '@daily'")
            .replace("{spec: {template", "{spec: {manualSelector: true, selector: {}, template");
        assert_refused(
            &object,
            &["spec.jobTemplate.spec.selector", "spec.jobTemplate.spec.manualSelector"],
        );
    }
}
