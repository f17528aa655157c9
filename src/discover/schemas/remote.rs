//! Locations on other hosts, none of which is opened here.

use super::template::{InvalidTemplate, Template, Variables};

/// Repositories that publish the schemas that are embedded, under any owner, branch and commit.
const REPOSITORIES: [(&str, &[&str]); 2] = [
    ("kubernetes-json-schema", &["yannh", "instrumenta", "garethr"]),
    ("crds-catalog", &["datreeio"]),
];
/// Hosts that publish the schemas of Kubernetes, with how their paths begin.
const HOSTS: [(&str, &str); 3] = [
    ("kubernetesjsonschema.dev", ""),
    ("json.schemastore.org", "kubernetes"),
    ("datreeio.github.io", "crds-catalog"),
];

/// Schemas on another host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Remote {
    template: Template,
    well_known: bool,
}

impl Remote {
    /// Reads an address, which is a template.
    pub(super) fn new(text: &str) -> Result<Self, InvalidTemplate> {
        Ok(Self { template: Template::new(text)?, well_known: is_well_known(text) })
    }

    /// Says whether what lies there is embedded.
    pub(super) fn is_well_known(&self) -> bool {
        self.well_known
    }

    /// Returns the address of a schema.
    pub(super) fn address(&self, of: Variables<'_>) -> String {
        self.template.expand(of)
    }
}

fn is_well_known(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let Some((host, path)) = rest.and_then(|it| it.split_once('/')) else { return false };
    if HOSTS.iter().any(|(known, start)| host == *known && path.starts_with(start)) {
        return true;
    }
    let path = match host {
        "raw.githubusercontent.com" | "github.com" | "www.github.com" => path,
        "cdn.jsdelivr.net" => path.strip_prefix("gh/").unwrap_or_default(),
        _ => return false,
    };
    let mut parts = path.split(['/', '@']);
    let (owner, name) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    REPOSITORIES.iter().any(|(known, owners)| *known == name && owners.contains(&owner))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_published_elsewhere_and_embedded_is_known() {
        for known in [
            "https://raw.githubusercontent.com/yannh/kubernetes-json-schema/master",
            "https://raw.githubusercontent.com/yannh/kubernetes-json-schema/0123abcd/v1.30.0-standalone/x.json",
            "https://raw.githubusercontent.com/instrumenta/kubernetes-json-schema/master/",
            "https://github.com/datreeio/CRDs-catalog/raw/main/{{ .Group }}/x.json",
            "https://raw.githubusercontent.com/datreeio/CRDs-catalog/v0.1/{{.Group}}/x.json",
            "https://cdn.jsdelivr.net/gh/yannh/kubernetes-json-schema@master/x.json",
            "https://kubernetesjsonschema.dev/x.json",
            "https://json.schemastore.org/kubernetes.json",
        ] {
            assert!(is_well_known(known), "{known}");
        }
    }

    #[test]
    fn others_are_not() {
        for other in [
            "https://example.com/yannh/kubernetes-json-schema/master/x.json",
            "https://raw.githubusercontent.com/somebody/kubernetes-json-schema/master/x.json",
            "https://raw.githubusercontent.com/datreeio/other/main/x.json",
            "https://raw.githubusercontent.com.example.com/yannh/kubernetes-json-schema/x.json",
            "https://json.schemastore.org/package.json",
            "https://kubernetesjsonschema.dev.example.com/x.json",
            "https://",
        ] {
            assert!(!is_well_known(other), "{other}");
        }
    }
}
