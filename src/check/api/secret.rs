//! Secrets.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::Kind;
use super::config_map::{DATA_KEY, DATA_SIZE, IMMUTABLE as IMMUTABLE_DATA, MAX_SIZE};
use super::cx::Cx;
use super::field::Field;
use super::forms::IMMUTABLE;
use super::rule::Rule;
use crate::naming;
use crate::wording;

pub(super) const KINDS: &[Kind] =
    &[Kind { group: "", name: "Secret", validate, update: Some(update) }];

pub(super) const RULES: &[&Rule] = &[&SECRET_TYPE];

const SECRET_TYPE: Rule = Rule::new(
    "api/invalid-typed-secret",
    "Secret that does not hold what its type promises",
    "The types `kubernetes.io/…` promise keys: a TLS Secret holds `tls.crt` and `tls.key`, one for \
     registries holds JSON under `.dockerconfigjson`, and so on.",
    "add the key, or leave the type out",
    &["ValidateSecret"],
);

const OPAQUE: &str = "Opaque";
const ACCOUNT_NAME: &str = "kubernetes.io/service-account.name";

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::RequireCanonical),
);

fn kind(object: Field<'_>) -> &str {
    object.get("type").str().filter(|it| !it.is_empty()).unwrap_or(OPAQUE)
}

/// Returns the bytes of a value; nothing where they cannot be known.
fn bytes(value: Field<'_>, encoded: bool) -> Option<Vec<u8>> {
    let text = value.text();
    if wording::is_placeholder(text) || text.starts_with("ENC[") {
        return None;
    }
    if !encoded {
        return Some(text.as_bytes().to_vec());
    }
    let text: String = text.chars().filter(|it| !matches!(it, '\n' | '\r')).collect();
    BASE64.decode(text).ok()
}

/// Returns how many bytes a text stands for that is written in base64.
pub(super) fn decoded_size(text: &str) -> usize {
    let digits = text.bytes().filter(|it| !matches!(it, b'\n' | b'\r' | b'=')).count();
    digits / 4 * 3 + (digits % 4).saturating_sub(1)
}

fn validate<'a>(cx: &mut Cx<'a>, object: Field<'a>) {
    let (data, texts) = (object.get("data"), object.get("stringData"));
    let mut size = 0;
    for (key, value) in data.entries() {
        check_key(cx, key, value);
        if !texts.get(key).exists() {
            size += decoded_size(value.text());
        }
    }
    for (key, value) in texts.entries() {
        check_key(cx, key, value);
        size += value.text().len();
    }
    if size > MAX_SIZE {
        cx.too_long(&DATA_SIZE, data, MAX_SIZE, "bytes of values");
    }
    check_type(cx, object);
}

/// The server moves `stringData` into `data` before it looks.
fn check_key<'a>(cx: &mut Cx<'a>, key: &'a str, value: Field<'a>) {
    if let Some(wrong) = naming::config_map_key(key) {
        cx.invalid_key(&DATA_KEY, value, wrong);
        cx.named(cx.root.get("data").get(key));
    }
}

fn check_type<'a>(cx: &mut Cx<'a>, object: Field<'a>) {
    let (data, texts) = (object.get("data"), object.get("stringData"));
    // What came as a text stays in the data when the text is left out.
    let kept = cx.old.map(|it| it.get("stringData"));
    let is_kept = |key: &&str| kept.is_some_and(|it| it.has_key(key));
    let has = |key| data.has_key(key) || texts.has_key(key);
    let kind = kind(object);
    let wanted: &[&str] = match kind {
        "kubernetes.io/service-account-token" => {
            let name = object.at(&["metadata", "annotations", ACCOUNT_NAME]);
            if name.is_empty() {
                cx.required(&SECRET_TYPE, name, "a token belongs to a ServiceAccount");
            }
            &[]
        }
        "kubernetes.io/dockercfg" => &[".dockercfg"],
        "kubernetes.io/dockerconfigjson" => &[".dockerconfigjson"],
        "kubernetes.io/basic-auth"
            if !["username", "password"].iter().any(|it| has(it) || is_kept(it)) =>
        {
            &["username", "password"]
        }
        "kubernetes.io/ssh-auth" => &["ssh-privatekey"],
        "kubernetes.io/tls" => &["tls.crt", "tls.key"],
        _ => &[],
    };
    for key in wanted.iter().filter(|it| has(it) || !is_kept(it)) {
        let (encoded, text) = (data.get(key), texts.get(key));
        let empty = encoded.is_empty() && text.is_empty();
        if !has(key) || (kind == "kubernetes.io/ssh-auth" && empty) {
            cx.required(&SECRET_TYPE, encoded, &format!("a Secret of type `{kind}` holds it"));
        } else if key.starts_with(".docker") {
            let value = if text.exists() { text } else { encoded };
            if bytes(value, !text.exists()).is_some_and(|it| !is_json_object(&it)) {
                cx.invalid(&SECRET_TYPE, value, "must hold an object in JSON");
                cx.named(encoded);
            }
        }
    }
}

/// Says whether Go's decoder makes a map of the bytes; `null` is an empty one.
fn is_json_object(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    serde_json::from_str::<serde_json::Value>(&text).is_ok_and(|it| it.is_object() || it.is_null())
}

fn update<'a>(cx: &mut Cx<'a>, new: Field<'a>, old: Field<'a>) {
    if kind(new) != kind(old) {
        cx.immutable(&IMMUTABLE, new.get("type"));
        cx.help("delete the Secret first, or give the new one another name");
    }
    if !old.get("immutable").is_true() {
        return;
    }
    if !new.get("immutable").is_true() {
        cx.immutable(&IMMUTABLE_DATA, new.get("immutable"));
    }
    let values = |object: Field<'a>| -> BTreeMap<&'a str, Option<Vec<u8>>> {
        let encoded = object.get("data").entries().map(|(key, it)| (key, bytes(it, true)));
        let texts = object.get("stringData").entries().map(|(key, it)| (key, bytes(it, false)));
        encoded.chain(texts).collect()
    };
    // What came as a text stays in the data when the text is left out.
    let mut now = values(new);
    for (key, value) in old.get("stringData").entries() {
        now.entry(key).or_insert_with(|| bytes(value, false));
    }
    if now != values(old) {
        cx.immutable(&IMMUTABLE_DATA, new.get("data"));
    }
}

#[cfg(test)]
mod tests {
    use crate::check::api::fixture::{assert_clean, assert_refused, assert_update, findings};

    const HEAD: &str = "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n";

    #[test]
    fn keys_are_names_of_files_wherever_they_stand() {
        assert_clean(&format!("{HEAD}data: {{a.b: ''}}\nstringData: {{c: x}}\n"));
        assert_refused(&format!("{HEAD}stringData: {{a/b: x}}\n"), &["data[a/b]"]);
    }

    #[test]
    fn types_promise_keys() {
        let typed = |kind: &str, data: &str| format!("{HEAD}type: kubernetes.io/{kind}\n{data}");
        assert_refused(&typed("tls", ""), &["data[tls.crt]", "data[tls.key]"]);
        assert_clean(&typed("tls", "data: {tls.crt: ''}\nstringData: {tls.key: ''}\n"));
        assert_refused(
            &typed("ssh-auth", "data: {ssh-privatekey: ''}\n"),
            &["data.ssh-privatekey"],
        );
        assert_refused(&typed("basic-auth", ""), &["data.username", "data.password"]);
        assert_clean(&typed("basic-auth", "stringData: {password: ''}\n"));
        assert_refused(
            &typed("service-account-token", ""),
            &["metadata.annotations[kubernetes.io/service-account.name]"],
        );
        assert_refused(&typed("dockercfg", ""), &["data[.dockercfg]"]);
        assert_clean(&typed("dockerconfigjson", "stringData: {.dockerconfigjson: '{}'}\n"));
        assert_clean(&typed("dockerconfigjson", "data: {.dockerconfigjson: e30=}\n"));
        assert_clean(&typed("dockerconfigjson", "data: {.dockerconfigjson: 'ENC[AES256,x]'}\n"));
        assert_refused(
            &typed("dockerconfigjson", "data: {.dockerconfigjson: W10=}\n"),
            &["data[.dockerconfigjson]"],
        );
    }

    #[test]
    fn values_are_never_told() {
        let text =
            format!("{HEAD}type: kubernetes.io/dockercfg\nstringData: {{.dockercfg: hunter2}}\n");
        for (_, message, ..) in findings(37, &text) {
            assert!(!message.contains("hunter2"), "{message}");
        }
    }

    #[test]
    fn the_type_and_immutable_data_stay() {
        let old = format!("{HEAD}immutable: true\ndata: {{a: eA==}}\n");
        assert_update(&old, &old.replace("data: {a: eA==}", "stringData: {a: x}"), &[]);
        assert_update(&old, &old.replace("eA==", "eQ=="), &["data"]);
        assert_update(&old, &format!("{old}type: Opaque\n"), &[]);
        assert_update(&old, &format!("{old}type: other\n"), &["type"]);
    }
}
