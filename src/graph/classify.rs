//! What a file is, from its place and from who refers to it.

use std::collections::BTreeSet;

use super::kustomization::ReferenceUse;
use super::role::Role;
use crate::load::Repository;
use crate::source::RepoPath;

/// Folders whose content is data of tests: often bad on purpose, and applied by nobody.
const TEST_FOLDERS: [&str; 4] = [".chainsaw-test", ".kyverno-test", ".kuttl-test", "testdata"];

/// Says whether a path lies in a folder of test data.
pub(super) fn is_test_data(path: &RepoPath) -> bool {
    let mut segments = path.segments();
    segments.next_back();
    segments.any(|segment| TEST_FOLDERS.contains(&segment))
}

/// The folders of the Helm charts of a repository.
#[derive(Debug, Default)]
pub(super) struct Charts {
    folders: BTreeSet<RepoPath>,
}

impl Charts {
    pub(super) fn of(repository: &Repository) -> Self {
        let folders = repository
            .files()
            .filter(|(path, _)| path.name() == "Chart.yaml")
            .map(|(path, _)| path.parent())
            .collect();
        Self { folders }
    }

    /// Returns the charts that are no part of another chart, with the path of their description.
    pub(super) fn top(&self) -> impl Iterator<Item = &RepoPath> {
        self.folders.iter().filter(|chart| {
            !chart.is_root() && self.around(&chart.parent()).next().is_none() || chart.is_root()
        })
    }

    /// Returns the role that a file has in the charts around it.
    pub(super) fn role(&self, path: &RepoPath) -> Option<Role> {
        for chart in self.around(&path.parent()) {
            let depth = chart.segments().count();
            let inside: Vec<&str> = path.segments().skip(depth).collect();
            match inside.as_slice() {
                ["templates", _, ..] => return Some(Role::ChartTemplate),
                ["Chart.yaml" | "Chart.lock" | "requirements.yaml" | "requirements.lock"] => {
                    return Some(Role::Chart);
                }
                ["values.schema.json"] => return Some(Role::Values),
                [name] | ["ci", name] if is_values(name) => return Some(Role::Values),
                _ => {}
            }
        }
        None
    }

    /// Returns the charts that hold a folder, the nearest first.
    fn around<'a>(&'a self, folder: &RepoPath) -> impl Iterator<Item = &'a RepoPath> + use<'a> {
        let mut up = Some(folder.clone());
        std::iter::from_fn(move || {
            let here = up.take()?;
            if !here.is_root() {
                up = Some(here.parent());
            }
            Some(here)
        })
        .filter_map(|folder| self.folders.get(&folder))
    }
}

fn is_values(name: &str) -> bool {
    let Some(stem) = name.strip_suffix(".yaml").or_else(|| name.strip_suffix(".yml")) else {
        return false;
    };
    stem == "values"
        || ["values-", "values.", "values_"].iter().any(|start| stem.starts_with(start))
        || ["-values", ".values", "_values"].iter().any(|end| stem.ends_with(end))
}

/// Returns the role that the place of a file alone gives it: no Kubernetes tool reads it there.
pub(super) fn by_place(path: &RepoPath) -> Option<Role> {
    let segments: Vec<&str> = path.segments().collect();
    // The forge itself starts the runs of Tekton's Pipelines as Code; no reconciler applies them.
    if let [".tekton" | ".circleci", ..] | [".github" | ".forgejo" | ".gitea", "workflows", ..] =
        segments.as_slice()
    {
        return Some(Role::Workflow);
    }
    if matches!(
        path.name(),
        ".gitlab-ci.yml" | ".travis.yml" | "azure-pipelines.yml" | "bitbucket-pipelines.yml"
    ) {
        return Some(Role::Workflow);
    }
    let name = path.name();
    let compose = ["docker-compose", "compose", "podman-compose"].iter().any(|start| {
        name.strip_prefix(start).is_some_and(|rest| {
            [".yaml", ".yml"].contains(&rest)
                || (rest.starts_with(['.', '-']) && *start != "compose")
        })
    });
    compose.then_some(Role::Compose)
}

/// Returns the role that the uses of a file give it.
pub(super) fn by_use(uses: &BTreeSet<ReferenceUse>) -> Option<Role> {
    use ReferenceUse as Use;
    let has = |use_| uses.contains(&use_);
    if has(Use::Resource) {
        Some(Role::Object)
    } else if has(Use::Patch) {
        Some(Role::Patch)
    } else if has(Use::GeneratorFile) {
        Some(Role::GeneratorFile)
    } else if has(Use::HelmValues) {
        Some(Role::Values)
    } else if uses.is_empty() {
        None
    } else {
        Some(Role::KustomizeConfig)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compose_files_have_well_known_names() {
        for name in ["compose.yaml", "docker-compose.yml", "docker-compose.prod.yml"] {
            assert_eq!(by_place(&RepoPath::new(name)), Some(Role::Compose), "{name}");
        }
        for name in ["compose-bridge.yaml", "composer.yaml", "docker-composer.yaml"] {
            assert_eq!(by_place(&RepoPath::new(name)), None, "{name}");
        }
    }

    #[test]
    fn values_are_named_after_what_they_are() {
        for name in ["values.yaml", "values-prod.yaml", "dev.values.yml", "ha-values.yaml"] {
            assert!(is_values(name), "{name}");
        }
        assert!(!is_values("valuesfrom.yaml"));
    }

    #[test]
    fn test_data_is_told_by_its_folder_only() {
        assert!(is_test_data(&RepoPath::new("a/.chainsaw-test/bad.yaml")));
        assert!(!is_test_data(&RepoPath::new("a/testdata")));
        assert!(!is_test_data(&RepoPath::new("tests/bad.yaml")));
    }
}
