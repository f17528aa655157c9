//! The SARIF report against the schema of the standard and as a whole.

use super::*;
use crate::report::Format;
use crate::report::fixture::{PLAIN, Repo, full, rule};

// The schema of the standard, which the crate of the structs brings along.
#[expect(clippy::disallowed_methods, reason = "cargo knows where the sources of a crate are")]
fn official_schema() -> Value {
    let metadata = std::process::Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--offline", "--filter-platform=host-tuple"])
        .arg("--manifest-path")
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let found = packages.iter().find(|package| package["name"] == "serde-sarif").unwrap();
    let manifest = std::path::Path::new(found["manifest_path"].as_str().unwrap());
    let text = std::fs::read_to_string(manifest.with_file_name("src/schema.json")).unwrap();
    // ECMA 262 reads a lone `]` as itself; the validator's regular expressions do not.
    serde_json::from_str(&text.replace("]?$", "\\\\]?$")).unwrap()
}

#[test]
fn reports_follow_the_official_schema() {
    let validator = jsonschema::validator_for(&official_schema()).unwrap();
    for repo in [full(), Repo::default()] {
        let json = serde_json::from_str(&repo.write(Format::Sarif, PLAIN)).unwrap();
        let errors: Vec<String> = validator
            .iter_errors(&json)
            .map(|err| format!("{}: {err}", err.instance_path()))
            .collect();
        assert_eq!(errors, [""; 0]);
    }
    assert!(!validator.is_valid(&json!({"version": "2.1.0", "runs": [{}]})));
}

#[test]
fn every_part_has_its_place() {
    insta::assert_snapshot!(full().write(Format::Sarif, PLAIN), @r#"
    {
      "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
      "runs": [
        {
          "columnKind": "unicodeCodePoints",
          "invocations": [
            {
              "executionSuccessful": false,
              "exitCode": 1,
              "toolExecutionNotifications": [
                {
                  "associatedRule": {
                    "id": "rbac/wildcard-verb",
                    "index": 0
                  },
                  "level": "error",
                  "locations": [
                    {
                      "physicalLocation": {
                        "artifactLocation": {
                          "uri": "clusters/prod/binding.yaml",
                          "uriBaseId": "%SRCROOT%"
                        },
                        "region": {
                          "endColumn": 9,
                          "endLine": 8,
                          "startColumn": 1,
                          "startLine": 8
                        }
                      }
                    }
                  ],
                  "message": {
                    "text": "evaluation took longer than 1 s"
                  }
                },
                {
                  "level": "error",
                  "message": {
                    "text": "the policy bundle `extra` cannot be read"
                  }
                },
                {
                  "level": "error",
                  "locations": [
                    {
                      "physicalLocation": {
                        "artifactLocation": {
                          "uri": "overlays/dev",
                          "uriBaseId": "%SRCROOT%"
                        }
                      }
                    }
                  ],
                  "message": {
                    "text": "the base `../missing` does not exist"
                  }
                }
              ]
            }
          ],
          "originalUriBaseIds": {
            "%SRCROOT%": {
              "description": {
                "text": "The root of the repository."
              }
            }
          },
          "properties": {
            "tidewaiter/summary": {
              "documents": 3,
              "files": 2,
              "notJudged": 8,
              "objects": 14,
              "roots": 2,
              "rules": 38
            }
          },
          "results": [
            {
              "kind": "fail",
              "level": "error",
              "locations": [
                {
                  "logicalLocations": [
                    {
                      "fullyQualifiedName": "rbac.authorization.k8s.io/v1/Role/shop/web",
                      "kind": "resource",
                      "name": "web"
                    }
                  ],
                  "message": {
                    "text": "every verb, those of later versions included"
                  },
                  "physicalLocation": {
                    "artifactLocation": {
                      "uri": "apps/web/role.yaml",
                      "uriBaseId": "%SRCROOT%"
                    },
                    "region": {
                      "endColumn": 16,
                      "endLine": 8,
                      "startColumn": 13,
                      "startLine": 8
                    }
                  }
                }
              ],
              "message": {
                "text": "Role `web` grants every verb on `pods`"
              },
              "partialFingerprints": {
                "tidewaiter/v1": "1acf44171ece946a4e4e25b12d1b09d9"
              },
              "properties": {
                "environments": [
                  "prod",
                  "stage"
                ],
                "field": "rules[0].verbs[0]",
                "help": "list the verbs that the workload needs",
                "severity": "high"
              },
              "relatedLocations": [
                {
                  "id": 1,
                  "message": {
                    "text": "bound to every pod of the namespace"
                  },
                  "physicalLocation": {
                    "artifactLocation": {
                      "uri": "clusters/prod/binding.yaml",
                      "uriBaseId": "%SRCROOT%"
                    },
                    "region": {
                      "endColumn": 18,
                      "endLine": 10,
                      "startColumn": 11,
                      "startLine": 10
                    }
                  }
                }
              ],
              "ruleId": "rbac/wildcard-verb",
              "ruleIndex": 0
            },
            {
              "kind": "fail",
              "level": "warning",
              "locations": [
                {
                  "physicalLocation": {
                    "artifactLocation": {
                      "uri": "clusters/prod/binding.yaml",
                      "uriBaseId": "%SRCROOT%"
                    },
                    "region": {
                      "endColumn": 8,
                      "endLine": 5,
                      "startColumn": 1,
                      "startLine": 5
                    }
                  }
                }
              ],
              "message": {
                "text": "unknown field `roleref` in RoleBinding"
              },
              "partialFingerprints": {
                "tidewaiter/v1": "26417279a5a68db8397ef7f1fd3c3c1b"
              },
              "properties": {
                "field": "roleref",
                "severity": "high"
              },
              "ruleId": "schema/unknown-field",
              "ruleIndex": 1
            }
          ],
          "tool": {
            "driver": {
              "name": "Tidewaiter",
              "rules": [
                {
                  "defaultConfiguration": {
                    "level": "error"
                  },
                  "fullDescription": {
                    "text": "The first sentence says why. The second says more.\n\nA paragraph."
                  },
                  "help": {
                    "markdown": "The first sentence says why. The second says more.\n\nA paragraph.\n\n**How to fix:** the help of the rule\n\n- [Good practice](https://example.com/practice)",
                    "text": "The first sentence says why. The second says more.\n\nA paragraph.\n\nHow to fix: the help of the rule\n\nGood practice: https://example.com/practice"
                  },
                  "id": "rbac/wildcard-verb",
                  "name": "RbacWildcardVerb",
                  "properties": {
                    "tags": [
                      "security",
                      "kubernetes",
                      "rbac"
                    ],
                    "precision": "high",
                    "problem.severity": "error",
                    "security-severity": "8.0"
                  },
                  "shortDescription": {
                    "text": "Title of the rule"
                  }
                },
                {
                  "defaultConfiguration": {
                    "level": "error"
                  },
                  "fullDescription": {
                    "text": "The first sentence says why. The second says more.\n\nA paragraph."
                  },
                  "help": {
                    "markdown": "The first sentence says why. The second says more.\n\nA paragraph.\n\n**How to fix:** the help of the rule\n\n- [Good practice](https://example.com/practice)",
                    "text": "The first sentence says why. The second says more.\n\nA paragraph.\n\nHow to fix: the help of the rule\n\nGood practice: https://example.com/practice"
                  },
                  "id": "schema/unknown-field",
                  "name": "SchemaUnknownField",
                  "properties": {
                    "tags": [
                      "security",
                      "kubernetes",
                      "schema"
                    ],
                    "precision": "high",
                    "problem.severity": "error",
                    "security-severity": "8.0"
                  },
                  "shortDescription": {
                    "text": "Title of the rule"
                  }
                }
              ],
              "semanticVersion": "0.1.0",
              "version": "0.1.0"
            }
          }
        }
      ],
      "version": "2.1.0"
    }
    "#);
}

#[test]
fn paths_become_relative_references() {
    assert_eq!(address::reference(&RepoPath::new("a b/ä#1?.yaml")), "a%20b/%C3%A4%231%3F.yaml");
    assert_eq!(address::reference(&RepoPath::new("javascript:x")), "javascript%3Ax");
    assert_eq!(address::reference(&RepoPath::root()), "./");
}

#[test]
fn what_lies_outside_has_an_address_of_its_own() {
    let outside = RepoPath::outside(std::path::Path::new("/etc/my gate/tidewaiter.yaml"));
    let location = artifact(&outside);
    assert_eq!(location.uri.as_deref(), Some("file:///etc/my%20gate/tidewaiter.yaml"));
    assert_eq!(location.uri_base_id, None);
}

#[test]
fn what_is_waived_is_left_out() {
    let mut repo = Repo::default();
    repo.file("role.yaml", "verbs: ['*']\n");
    let span = repo.span("role.yaml", "'*'");
    let meta = rule("rbac/wildcard-verb");
    repo.rule(&meta);
    repo.waive(Finding::new(&meta, span, "every verb"), span);
    let report: Value = serde_json::from_str(&repo.write(Format::Sarif, PLAIN)).unwrap();
    assert_eq!(report["runs"][0]["results"], serde_json::json!([]));
}

#[test]
fn messages_hold_no_placeholder_and_no_link() {
    assert_eq!(escape("{0} and {{ .X }}"), "{{0}} and {{{{ .X }}}}");
    assert_eq!(escape("`a[0](x)` [b]"), "`a[0] (x)` [b]");
    assert_eq!(escape("[x](https://example.com)"), "[x] (https://example.com)");
}
