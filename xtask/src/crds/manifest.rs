//! `CustomResourceDefinition` manifests, of `apiextensions.k8s.io/v1` and `v1beta1`.

use serde::Deserialize as _;
use serde_json::{Map, Value, json};

use super::schema;
use super::{Error, Fidelity, Kind};

/// Reads the definitions of one file; what else the file holds is passed over.
pub fn read(text: &str, source: usize) -> Result<Vec<Kind>, Error> {
    let mut kinds = Vec::new();
    for document in yaml_serde::Deserializer::from_str(text) {
        let document = Value::deserialize(document)?;
        if document["kind"] == "CustomResourceDefinition" {
            definition(&document, source, &mut kinds)?;
        }
    }
    Ok(kinds)
}

fn definition(crd: &Value, source: usize, kinds: &mut Vec<Kind>) -> Result<(), Error> {
    let spec = &crd["spec"];
    // What has no group is a patch of another file, or a fragment that a generator left.
    let Some(group) = spec["group"].as_str().filter(|it| !it.is_empty()) else { return Ok(()) };
    let text = |value: &Value, what: &str| {
        value.as_str().map(str::to_owned).ok_or_else(|| format!("{group}: {what} is missing"))
    };
    let name = text(&spec["names"]["kind"], "names.kind")?;
    let plural = text(&spec["names"]["plural"], "names.plural")?;
    let namespaced = spec["scope"].as_str().is_none_or(|it| it == "Namespaced");
    let beta = crd["apiVersion"] == "apiextensions.k8s.io/v1beta1";
    // The older API keeps unknown fields unless it is told not to; the newer never does.
    let open = beta && spec["preserveUnknownFields"] != json!(false);
    let listed = spec["versions"].as_array().cloned().unwrap_or_default();
    let versions =
        if listed.is_empty() && beta { vec![json!({ "name": spec["version"] })] } else { listed };
    for version in versions {
        let own = |key: &str, shared: &Value| match &version[key] {
            Value::Null => shared.clone(),
            own => own.clone(),
        };
        let validation = own("schema", &spec["validation"]);
        let subresources = own("subresources", &spec["subresources"]);
        let mut schema = match &validation["openAPIV3Schema"] {
            Value::Object(schema) => schema.clone(),
            _ => Map::from_iter([("type".to_owned(), json!("object"))]),
        };
        if open || validation["openAPIV3Schema"].is_null() {
            schema.insert("x-kubernetes-preserve-unknown-fields".to_owned(), json!(true));
        }
        kinds.push(Kind {
            group: group.to_owned(),
            version: text(&version["name"], "the name of a version")?,
            kind: name.clone(),
            plural: plural.clone(),
            namespaced,
            status: !subresources["status"].is_null(),
            fidelity: Fidelity::Full,
            source,
            schema: schema::reduced(&Value::Object(schema)),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_version_of_a_definition_is_a_kind() {
        let text = "\
apiVersion: v1
kind: ConfigMap
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
spec:
  group: example.com
  scope: Cluster
  names: {kind: Gate, plural: gates}
  versions:
  - name: v1
    subresources: {status: {}}
    schema: {openAPIV3Schema: {type: object, description: long, properties: {spec: {type: object}}}}
  - name: v1beta1
    schema: {openAPIV3Schema: {type: object}}
";
        let kinds = read(text, 3).unwrap();
        let gate = |version: &str, status: bool, schema: Value| Kind {
            group: "example.com".into(),
            version: version.into(),
            kind: "Gate".into(),
            plural: "gates".into(),
            namespaced: false,
            status,
            fidelity: Fidelity::Full,
            source: 3,
            schema,
        };
        let first = json!({"type": "object", "properties": {"spec": {"type": "object"}}});
        assert_eq!(
            kinds,
            [gate("v1", true, first), gate("v1beta1", false, json!({"type": "object"}))]
        );
    }

    #[test]
    fn the_older_api_keeps_unknown_fields() {
        let text = "\
apiVersion: apiextensions.k8s.io/v1beta1
kind: CustomResourceDefinition
spec:
  group: example.com
  version: v1
  names: {kind: Gate, plural: gates}
  validation: {openAPIV3Schema: {type: object}}
";
        let kinds = read(text, 0).unwrap();
        let open = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
        assert_eq!(
            kinds.iter().map(|it| (&*it.version, &it.schema)).collect::<Vec<_>>(),
            [("v1", &open)]
        );
    }
}
