use std::fs;

use super::*;

fn folder<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

const DEPLOYMENT: SchemaWanted<'_> = SchemaWanted {
    kubernetes: "1.30",
    master: false,
    group: "apps",
    version: "v1",
    kind: "Deployment",
};
const WIDGET: SchemaWanted<'_> = SchemaWanted {
    kubernetes: "1.30",
    master: true,
    group: "example.com",
    version: "v1",
    kind: "Widget",
};

fn anywhere(folder: &Path) -> SchemaBase {
    SchemaBase { folder: folder.to_owned(), within: None }
}

fn within(folder: &Path) -> SchemaBase {
    SchemaBase { folder: folder.to_owned(), within: Some(folder.to_owned()) }
}

/// Returns the text of the file that is found.
fn found(folder: &Path, location: &str, wanted: &SchemaWanted<'_>) -> Option<String> {
    let location = SchemaLocation::new(location, &anywhere(folder)).unwrap();
    let found = location.find(&SchemaFiles::new(None, None), wanted).unwrap()?;
    Some(String::from_utf8(found.file.bytes).unwrap())
}

fn refused(base: &SchemaBase, location: &str) -> String {
    SchemaLocation::new(location, base).unwrap_err()
}

#[test]
fn of_the_patches_of_a_version_the_highest_is_taken_and_the_strict_one_before_others() {
    let folder = folder([
        ("v1.30.0-standalone-strict/deployment-apps-v1.json", "0"),
        ("v1.30.11-standalone-strict/deployment-apps-v1.json", "11"),
        ("v1.30.9-standalone-strict/deployment-apps-v1.json", "9"),
        ("v1.30.12-standalone/deployment-apps-v1.json", "12"),
        ("v1.31.0-standalone-strict/deployment-apps-v1.json", "31"),
        ("master-standalone-strict/deployment-apps-v1.json", "master"),
    ]);
    let at = |wanted: &SchemaWanted<'_>| found(folder.path(), ".", wanted);
    assert_eq!(at(&DEPLOYMENT).as_deref(), Some("11"));
    let kubernetes = "1.29";
    assert_eq!(at(&SchemaWanted { kubernetes, ..DEPLOYMENT }), None);
    let newest = SchemaWanted { kubernetes, master: true, ..DEPLOYMENT };
    assert_eq!(at(&newest).as_deref(), Some("master"));
}

#[test]
fn a_folder_may_have_any_of_the_layouts() {
    let folder = folder([
        ("kubeconform/master-standalone-strict/widget-example-v1.json", "kubeconform"),
        ("datree/example.com/widget_v1.json", "datree"),
        ("flat/widget-example-v1.json", "flat"),
        ("openapi/apis/example.com/v1.json", "openapi"),
        ("openapi/api/v1.json", "core"),
    ]);
    for layout in ["kubeconform", "datree", "flat", "openapi"] {
        assert_eq!(found(folder.path(), layout, &WIDGET).as_deref(), Some(layout));
    }
    let core = SchemaWanted { group: "", kind: "Pod", ..WIDGET };
    assert_eq!(found(folder.path(), "openapi", &core).as_deref(), Some("core"));
}

#[test]
fn a_template_starts_where_the_user_stands() {
    let folder = folder([("s/example.com/widget_v1.json", "it")]);
    let template = "s/{{ .Group }}/{{.ResourceKind}}_{{ .ResourceAPIVersion }}.json";
    assert_eq!(found(folder.path(), template, &WIDGET).as_deref(), Some("it"));
    let absolute = format!("{}/{template}", folder.path().display());
    assert_eq!(found(Path::new("/"), &absolute, &WIDGET).as_deref(), Some("it"));
    let file = format!("file://{absolute}");
    assert_eq!(found(Path::new("/"), &file, &WIDGET).as_deref(), Some("it"));
    // A file without variables is the schema of every kind, as for kubeconform.
    assert_eq!(
        found(folder.path(), "s/example.com/widget_v1.json", &DEPLOYMENT).as_deref(),
        Some("it")
    );
}

#[test]
fn definitions_are_told_from_schemas() {
    let folder = folder([
        ("crds/a.yaml", "kind: CustomResourceDefinition"),
        ("crds/b.json", "{\"apiVersion\": \"apiextensions.k8s.io/v1\"}"),
        ("crds/c.json", "{\"type\": \"object\"}"),
        ("crds/notes.txt", ""),
        ("crds/below/d.yaml", ""),
    ]);
    let files = SchemaFiles::new(None, None);
    let names = |location: &str| -> Vec<String> {
        let location = SchemaLocation::new(location, &anywhere(folder.path())).unwrap();
        let files = location.definitions(&files).unwrap();
        let name = |it: SchemaFile| it.path.file_name().unwrap().to_string_lossy().into_owned();
        files.into_iter().map(name).collect()
    };
    assert_eq!(names("crds"), ["a.yaml", "b.json"]);
    assert_eq!(names("crds/a.yaml"), ["a.yaml"]);
    assert_eq!(names("crds/b.json"), ["b.json"]);
    assert_eq!(names("crds/c.json"), [""; 0]);
}

#[test]
fn what_cannot_be_a_location_is_refused() {
    let folder = folder([("a.txt", "")]);
    let base = anywhere(folder.path());
    assert_eq!(refused(&base, ""), "it is empty");
    assert_eq!(refused(&base, "nowhere"), "it does not exist");
    assert_eq!(refused(&base, "a.txt"), "it is neither a folder nor a file of YAML or JSON");
    assert_eq!(
        refused(&base, "no/{{ .Group }}.json"),
        format!("the folder `{}` does not exist", folder.path().join("no").display())
    );
    assert_eq!(refused(&base, "{{ .Group"), "the `{{` in column 1 is not closed by `}}`");
    assert_eq!(
        refused(&base, "https://x/{{ .G }}.json").split(';').next().unwrap(),
        "there is no variable `.G` (column 14)"
    );
}

#[test]
fn nothing_leads_out_of_a_repository() {
    let folder = folder([("in/a.json", "")]);
    let base = within(&folder.path().join("in"));
    for location in
        ["..", "../in", "/etc", "a/../../x", "file:///etc", "..\\x", "../{{ .Group }}.json"]
    {
        assert_eq!(refused(&base, location), "it leads out of the folder of the configuration");
    }
}

#[cfg(unix)]
#[test]
fn no_link_leads_out_of_a_repository() {
    let outside = folder([("example.com/widget_v1.json", "secret"), ("a.yaml", "secret")]);
    let inside = folder([("s/own.json", "{}")]);
    let link = |name: &str, target: &Path| {
        std::os::unix::fs::symlink(target, inside.path().join("s").join(name)).unwrap();
    };
    link("example.com", &outside.path().join("example.com"));
    link("a.yaml", &outside.path().join("a.yaml"));
    let location = SchemaLocation::new("s", &within(inside.path())).unwrap();
    let files = SchemaFiles::new(Some(inside.path().to_owned()), None);
    let leads_out = |error: String| {
        assert!(error.ends_with("leads out of the folder that it belongs to"), "{error}");
    };
    leads_out(location.find(&files, &WIDGET).unwrap_err());
    leads_out(location.definitions(&files).unwrap_err());
    leads_out(location.everything(&files).unwrap_err());
}

#[test]
fn the_kind_of_an_object_is_no_path() {
    let folder = folder([("s/x.json", ""), ("secret.json", "secret")]);
    for kind in ["../secret", "../../etc/passwd", "a/b", "a\\b", "a\0b", ".hidden", ""] {
        let wanted = SchemaWanted { kind, ..WIDGET };
        assert_eq!(found(folder.path(), "s/{{ .ResourceKind }}.json", &wanted), None);
        let wanted = SchemaWanted { group: "..", ..wanted };
        assert_eq!(found(folder.path(), "s/{{ .Group }}/secret.json", &wanted), None);
    }
}

#[test]
fn published_schemas_are_those_of_the_program() {
    let folder = folder([]);
    let location = |text: &str| SchemaLocation::new(text, &anywhere(folder.path())).unwrap();
    for text in [
        "default",
        "https://raw.githubusercontent.com/yannh/kubernetes-json-schema/master",
        "https://raw.githubusercontent.com/datreeio/CRDs-catalog/main/{{.Group}}/{{.ResourceKind}}_{{.ResourceAPIVersion}}.json",
        // The CI of Flux fetches these first; without that step they are not there.
        "flux-crd-schemas",
    ] {
        assert!(location(text).is_embedded(), "{text}");
        assert!(!location(text).is_remote(), "{text}");
    }
    assert!(location("https://example.com/schemas").is_remote());
}

#[test]
fn what_kubeconform_fetched_is_read_from_its_cache() {
    // The name is the SHA-256 of the address `https://example.com/s/widget-example-v1.json`.
    let name = "3977498571c9a82c61a3d48fa06b769b40e04e47ea235202c562c99983df1bae";
    let folder = folder([(name, "fetched")]);
    let files = SchemaFiles::new(None, Some(folder.path().to_owned()));
    let template = "https://example.com/s/{{ .ResourceKind }}{{ .KindSuffix }}.json";
    let location = SchemaLocation::new(template, &anywhere(folder.path())).unwrap();
    let found = location.find(&files, &WIDGET).unwrap().unwrap();
    assert_eq!(found.file.bytes, b"fetched");
    assert_eq!(location.find(&SchemaFiles::new(None, None), &WIDGET).unwrap(), None);
}

#[test]
fn what_was_read_beforehand_answers_as_the_disk_does() {
    let folder = folder([
        ("s/v1.30.2-standalone/deployment-apps-v1.json", "2"),
        ("s/v1.30.3-standalone/deployment-apps-v1.json", "3"),
        ("s/example.com/widget_v1.json", "widget"),
        ("s/crd.yaml", "crd"),
        ("s/.hidden/x.json", "hidden"),
    ]);
    let base = within(folder.path());
    for text in ["s", "s/{{ .NormalizedKubernetesVersion }}-standalone/deployment-apps-v1.json"] {
        let location = SchemaLocation::new(text, &base).unwrap();
        let disk = SchemaFiles::new(base.within.clone(), None);
        let all = location.everything(&disk).unwrap();
        assert!(all.iter().all(|it| it.bytes != b"hidden"));
        let memory = SchemaFiles::in_memory(all).unwrap();
        for wanted in [&DEPLOYMENT, &WIDGET] {
            let found = location.find(&memory, wanted).unwrap();
            assert_eq!(found, location.find(&disk, wanted).unwrap());
        }
        assert_eq!(location.find(&memory, &DEPLOYMENT).unwrap().unwrap().file.bytes, b"3");
        assert_eq!(location.definitions(&memory).unwrap(), location.definitions(&disk).unwrap());
    }
}
