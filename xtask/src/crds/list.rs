//! The list of embedded custom resources, for people.

use std::fmt::Write as _;

use super::Fidelity;
use super::store::Store;

/// Returns the list as Markdown, by group.
pub fn markdown(store: &Store<'_>) -> String {
    let mut text = String::from(
        "# Embedded custom resources\n\n\
         The kinds whose schemas the program carries, by group.\n\
         Written by `cargo run --manifest-path xtask/Cargo.toml -- crds`; not edited by hand.\n\n\
         *full*: the definition as its project publishes it, rules and defaults included.\n\
         *partial*: the structure, converted from another form; some constraints are missing.\n",
    );
    let mut group = "";
    for kind in store.kinds {
        if kind.group != group {
            group = &kind.group;
            let _ = write!(text, "\n## {group}\n\n");
            text += "| kind | version | scope | schema | source |\n|---|---|---|---|---|\n";
        }
        let scope = if kind.namespaced { "namespace" } else { "cluster" };
        let fidelity = match kind.fidelity {
            Fidelity::Full => "full",
            Fidelity::Partial => "partial",
        };
        let source = store.sources.get(kind.source).map_or("", String::as_str);
        let _ = writeln!(
            text,
            "| {} | {} | {scope} | {fidelity} | {source} |",
            kind.kind, kind.version
        );
    }
    text
}
