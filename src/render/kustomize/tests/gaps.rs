//! What lies outside of the repository, and what is left of a render without it.

use super::*;
use crate::render::GapKind;

fn gaps(fixture: &Fixture, folder: &str) -> Vec<(GapKind, String, String)> {
    fixture
        .render(folder)
        .gaps
        .into_iter()
        .map(|gap| (gap.kind, fixture.repository.sources().text(gap.span).to_owned(), gap.text))
        .collect()
}

#[test]
fn remote_things_are_named_and_the_rest_is_rendered() {
    let fixture = Fixture::new(&[
        (
            "kustomization.yaml",
            "resources:\n- https://example.com/a.yaml\n- d.yaml\n- \
             github.com/org/repo//base?ref=v1\ncomponents:\n- \
             https://example.com/org/repo\nconfigMapGenerator:\n- {name: m, files: \
             ['k=https://example.com/f'], options: {disableNameSuffixHash: true}}\n",
        ),
        ("d.yaml", DEPLOYMENT),
    ]);
    let url = |kind, text: &str| (kind, text.to_owned(), text.to_owned());
    assert_eq!(
        gaps(&fixture, "."),
        [
            url(GapKind::RemoteBase, "https://example.com/a.yaml"),
            url(GapKind::RemoteBase, "github.com/org/repo//base?ref=v1"),
            (
                GapKind::RemoteFile,
                "'k=https://example.com/f'".to_owned(),
                "https://example.com/f".to_owned()
            ),
            url(GapKind::RemoteBase, "https://example.com/org/repo"),
        ]
    );
    assert_eq!(fixture.json(".").len(), 2);
}

#[test]
fn with_a_gap_a_patch_may_find_nothing() {
    let kustomization = |resource: &str| {
        format!(
            "resources: [d.yaml{resource}]\npatches:\n- patch: |-\n    apiVersion: v1\n    kind: \
             Service\n    metadata: {{name: far}}\nreplicas: [{{name: far, count: \
             2}}]\nconfigMapGenerator: [{{name: far, behavior: merge, literals: [a=b]}}]\n"
        )
    };
    let fixture = Fixture::new(&[
        ("a/kustomization.yaml", &kustomization(", 'https://example.com/a.yaml'")),
        ("a/d.yaml", DEPLOYMENT),
        ("b/kustomization.yaml", &kustomization("")),
        ("b/d.yaml", DEPLOYMENT),
    ]);
    assert_eq!(fixture.json("a").len(), 2);
    assert_eq!(
        fixture.error("b"),
        "b/kustomization.yaml: far: there is no ConfigMap far that could be merged or replaced"
    );
}

#[test]
fn gaps_of_bases_reach_the_overlay() {
    let fixture = Fixture::new(&[
        ("o/kustomization.yaml", "resources: [../b]\n"),
        ("b/kustomization.yaml", "resources: ['https://example.com/a.yaml']\n"),
    ]);
    assert_eq!(gaps(&fixture, "o").len(), 1);
    assert_eq!(fixture.json("o").len(), 0);
}

#[test]
fn folders_that_look_like_hosts_are_local() {
    let fixture = Fixture::new(&[
        ("kustomization.yaml", "resources: [github.com/x]\n"),
        ("github.com/x/kustomization.yaml", "resources: [d.yaml]\n"),
        ("github.com/x/d.yaml", DEPLOYMENT),
    ]);
    assert_eq!(gaps(&fixture, "."), []);
    assert_eq!(fixture.json(".").len(), 1);
}

#[test]
fn charts_and_programs_are_not_run() {
    let fixture = Fixture::new(&[
        (
            "kustomization.yaml",
            "helmCharts:\n- {name: far, repo: 'https://example.com'}\n- {name: near}\ngenerators: \
             [g.yaml]\ntransformers: [t.yaml]\n",
        ),
        (
            "g.yaml",
            "apiVersion: viaduct.ai/v1\nkind: ksops\nmetadata: {name: \
             s}\n---\napiVersion: builtin\nkind: HelmChartInflationGenerator\nmetadata: {name: \
             h}\nname: chart\nrepo: https://example.com\n",
        ),
        ("t.yaml", "apiVersion: x.example/v1\nkind: Sizes\nmetadata: {name: s}\n"),
    ]);
    let gap = |kind, text: &str| (kind, text.to_owned(), text.to_owned());
    assert_eq!(
        gaps(&fixture, "."),
        [
            gap(GapKind::RemoteChart, "far"),
            gap(GapKind::ChartNotRendered, "near"),
            gap(GapKind::PluginNotRun, "ksops"),
            gap(GapKind::RemoteChart, "chart"),
            gap(GapKind::PluginNotRun, "Sizes"),
        ]
    );
}
