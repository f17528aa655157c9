//! The variables that Argo CD fills in: what is known of the build environment.

use std::collections::BTreeMap;

use crate::document::{Document, Node};

/// What is known of the build environment of an `Application` (`newEnv`).
///
/// The revision is not known before a cluster asks for one, so variables for it keep their text.
pub(super) struct Variables(BTreeMap<&'static str, String>);

impl Variables {
    pub(super) fn of(document: &Document, source: &Node) -> Self {
        let at = |path: &[&str]| document.root.at(path).and_then(Node::as_str);
        let own = |key| source.get(key).and_then(Node::as_str);
        let all = [
            ("ARGOCD_APP_NAME", at(&["metadata", "name"])),
            ("ARGOCD_APP_NAMESPACE", at(&["spec", "destination", "namespace"])),
            ("ARGOCD_APP_PROJECT_NAME", at(&["spec", "project"])),
            ("ARGOCD_APP_SOURCE_REPO_URL", own("repoURL")),
            ("ARGOCD_APP_SOURCE_PATH", own("path")),
            ("ARGOCD_APP_SOURCE_TARGET_REVISION", own("targetRevision")),
        ];
        Self(all.into_iter().filter_map(|(name, text)| Some((name, text?.to_owned()))).collect())
    }

    /// Replaces `$NAME` and `${NAME}`; `$$` stands for `$`.
    pub(super) fn fill(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('$') {
            out.push_str(before);
            if let Some(after) = after.strip_prefix('$') {
                out.push('$');
                rest = after;
                continue;
            }
            let braced = after.strip_prefix('{').and_then(|inside| inside.split_once('}'));
            let (name, after) = braced.unwrap_or_else(|| {
                let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
                let end = after.find(|c| !is_part(c)).unwrap_or(after.len());
                after.split_at_checked(end).unwrap_or((after, ""))
            });
            match self.0.get(name) {
                Some(value) => out.push_str(value),
                None if braced.is_some() => out.extend(["${", name, "}"]),
                None => out.extend(["$", name]),
            }
            rest = after;
        }
        out.push_str(rest);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_variables_are_filled_in_and_others_stay() {
        let variables = Variables(BTreeMap::from([("ARGOCD_APP_NAME", "web".to_owned())]));
        let filled =
            variables.fill("$ARGOCD_APP_NAME-${ARGOCD_APP_NAME}/$ARGOCD_APP_REVISION $$x $");
        assert_eq!(filled, "web-web/$ARGOCD_APP_REVISION $x $");
        assert_eq!(variables.fill("${UNKNOWN} ${open"), "${UNKNOWN} ${open");
    }
}
