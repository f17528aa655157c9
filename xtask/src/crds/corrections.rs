//! Where a published definition refuses what clusters that serve the kind accept.

use serde_json::{Value, json};

use super::{Error, Kind};

/// Corrects a kind, if it is one that needs it.
pub fn apply(kind: &mut Kind) -> Result<(), Error> {
    let of = (kind.group.as_str(), kind.kind.as_str());
    match of {
        // An admission plugin of OpenShift fills the fields before the schema is looked at.
        ("security.openshift.io", "SecurityContextConstraints") => {
            remove(&mut kind.schema, "required");
        }
        // OpenShift serves routes from an API server of its own, for which an empty host is none.
        ("route.openshift.io", "Route") => {
            let host = at(&mut kind.schema, &["spec", "host"])?;
            let pattern = host["pattern"].as_str().ok_or("a route's host has no pattern")?;
            host["pattern"] = json!(format!("^$|{pattern}"));
        }
        // Flux Operator adds its own kinds to the definitions that it installs.
        ("notification.toolkit.fluxcd.io", "Alert") => {
            flux_operator(at(&mut kind.schema, &["spec", "eventSources", "kind"])?)?;
        }
        ("notification.toolkit.fluxcd.io", "Receiver") => {
            flux_operator(at(&mut kind.schema, &["spec", "resources", "kind"])?)?;
        }
        // The name of a template of steps is deprecated and nothing looks at it; releases before
        // 1.0 had no schema that could ask for it.
        ("tekton.dev", "Task" | "TaskRun" | "Pipeline" | "PipelineRun") => {
            every(&mut kind.schema, "stepTemplate", &|template| {
                remove_required(template, "name");
            });
        }
        _ => {}
    }
    Ok(())
}

fn remove(schema: &mut Value, key: &str) {
    if let Some(schema) = schema.as_object_mut() {
        schema.remove(key);
    }
}

fn remove_required(schema: &mut Value, name: &str) {
    if let Some(required) = schema.get_mut("required").and_then(Value::as_array_mut) {
        required.retain(|it| it != name);
    }
}

/// Returns the schema of a field; lists on the way are entered.
fn at<'a>(schema: &'a mut Value, path: &[&str]) -> Result<&'a mut Value, Error> {
    let mut schema = schema;
    for name in path {
        if schema["type"] == "array" {
            schema = &mut schema["items"];
        }
        schema = schema
            .get_mut("properties")
            .and_then(|it| it.get_mut(name))
            .ok_or_else(|| format!("no field `{name}` is there to be corrected"))?;
    }
    Ok(schema)
}

/// Corrects every field of a name, wherever it stands.
fn every(schema: &mut Value, name: &str, correct: &dyn Fn(&mut Value)) {
    match schema {
        Value::Object(fields) => {
            for (key, value) in fields {
                if key == name {
                    correct(value);
                }
                every(value, name, correct);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|it| every(it, name, correct)),
        _ => {}
    }
}

fn flux_operator(kind: &mut Value) -> Result<(), Error> {
    let values =
        kind.get_mut("enum").and_then(Value::as_array_mut).ok_or("kinds are not listed")?;
    for more in ["FluxInstance", "ResourceSet", "ResourceSetInputProvider"] {
        values.push(json!(more));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crds::Fidelity;

    #[test]
    fn kinds_of_flux_operator_are_added_where_events_come_from() {
        let source = json!({"type": "object", "properties": {"kind": {"enum": ["Bucket"]}}});
        let mut alert = Kind {
            group: "notification.toolkit.fluxcd.io".into(),
            version: "v1beta3".into(),
            kind: "Alert".into(),
            plural: "alerts".into(),
            namespaced: true,
            status: false,
            fidelity: Fidelity::Full,
            source: 0,
            schema: json!({"properties": {"spec": {"properties": {
                "eventSources": {"type": "array", "items": source},
            }}}}),
        };
        apply(&mut alert).unwrap();
        let kinds = at(&mut alert.schema, &["spec", "eventSources", "kind"]).unwrap();
        assert_eq!(
            kinds["enum"],
            json!(["Bucket", "FluxInstance", "ResourceSet", "ResourceSetInputProvider"])
        );
        alert.schema = json!({"properties": {}});
        assert!(apply(&mut alert).is_err());
    }
}
