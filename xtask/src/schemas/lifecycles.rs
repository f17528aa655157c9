//! When the versions of the built-in APIs are deprecated and removed, read from Kubernetes' Go code.
//!
//! The API server asks the same functions (`zz_generated.prerelease-lifecycle.go`) for its warnings
//! and for what it no longer serves.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::Error;

/// What is known of one kind in one version. 0 for a minor: none is set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lifecycle {
    pub introduced: u32,
    pub deprecated: u32,
    pub removed: u32,
    /// Group, version and kind.
    pub replacement: Option<[String; 3]>,
}

/// By group, version and kind.
pub type Lifecycles = BTreeMap<[String; 3], Lifecycle>;

/// Reads a module; what it knows replaces what is known already.
pub fn read(folder: &Path, lifecycles: &mut Lifecycles) -> Result<(), Error> {
    let mut entries: Vec<_> = fs::read_dir(folder)?.collect::<Result<_, _>>()?;
    entries.sort_by_key(fs::DirEntry::path);
    for entry in entries {
        let path = entry.path();
        if path.is_dir() {
            read(&path, lifecycles)?;
        } else if path.file_name().is_some_and(|it| it == "zz_generated.prerelease-lifecycle.go") {
            let register = fs::read_to_string(path.with_file_name("register.go"))?;
            let group = register
                .split_once("const GroupName = \"")
                .and_then(|(_, rest)| rest.split_once('"'))
                .map(|(group, _)| group)
                .ok_or_else(|| format!("{} names no group", path.display()))?;
            let version = folder.file_name().unwrap_or_default().to_string_lossy();
            scan(&fs::read_to_string(&path)?, group, &version, lifecycles)?;
        }
    }
    Ok(())
}

fn scan(text: &str, group: &str, version: &str, lifecycles: &mut Lifecycles) -> Result<(), Error> {
    let mut found = Lifecycles::new();
    for function in text.split("\nfunc (in *").skip(1) {
        let parts = function
            .split_once(") APILifecycle")
            .and_then(|(kind, rest)| Some((kind, rest.split_once('(')?)))
            .and_then(|(kind, (what, rest))| {
                let body = rest.split_once("\treturn ")?.1;
                Some((kind, what, body.split_once("\n}")?.0))
            });
        let Some((kind, what, value)) = parts else {
            return Err(format!("a lifecycle of {group}/{version} cannot be read").into());
        };
        let entry =
            found.entry([group.to_owned(), version.to_owned(), kind.to_owned()]).or_default();
        let minor = || match value.split_once(", ") {
            Some(("0", "0")) => Ok(0),
            Some(("1", minor)) => minor.parse().map_err(|_| format!("the minor `{value}`")),
            _ => Err(format!("the version `{value}`")),
        };
        match what {
            "Introduced" => entry.introduced = minor()?,
            "Deprecated" => entry.deprecated = minor()?,
            "Removed" => entry.removed = minor()?,
            "Replacement" => {
                let part = |name: &str| {
                    let rest = value.split_once(&format!("{name}: \""))?.1;
                    Some(rest.split_once('"')?.0.to_owned())
                };
                let group = part("Group").unwrap_or_default();
                entry.replacement =
                    part("Version").zip(part("Kind")).map(|(version, kind)| [group, version, kind]);
            }
            other => return Err(format!("unknown lifecycle function {other}").into()),
        }
    }
    lifecycles.extend(found);
    Ok(())
}
