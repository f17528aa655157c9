//! Kinds that OpenShift's own API servers serve without a `CustomResourceDefinition`.
//!
//! Their structure is in the OpenAPI document of the module. These servers read into Go types, so
//! that a missing field is its zero value, `null` is a missing field and an empty string an unset
//! one; what the document calls required or default is what Go's encoder writes and says nothing
//! of what is accepted.

use serde_json::{Map, Value, json};

use super::schema;
use super::{Error, Fidelity, Kind};

/// Group (without `.openshift.io`), kind, plural, whether in a namespace.
const SERVED: [(&str, &str, &str, bool); 25] = [
    ("apps", "DeploymentConfig", "deploymentconfigs", true),
    ("authorization", "ClusterRole", "clusterroles", false),
    ("authorization", "ClusterRoleBinding", "clusterrolebindings", false),
    ("authorization", "Role", "roles", true),
    ("authorization", "RoleBinding", "rolebindings", true),
    ("build", "Build", "builds", true),
    ("build", "BuildConfig", "buildconfigs", true),
    ("image", "Image", "images", false),
    ("image", "ImageSignature", "imagesignatures", false),
    ("image", "ImageStream", "imagestreams", true),
    ("image", "ImageStreamImport", "imagestreamimports", true),
    ("image", "ImageStreamMapping", "imagestreammappings", true),
    ("image", "ImageStreamTag", "imagestreamtags", true),
    ("image", "ImageTag", "imagetags", true),
    ("oauth", "OAuthAccessToken", "oauthaccesstokens", false),
    ("oauth", "OAuthClient", "oauthclients", false),
    ("oauth", "OAuthClientAuthorization", "oauthclientauthorizations", false),
    ("project", "Project", "projects", false),
    ("project", "ProjectRequest", "projectrequests", false),
    ("template", "Template", "templates", true),
    ("template", "TemplateInstance", "templateinstances", true),
    ("user", "Group", "groups", false),
    ("user", "Identity", "identities", false),
    ("user", "User", "users", false),
    ("user", "UserIdentityMapping", "useridentitymappings", false),
];

/// Reads the served kinds of an OpenAPI v2 document.
pub fn read(text: &str, source: usize) -> Result<Vec<Kind>, Error> {
    let document: Value = serde_json::from_str(text)?;
    let definitions =
        document["definitions"].as_object().ok_or("the document has no definitions")?;
    SERVED
        .iter()
        .map(|(group, kind, plural, namespaced)| {
            let name = format!("com.github.openshift.api.{group}.v1.{kind}");
            let mut root = resolved(&json!({ "$ref": name }), definitions, &mut Vec::new())?;
            if let Some(root) = root.as_object_mut() {
                root.remove("nullable");
                if let Some(fields) = root.get_mut("properties").and_then(Value::as_object_mut) {
                    fields.insert("metadata".to_owned(), json!({ "type": "object" }));
                }
            }
            Ok(Kind {
                group: format!("{group}.openshift.io"),
                version: "v1".to_owned(),
                kind: (*kind).to_owned(),
                plural: (*plural).to_owned(),
                namespaced: *namespaced,
                status: false,
                fidelity: Fidelity::Partial,
                source,
                schema: schema::reduced(&root),
            })
        })
        .collect()
}

/// Returns a schema with what it refers to in place, as a definition of a custom resource has it.
fn resolved<'a>(
    schema: &'a Value,
    definitions: &'a Map<String, Value>,
    above: &mut Vec<&'a str>,
) -> Result<Value, Error> {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference.trim_start_matches("#/definitions/");
        if let Some(known) = well_known(name) {
            return Ok(known);
        }
        if above.contains(&name) {
            return Ok(anything());
        }
        let definition = definitions.get(name).ok_or_else(|| format!("`{name}` is not defined"))?;
        above.push(name);
        let found = resolved(definition, definitions, above);
        above.pop();
        return found;
    }
    let Value::Object(schema) = schema else { return Ok(anything()) };
    let mut out = Map::new();
    for (key, value) in schema {
        let value = match key.as_str() {
            "properties" => {
                let fields = value.as_object().ok_or("`properties` is no mapping")?;
                fields
                    .iter()
                    .map(|(name, it)| Ok((name.clone(), resolved(it, definitions, above)?)))
                    .collect::<Result<Map<_, _>, Error>>()?
                    .into()
            }
            "items" | "additionalProperties" => resolved(value, definitions, above)?,
            "enum" => {
                let mut values = value.as_array().cloned().unwrap_or_default();
                if !values.contains(&json!("")) {
                    values.push(json!(""));
                }
                values.into()
            }
            "type"
            | "format"
            | "x-kubernetes-list-type"
            | "x-kubernetes-list-map-keys"
            | "x-kubernetes-map-type" => value.clone(),
            _ => continue,
        };
        out.insert(key.clone(), value);
    }
    if !out.contains_key("type") {
        return Ok(anything());
    }
    out.insert("nullable".to_owned(), json!(true));
    // Objects of which nothing is known hold anything.
    if out["type"] == "object"
        && !["properties", "additionalProperties"].iter().any(|key| out.contains_key(*key))
    {
        out.insert("x-kubernetes-preserve-unknown-fields".to_owned(), json!(true));
    }
    Ok(Value::Object(out))
}

/// Types whose JSON is not what their schema says.
fn well_known(name: &str) -> Option<Value> {
    let name = name.strip_prefix("io.k8s.apimachinery.pkg.")?;
    match name {
        "util.intstr.IntOrString" => {
            Some(json!({ "x-kubernetes-int-or-string": true, "nullable": true }))
        }
        // A string or any number.
        "api.resource.Quantity" => Some(anything()),
        _ => None,
    }
}

fn anything() -> Value {
    json!({ "x-kubernetes-preserve-unknown-fields": true, "nullable": true })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_put_in_place() {
        let definitions = json!({
            "a.Spec": {
                "type": "object",
                "required": ["port"],
                "properties": {
                    "port": {"$ref": "#/definitions/io.k8s.apimachinery.pkg.util.intstr.IntOrString"},
                    "policy": {"type": "string", "enum": ["A", "B"], "default": ""},
                    "again": {"$ref": "#/definitions/a.Spec"},
                    "raw": {"type": "object"},
                },
            },
        });
        let definitions = definitions.as_object().unwrap();
        let reference = json!({"$ref": "#/definitions/a.Spec"});
        let found = resolved(&reference, definitions, &mut Vec::new()).unwrap();
        assert_eq!(
            found,
            json!({
                "type": "object",
                "nullable": true,
                "properties": {
                    "port": {"x-kubernetes-int-or-string": true, "nullable": true},
                    "policy": {"type": "string", "enum": ["A", "B", ""], "nullable": true},
                    "again": {"x-kubernetes-preserve-unknown-fields": true, "nullable": true},
                    "raw": {
                        "type": "object",
                        "nullable": true,
                        "x-kubernetes-preserve-unknown-fields": true,
                    },
                },
            })
        );
    }
}
