//! `ConfigMaps`.

use super::Kind;
use super::cx::Cx;
use super::field::Field;
use super::rule::Rule;
use super::secret::decoded_size;
use crate::naming;

pub(super) const KINDS: &[Kind] =
    &[Kind { group: "", name: "ConfigMap", validate, update: Some(update) }];

pub(super) const RULES: &[&Rule] = &[&DATA_KEY, &DATA_SIZE, &DATA_TWICE, &IMMUTABLE];

pub(super) const DATA_KEY: Rule = Rule::new(
    "api/invalid-data-key",
    "Key of a ConfigMap or a Secret that cannot be a file",
    "Keys become names of files where the data is mounted: letters, digits, `-`, `_` and `.`, at \
     most 253 of them, and never a name that leads out of the folder.",
    "rename the key",
    &["ValidateConfigMap", "ValidateSecret", "IsConfigMapKey"],
);

const DATA_TWICE: Rule = Rule::new(
    "api/data-key-twice",
    "Key stands both in `data` and in `binaryData`",
    "Both maps fill one folder, so a key may stand in one of them only.",
    "remove the key from one of the two",
    &["ValidateConfigMap"],
);

pub(super) const DATA_SIZE: Rule = Rule::new(
    "api/data-too-large",
    "ConfigMap or Secret is too large",
    "The values together may have at most 1 MiB, because each of them is kept in etcd and in the \
     memory of many components.",
    "split the data, or keep large files in an image or a volume",
    &["ValidateConfigMap", "ValidateSecret"],
);

pub(super) const IMMUTABLE: Rule = Rule::new(
    "api/immutable-data",
    "Data changes that was declared immutable",
    "An object with `immutable: true` keeps its data until it is deleted, and stays immutable.",
    "give the changed object a new name, and refer to that",
    &["ValidateConfigMapUpdate", "ValidateSecretUpdate"],
);

/// The most bytes that the values may have together (`MaxSecretSize`).
pub(super) const MAX_SIZE: usize = 1024 * 1024;

fn validate<'a>(cx: &mut Cx<'a>, object: Field<'a>) {
    let (data, binary) = (object.get("data"), object.get("binaryData"));
    let mut size = 0;
    for (key, value) in data.entries() {
        check_key(cx, key, value);
        if binary.get(key).exists() {
            cx.invalid(&DATA_TWICE, value, "stands in `binaryData` too");
        }
        size += value.text().len();
    }
    for (key, value) in binary.entries() {
        check_key(cx, key, value);
        size += decoded_size(value.text());
    }
    if size > MAX_SIZE {
        cx.too_long(&DATA_SIZE, object, MAX_SIZE, "bytes of data");
    }
}

fn check_key<'a>(cx: &mut Cx<'a>, key: &str, value: Field<'a>) {
    if let Some(wrong) = naming::config_map_key(key) {
        cx.invalid_key(&DATA_KEY, value, wrong);
    }
}

fn update<'a>(cx: &mut Cx<'a>, new: Field<'a>, old: Field<'a>) {
    if !old.get("immutable").is_true() {
        return;
    }
    if !new.get("immutable").is_true() {
        cx.immutable(&IMMUTABLE, new.get("immutable"));
    }
    for part in ["data", "binaryData"] {
        if !new.get(part).equals(old.get(part)) {
            cx.immutable(&IMMUTABLE, new.get(part));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::check::api::fixture::{assert_clean, assert_one, assert_update};

    const HEAD: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n";

    #[test]
    fn keys_are_names_of_files() {
        assert_clean(&format!("{HEAD}data: {{a.b: x, -_A: y}}\n"));
        assert_one(
            &format!("{HEAD}data:\n  a/b: x\n"),
            "api/invalid-data-key",
            "the key `a/b` in `data` must be letters, digits, `-`, `_` and `.`",
            "data[a/b]",
            "a/b",
        );
    }

    #[test]
    fn a_key_stands_in_one_map_only() {
        assert_one(
            &format!("{HEAD}data: {{a: x}}\nbinaryData: {{a: eA==}}\n"),
            "api/data-key-twice",
            "`data.a` stands in `binaryData` too",
            "data.a",
            "x",
        );
    }

    #[test]
    fn immutable_data_stays() {
        let old = format!("{HEAD}immutable: true\ndata: {{a: x}}\n");
        assert_update(&old, &old, &[]);
        assert_update(&old, &old.replace("a: x", "a: y"), &["data"]);
        assert_update(&old, &old.replace("immutable: true\n", ""), &["immutable"]);
    }
}
