//! The embedded custom resources as a source of schemas, each compiled when it is first asked for.

use std::sync::{Arc, PoisonError, RwLock};

use super::embedded::{self, EmbeddedKind, Fidelity};
use super::source::{Answer, Authority, Found, SchemaSource, Wanted};
use super::structural::{Options, Structural};
use crate::check::KindScope;

type Key = (Box<str>, Box<str>, Box<str>);

/// Kinds whose objects a plugin of their API server completes before they are validated: `OpenShift`
/// fills in what a security context constraint lacks, so its definition asks for more than it takes.
const COMPLETED: [(&str, &str); 1] = [("security.openshift.io", "SecurityContextConstraints")];

/// What is known of a kind.
#[derive(Debug, Clone)]
struct Compiled {
    authority: Authority,
    schema: Result<Arc<Structural>, Arc<str>>,
}

/// The embedded custom resources.
#[derive(Debug, Default)]
pub(super) struct EmbeddedCrds {
    /// Sorted, so that nothing is allocated to find one.
    compiled: RwLock<Vec<(Key, Compiled)>>,
}

impl EmbeddedCrds {
    fn compiled(&self, wanted: &Wanted<'_>) -> Option<Compiled> {
        let key = (wanted.group, wanted.version, wanted.kind);
        let by = |((group, version, kind), _): &(Key, Compiled)| {
            (&**group, &**version, &**kind).cmp(&key)
        };
        // A thread that panicked while it held the lock left a list that is whole.
        let known = self.compiled.read().unwrap_or_else(PoisonError::into_inner);
        if let Ok(at) = known.binary_search_by(by) {
            return known.get(at).map(|(_, compiled)| compiled.clone());
        }
        drop(known);
        let compiled = compile(wanted)?;
        let mut known = self.compiled.write().unwrap_or_else(PoisonError::into_inner);
        if let Err(at) = known.binary_search_by(by) {
            let key = (wanted.group.into(), wanted.version.into(), wanted.kind.into());
            known.insert(at, (key, compiled.clone()));
        }
        Some(compiled)
    }
}

fn compile(wanted: &Wanted<'_>) -> Option<Compiled> {
    let found = match embedded::find(wanted.group, wanted.version, wanted.kind) {
        Ok(found) => found?,
        Err(err) => {
            let authority = Authority::Embedded("".into(), Fidelity::Partial);
            return Some(Compiled { authority, schema: Err(err.to_string().into()) });
        }
    };
    let options = Options { status: found.subresources_status, ..Options::default() };
    let schema = Structural::compile(&found.schema, options).map(Arc::new).map_err(|err| {
        let (kind, source) = (found.kind, found.source);
        format!("the embedded definition of `{kind}` of {source} cannot be used: {err}").into()
    });
    let is_completed = COMPLETED.contains(&(found.group, found.kind));
    let fidelity = if is_completed { Fidelity::Partial } else { found.fidelity };
    let authority = Authority::Embedded(found.source.into(), fidelity);
    Some(Compiled { authority, schema })
}

impl SchemaSource for EmbeddedCrds {
    fn lookup(&self, wanted: &Wanted<'_>) -> Option<Answer<'_>> {
        let Compiled { authority, schema } = self.compiled(wanted)?;
        let found = match schema {
            Ok(schema) => Found::Structural(schema),
            Err(reason) => Found::unusable(&*reason),
        };
        Some(Answer { found, authority })
    }

    fn scope(&self, wanted: &Wanted<'_>) -> Option<KindScope> {
        if is_aggregated(wanted) {
            return None;
        }
        embedded::scope(wanted.group, wanted.version, wanted.kind)
    }

    fn known(&self, group: &str, kind: Option<&str>) -> Vec<(String, String)> {
        let pair = |it: EmbeddedKind| (it.version.to_owned(), it.kind.to_owned());
        embedded::kinds(group)
            .filter(|it| kind.is_none_or(|kind| it.kind == kind))
            .map(pair)
            .collect()
    }
}

/// Says whether `OpenShift` serves a kind by API servers of its own, which take names that no custom
/// resource may have: there is no definition of it but a document of `OpenAPI`.
fn is_aggregated(wanted: &Wanted<'_>) -> bool {
    wanted.group.ends_with(".openshift.io")
        && embedded::kinds(wanted.group).any(|it| {
            (it.version, it.kind) == (wanted.version, wanted.kind)
                && it.fidelity == Fidelity::Partial
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::schema::newest;

    fn wanted<'a>(group: &'a str, version: &'a str, kind: &'a str) -> Wanted<'a> {
        Wanted { kubernetes: newest(), environment: None, group, version, kind }
    }

    #[test]
    fn a_kind_is_known_by_group_version_and_name() {
        let crds = EmbeddedCrds::default();
        let issuer = wanted("cert-manager.io", "v1", "Issuer");
        let answer = crds.lookup(&issuer).unwrap();
        assert!(matches!(answer.found, Found::Structural(_)), "{answer:?}");
        assert_eq!(answer.authority.sort(), "embedded");
        assert_eq!(crds.scope(&issuer), Some(KindScope::Namespaced));
        let cluster = wanted("cert-manager.io", "v1", "ClusterIssuer");
        assert_eq!(crds.scope(&cluster), Some(KindScope::Cluster));
        for other in [
            wanted("cert-manager.io", "v9", "Issuer"),
            wanted("cert-manager.io", "v1", "issuer"),
            wanted("example.com", "v1", "Issuer"),
            wanted("", "v1", "ConfigMap"),
        ] {
            assert!(crds.lookup(&other).is_none() && crds.scope(&other).is_none(), "{other:?}");
        }
    }

    #[test]
    fn a_schema_is_compiled_once() {
        let crds = EmbeddedCrds::default();
        let schema = || match crds.lookup(&wanted("cert-manager.io", "v1", "Issuer")) {
            Some(Answer { found: Found::Structural(schema), .. }) => schema,
            other => panic!("{other:?}"),
        };
        let first = schema();
        // Kinds before and after it move it in the list.
        for kind in ["Certificate", "Order"] {
            drop(crds.lookup(&wanted("cert-manager.io", "v1", kind)));
        }
        assert!(Arc::ptr_eq(&first, &schema()));
    }

    #[test]
    fn every_embedded_schema_compiles() {
        let crds = EmbeddedCrds::default();
        let mut wrong = Vec::new();
        for group in embedded::groups() {
            for it in embedded::kinds(group) {
                let answer = crds.lookup(&wanted(group, it.version, it.kind));
                if !matches!(answer, Some(Answer { found: Found::Structural(_), .. })) {
                    wrong.push(format!("{group}/{} {}: {answer:?}", it.version, it.kind));
                }
            }
        }
        assert_eq!(wrong, [""; 0]);
    }

    #[test]
    fn what_is_known_can_be_suggested() {
        let crds = EmbeddedCrds::default();
        let known = crds.known("cert-manager.io", Some("Issuer"));
        assert!(known.contains(&("v1".to_owned(), "Issuer".to_owned())), "{known:?}");
        assert!(known.iter().all(|(_, kind)| kind == "Issuer"), "{known:?}");
        assert!(crds.known("cert-manager.io", None).len() > known.len());
        assert_eq!(crds.known("example.com", None), []);
    }

    #[test]
    fn what_an_api_server_completes_is_not_held_to_its_definition() {
        let constraints = wanted("security.openshift.io", "v1", "SecurityContextConstraints");
        let crds = EmbeddedCrds::default();
        let answer = crds.lookup(&constraints).unwrap();
        assert!(matches!(answer.authority, Authority::Embedded(_, Fidelity::Partial)));
    }
}
