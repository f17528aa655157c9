//! The JSON report against its schema and as a whole.

use super::*;
use crate::finding::Finding;
use crate::report::Format;
use crate::report::fixture::{PLAIN, Repo, full, rule};

#[test]
fn the_published_schema_is_that_of_the_structs() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/output/report-v1.json");
    let fresh = format!("{}\n", serde_json::to_string_pretty(&schema()).unwrap());
    #[expect(clippy::disallowed_methods, reason = "UPDATE=1 rewrites generated files")]
    if std::env::var("UPDATE").is_ok() {
        std::fs::write(path, &fresh).unwrap();
    }
    let published = std::fs::read_to_string(path).unwrap();
    assert!(published == fresh, "{path} is stale: run this test with UPDATE=1");
}

#[test]
fn reports_follow_the_schema() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let mut waived = full();
    let span = waived.span("apps/web/role.yaml", "pods");
    waived.waive(Finding::new(&rule("rbac/wildcard-verb"), span, "known"), span);
    for repo in [full(), waived, Repo::default()] {
        let json = serde_json::from_str(&repo.write(Format::Json, PLAIN)).unwrap();
        let errors: Vec<String> = validator.iter_errors(&json).map(|err| err.to_string()).collect();
        assert_eq!(errors, [""; 0]);
    }
    assert!(!validator.is_valid(&serde_json::json!({"version": "v1"})));
}

#[test]
fn every_field_has_its_place() {
    insta::assert_snapshot!(full().write(Format::Json, PLAIN), @r#"
    {
      "version": "v1",
      "tool": {
        "name": "tidewaiter",
        "version": "0.1.0"
      },
      "exitCode": 1,
      "summary": {
        "files": 2,
        "documents": 3,
        "objects": 14,
        "roots": 2,
        "rules": 38,
        "denied": 1,
        "warned": 1,
        "waived": 0,
        "judgedFiles": [],
        "notJudged": [
          {
            "path": "charts/web/templates/1.yaml",
            "line": null,
            "reason": "the template of a chart is no manifest before it is rendered",
            "failure": false
          },
          {
            "path": "charts/web/templates/2.yaml",
            "line": null,
            "reason": "the template of a chart is no manifest before it is rendered",
            "failure": false
          },
          {
            "path": "charts/web/templates/3.yaml",
            "line": null,
            "reason": "the template of a chart is no manifest before it is rendered",
            "failure": false
          },
          {
            "path": "charts/web/templates/4.yaml",
            "line": null,
            "reason": "the template of a chart is no manifest before it is rendered",
            "failure": false
          },
          {
            "path": "charts/web/templates/5.yaml",
            "line": null,
            "reason": "the template of a chart is no manifest before it is rendered",
            "failure": false
          },
          {
            "path": "charts/web/templates/6.yaml",
            "line": null,
            "reason": "the template of a chart is no manifest before it is rendered",
            "failure": false
          },
          {
            "path": "charts/web/templates/7.yaml",
            "line": null,
            "reason": "the template of a chart is no manifest before it is rendered",
            "failure": false
          },
          {
            "path": "overlays/dev",
            "line": null,
            "reason": "the base `../missing` does not exist",
            "failure": true
          }
        ],
        "otherDocuments": [
          {
            "path": "clusters/prod/binding.yaml",
            "line": 2,
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "role": "patch"
          }
        ],
        "environments": [
          {
            "name": "prod",
            "tier": "production",
            "kubernetes": "1.37",
            "kubernetesGiven": true,
            "objects": 7
          },
          {
            "name": "stage",
            "tier": "non-production",
            "kubernetes": "1.37",
            "kubernetesGiven": false,
            "objects": 7
          }
        ],
        "kinds": [
          {
            "apiVersion": "cert-manager.io/v1",
            "kind": "Certificate",
            "source": "embedded",
            "name": "github.com/cert-manager/cert-manager v1.21.2",
            "objects": 2
          }
        ],
        "defaultKubernetes": "1.37"
      },
      "findings": [
        {
          "rule": "rbac/wildcard-verb",
          "severity": "high",
          "enforcement": "deny",
          "message": "Role `web` grants every verb on `pods`",
          "help": "list the verbs that the workload needs",
          "object": {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "Role",
            "namespace": "shop",
            "name": "web"
          },
          "environments": [
            "prod",
            "stage"
          ],
          "path": [
            "rules",
            0,
            "verbs",
            0
          ],
          "location": {
            "path": "apps/web/role.yaml",
            "line": 8,
            "column": 13,
            "endLine": 8,
            "endColumn": 16
          },
          "note": "every verb, those of later versions included",
          "related": [
            {
              "location": {
                "path": "clusters/prod/binding.yaml",
                "line": 10,
                "column": 11,
                "endLine": 10,
                "endColumn": 18
              },
              "message": "bound to every pod of the namespace"
            }
          ],
          "fingerprint": "1acf44171ece946a4e4e25b12d1b09d9"
        },
        {
          "rule": "schema/unknown-field",
          "severity": "high",
          "enforcement": "warn",
          "message": "unknown field `roleref` in RoleBinding",
          "help": "the help of the rule",
          "object": null,
          "environments": [],
          "path": [
            "roleref"
          ],
          "location": {
            "path": "clusters/prod/binding.yaml",
            "line": 5,
            "column": 1,
            "endLine": 5,
            "endColumn": 8
          },
          "note": null,
          "related": [],
          "fingerprint": "26417279a5a68db8397ef7f1fd3c3c1b"
        }
      ],
      "waived": [],
      "failures": [
        {
          "rule": "rbac/wildcard-verb",
          "reason": "evaluation took longer than 1 s",
          "location": {
            "path": "clusters/prod/binding.yaml",
            "line": 8,
            "column": 1,
            "endLine": 8,
            "endColumn": 9
          }
        },
        {
          "rule": null,
          "reason": "the policy bundle `extra` cannot be read",
          "location": null
        }
      ]
    }
    "#);
}

#[test]
fn what_is_waived_stands_beside_the_findings() {
    let mut repo = Repo::default();
    repo.file("role.yaml", "verbs: ['*']\n");
    repo.file("tidewaiter.yaml", "waivers:\n- rules: [rbac]\n");
    let (span, at) = (repo.span("role.yaml", "'*'"), repo.span("tidewaiter.yaml", "rules"));
    repo.waive(Finding::new(&rule("rbac/wildcard-verb"), span, "every verb"), at);
    let report: serde_json::Value = serde_json::from_str(&repo.write(Format::Json, PLAIN)).unwrap();
    assert_eq!((&report["exitCode"], &report["summary"]["waived"]), (&0.into(), &1.into()));
    assert_eq!(report["findings"], serde_json::json!([]));
    let waived = &report["waived"][0];
    assert_eq!(waived["finding"]["rule"], "rbac/wildcard-verb");
    assert_eq!(waived["finding"]["enforcement"], "deny");
    assert_eq!(waived["finding"]["location"]["path"], "role.yaml");
    assert_eq!(
        waived["waiver"],
        serde_json::json!({
            "reason": "known and followed up",
            "owner": "team-shop",
            "ticket": null,
            "expires": "2026-12-31",
            "location": {
                "path": "tidewaiter.yaml",
                "line": 2,
                "column": 3,
                "endLine": 2,
                "endColumn": 8,
            },
        })
    );
}

#[test]
fn every_field_is_documented() {
    let page = include_str!("../../../docs/report.md");
    let schema = schema();
    let definitions = schema["$defs"].as_object().unwrap().values();
    let mut fields = 0;
    for definition in definitions.chain([&schema]) {
        for field in definition["properties"].as_object().into_iter().flat_map(|it| it.keys()) {
            assert!(page.contains(&format!("`{field}`")), "docs/report.md lacks `{field}`");
            fields += 1;
        }
    }
    assert!(fields > 40, "{fields}");
}
