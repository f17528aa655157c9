//! Requests of every shape: each has an answer, which names the request and says what is wrong.

use serde_json::{Value, json};

use crate::ask::{
    ask, ask_text, assert_refused, causes, config_map, create, delete, gate, good_pod,
    host_network, pairs, update,
};

const HOST_NETWORK: &str = "pod-security/host-network";

#[test]
fn w02_the_uid_is_repeated_byte_for_byte() {
    let gate = gate();
    for uid in ["a", "3E2F-é-\u{1f600}", "\u{0}\u{7f} \"\\", &"x".repeat(1000)] {
        for object in [good_pod(), host_network()] {
            let mut review = create(object);
            review["request"]["uid"] = json!(uid);
            assert_eq!(ask(&gate, &review)["response"]["uid"], uid);
        }
        let mut review = create(good_pod());
        review["request"]["uid"] = json!(uid);
        review["request"]["operation"] = json!("GUESS");
        assert_refused(&ask(&gate, &review), uid, "the operation `GUESS` is not known");
    }
    // What an answer repeats is bounded, as the answer is.
    let mut review = create(good_pod());
    review["request"]["uid"] = json!("x".repeat(1025));
    assert_refused(&ask(&gate, &review), "", "the uid is longer than 1024 bytes");
}

#[test]
fn w03_the_answer_has_the_version_of_the_question() {
    let gate = gate();
    for version in ["admission.k8s.io/v1", "admission.k8s.io/v1beta1"] {
        for object in [good_pod(), host_network()] {
            let mut review = create(object.clone());
            review["apiVersion"] = json!(version);
            let answer = ask(&gate, &review);
            assert_eq!(answer["apiVersion"], version);
            assert_eq!(answer["kind"], "AdmissionReview");
            assert_eq!(answer["response"]["allowed"], object == good_pod());
        }
        let mut broken = create(good_pod());
        broken["apiVersion"] = json!(version);
        broken["request"]["object"] = json!([]);
        assert_eq!(ask(&gate, &broken)["apiVersion"], version);
        let cut = broken.to_string();
        assert_eq!(ask_text(&gate, &cut[..cut.len() - 1])["apiVersion"], version);
    }
}

#[test]
fn w03_a_version_that_nobody_knows_is_refused_in_v1() {
    let gate = gate();
    for version in ["admission.k8s.io/v2", "v1", "AdmissionReview", "admission.k8s.io/v1alpha1"] {
        let mut review = create(good_pod());
        review["apiVersion"] = json!(version);
        let answer = ask(&gate, &review);
        assert_eq!(answer["apiVersion"], "admission.k8s.io/v1");
        let message = format!(
            "`{version}` is not a version of AdmissionReview that is answered here: send \
             `admission.k8s.io/v1`"
        );
        assert_refused(&answer, "3e2f0b5c-made-up", &message);
    }
    let mut review = create(good_pod());
    review["kind"] = json!("Pod");
    assert_refused(
        &ask(&gate, &review),
        "3e2f0b5c-made-up",
        "an AdmissionReview is expected here, not a `Pod`",
    );
}

#[test]
fn w09_what_is_no_json_is_refused_with_its_place() {
    let gate = gate();
    for (text, message) in [
        ("", "the AdmissionReview is empty"),
        (" \n\t", "the AdmissionReview is empty"),
        (
            "{",
            "<request>:1:2: the AdmissionReview cannot be read: a key in double quotes is \
             expected here",
        ),
        (
            "{\"request\":\n {nothing}}",
            "<request>:2:3: the AdmissionReview cannot be read: a key in double quotes is \
             expected here",
        ),
        (
            "hello",
            "<request>:1:1: the AdmissionReview cannot be read: a JSON value is expected here",
        ),
        ("[]", "an AdmissionReview is a mapping"),
        ("3", "an AdmissionReview is a mapping"),
        ("null", "an AdmissionReview is a mapping"),
        ("{}", "the AdmissionReview has no `request`"),
        ("{}{}", "something follows the AdmissionReview"),
        ("{} x", "something follows the AdmissionReview"),
        ("{\"request\": null}", "the AdmissionReview has no `request`"),
        ("{\"request\": []}", "the AdmissionReview has no `request`"),
        ("{\"request\": {}}", "the request names no `operation`"),
    ] {
        assert_refused(&ask_text(&gate, text), "", message);
    }
}

/// Returns a review with a text in the place of the object.
fn with_object(object: &str) -> String {
    let review = create(json!("OBJECT"));
    review.to_string().replace("\"OBJECT\"", object)
}

#[test]
fn w09_a_text_that_is_no_unicode_is_refused() {
    let gate = gate();
    let text = with_object("{\"a\": \"\u{1}\"}");
    let control = ask_text(&gate, text);
    assert_eq!(control["response"]["allowed"], false, "a control character is no JSON");
    let mut bytes = with_object(&good_pod().to_string()).into_bytes();
    bytes.extend_from_slice(b"\xff");
    let answer = ask_text(&gate, bytes);
    assert_refused(&answer, "3e2f0b5c-made-up", "the AdmissionReview is not UTF-8");
    let utf16: Vec<u8> =
        create(good_pod()).to_string().encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(ask_text(&gate, utf16)["response"]["allowed"], false);
}

#[test]
fn w09_half_a_surrogate_pair_and_nul_have_an_answer() {
    let gate = gate();
    for text in ["\\ud800", "\\udc00\\ud800", "\\u0000", "\\ud83d\\ude00"] {
        let object = config_map("a").to_string();
        let object = object.replace("\"kind\"", &format!("\"data\":{{\"k\":\"{text}\"}},\"kind\""));
        let answer = ask_text(&gate, with_object(&object));
        assert_eq!(answer["response"]["uid"], "3e2f0b5c-made-up", "{answer}");
        if answer["response"]["allowed"] == false {
            assert_eq!(answer["response"]["status"]["code"], 400, "{text}: {answer}");
        }
    }
}

#[test]
fn w09_numbers_of_any_size_are_read() {
    let gate = gate();
    let object = |number: &str| {
        format!(
            "{{\"apiVersion\": \"example.com/v1\", \"kind\": \"Widget\", \"metadata\": {{\"name\": \
             \"a\"}}, \"spec\": {{\"n\": {number}}}}}"
        )
    };
    for number in [
        "18446744073709551615",
        "-9223372036854775808",
        "12345678901234567890123",
        "170141183460469231731687303715884105727",
        "1e2",
        "1.5E-300",
        "-0",
    ] {
        let answer = ask_text(&gate, with_object(&object(number)));
        assert_eq!(answer["response"]["allowed"], true, "{number}: {answer}");
    }
    // More than a double can hold is nothing that an API server could have read.
    for number in ["1e400", "01", "+1", "0x1", "NaN", "Infinity", "1."] {
        let answer = ask_text(&gate, with_object(&object(number)));
        assert_eq!(answer["response"]["allowed"], false, "{number}: {answer}");
        assert_eq!(answer["response"]["status"]["code"], 400, "{number}: {answer}");
        assert_eq!(answer["response"]["uid"], "3e2f0b5c-made-up", "{number}: {answer}");
    }
}

#[test]
fn w09_of_equal_keys_the_last_one_counts() {
    let gate = gate();
    let good = "\"hostNetwork\":false";
    let bad = "\"hostNetwork\":true";
    for (first, second, allowed) in [(bad, good, true), (good, bad, false)] {
        let text = host_network().to_string().replace(bad, &format!("{first},{second}"));
        let answer = ask_text(&gate, with_object(&text));
        assert_eq!(answer["response"]["allowed"], allowed, "{first} {second}: {answer}");
    }
    let whole = create(host_network()).to_string();
    let second = create(good_pod())["request"].to_string();
    let text = format!("{},\"request\":{second}}}", &whole[..whole.len() - 1]);
    assert_eq!(ask_text(&gate, text)["response"]["allowed"], true);
}

#[test]
fn w09_keys_are_told_apart_by_case() {
    let gate = gate();
    let text = create(host_network()).to_string().replace("\"request\"", "\"Request\"");
    assert_refused(&ask_text(&gate, text), "", "the AdmissionReview has no `request`");
    // An API server writes `object`; whoever writes `Object` beside it hides nothing.
    let mut review = create(host_network());
    review["request"]["Object"] = good_pod();
    assert_eq!(causes(&ask(&gate, &review)), pairs(&[(HOST_NETWORK, "spec.hostNetwork")]));
}

#[test]
fn w09_depth_is_bounded() {
    let gate = gate();
    for open in ["[", "{\"a\":"] {
        let deep = open.repeat(100_000);
        for text in [deep.clone(), with_object(&deep)] {
            let answer = ask_text(&gate, text);
            assert_eq!(answer["response"]["allowed"], false);
            assert_eq!(answer["response"]["status"]["code"], 400);
            let message = answer["response"]["status"]["message"].as_str().unwrap();
            assert!(message.contains("nested deeper than"), "{message}");
        }
    }
    // Within the bound, depth is nothing special.
    let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    let object = json!({"apiVersion": "example.com/v1", "kind": "Widget", "spec": "DEEP"});
    let text = with_object(&object.to_string()).replace("\"DEEP\"", &nested(60));
    assert_eq!(ask_text(&gate, text)["response"]["allowed"], true);
}

#[test]
fn w10_every_shape_of_an_object_has_an_answer() {
    let gate = gate();
    for (object, message) in [
        (json!(null), "the request is a CREATE and has no `object`"),
        (json!([]), "`object` is no object"),
        (json!([good_pod()]), "`object` is no object"),
        (json!("text"), "`object` is no object"),
        (json!(3), "`object` is no object"),
        (json!(true), "`object` is no object"),
    ] {
        let mut review = create(good_pod());
        review["request"]["object"] = object;
        assert_refused(&ask(&gate, &review), "3e2f0b5c-made-up", message);
    }
    let mut review = update(good_pod(), Value::Null);
    assert_refused(
        &ask(&gate, &review),
        "3e2f0b5c-made-up",
        "the request is a UPDATE and has no `object`",
    );
    review["request"].as_object_mut().unwrap().remove("object");
    assert_eq!(ask(&gate, &review)["response"]["status"]["code"], 400);
    let mut review = update(json!("text"), good_pod());
    assert_refused(&ask(&gate, &review), "3e2f0b5c-made-up", "`oldObject` is no object");
    review["request"]["oldObject"] = Value::Null;
    assert_eq!(ask(&gate, &review)["response"]["allowed"], true);
}

#[test]
fn w10_an_object_without_metadata_or_kind_is_what_the_request_says() {
    let gate = gate();
    let mut review = create(host_network());
    review["request"]["object"].as_object_mut().unwrap().remove("metadata");
    let answer = ask(&gate, &review);
    assert!(causes(&answer).contains(&(HOST_NETWORK.to_owned(), "spec.hostNetwork".to_owned())));
    assert_eq!(answer["response"]["status"]["details"]["name"], "web");
    // An object that does not say what it is, is what the request says that it is.
    let mut review = create(host_network());
    let object = review["request"]["object"].as_object_mut().unwrap();
    object.remove("kind");
    object.remove("apiVersion");
    let answer = ask(&gate, &review);
    assert!(causes(&answer).contains(&(HOST_NETWORK.to_owned(), "spec.hostNetwork".to_owned())));
    let mut review = create(good_pod());
    review["request"]["object"] = json!({});
    let answer = ask(&gate, &review);
    assert_eq!(answer["response"]["uid"], "3e2f0b5c-made-up");
    assert!(answer["response"]["allowed"].is_boolean(), "{answer}");
}

#[test]
fn w10_the_items_of_a_list_are_judged_one_by_one() {
    let gate = gate();
    let list = |items: Value| create(json!({"apiVersion": "v1", "kind": "List", "items": items}));
    let answer = ask(&gate, &list(json!([good_pod(), host_network(), config_map("a")])));
    assert_eq!(causes(&answer), pairs(&[(HOST_NETWORK, "spec.hostNetwork")]));
    assert_eq!(
        ask(&gate, &list(json!([good_pod(), config_map("a")])))["response"]["allowed"],
        true
    );
    assert_eq!(ask(&gate, &list(json!([])))["response"]["allowed"], true);
    // A list of a kind, and a list in a list.
    let mut pod = host_network();
    pod.as_object_mut().unwrap().retain(|key, _| key != "kind" && key != "apiVersion");
    let pods = json!({"apiVersion": "v1", "kind": "PodList", "items": [pod]});
    for review in [create(pods.clone()), list(json!([pods]))] {
        let answer = ask(&gate, &review);
        assert_eq!(causes(&answer), pairs(&[(HOST_NETWORK, "spec.hostNetwork")]), "{answer}");
    }
    // What no list holds is no reason to fail.
    for items in [json!(null), json!("text"), json!([null, 3, "text", []])] {
        let answer = ask(&gate, &list(items));
        assert!(answer["response"]["allowed"].is_boolean(), "{answer}");
    }
}

#[test]
fn w10_every_operation_has_an_answer() {
    let gate = gate();
    for (operation, message) in [
        (json!(""), "the request names no `operation`"),
        (json!(null), "the request names no `operation`"),
        (json!(3), "the request names no `operation`"),
        (json!(["CREATE"]), "the request names no `operation`"),
        (json!("create"), "the operation `create` is not known"),
        (json!("PATCH"), "the operation `PATCH` is not known"),
        (json!("*"), "the operation `*` is not known"),
    ] {
        let mut review = create(good_pod());
        review["request"]["operation"] = operation;
        assert_refused(&ask(&gate, &review), "3e2f0b5c-made-up", message);
    }
    let mut review = create(good_pod());
    review["request"].as_object_mut().unwrap().remove("operation");
    assert_refused(&ask(&gate, &review), "3e2f0b5c-made-up", "the request names no `operation`");
    let mut review = create(good_pod());
    review["request"]["dryRun"] = json!("yes");
    assert_refused(&ask(&gate, &review), "3e2f0b5c-made-up", "`dryRun` is no boolean");
    for dry_run in [json!(null), json!(false), json!(true)] {
        review["request"]["dryRun"] = dry_run;
        assert_eq!(ask(&gate, &review)["response"]["allowed"], true);
    }
}

#[test]
fn w10_every_field_of_a_request_may_be_missing_or_anything() {
    let gate = gate();
    let whole = create(host_network());
    let fields: Vec<String> = whole["request"].as_object().unwrap().keys().cloned().collect();
    for field in &fields {
        for value in [None, Some(json!(null)), Some(json!(7)), Some(json!([1])), Some(json!("x"))] {
            let mut review = whole.clone();
            let request = review["request"].as_object_mut().unwrap();
            match &value {
                None => drop(request.remove(field)),
                Some(value) => drop(request.insert(field.clone(), value.clone())),
            }
            let answer = ask(&gate, &review);
            let response = &answer["response"];
            // Nothing that is said beside the object opens the gate for it.
            assert_eq!(response["allowed"], false, "{field}: {value:?}: {answer}");
            if field != "uid" {
                assert_eq!(response["uid"], "3e2f0b5c-made-up", "{field}: {value:?}");
            }
        }
    }
}

#[test]
fn w10_a_removal_without_an_old_object_is_allowed() {
    let gate = gate();
    let mut review = delete(config_map("a"));
    assert_eq!(ask(&gate, &review)["response"]["allowed"], true);
    review["request"]["oldObject"] = Value::Null;
    let answer = ask(&gate, &review);
    assert_eq!(answer["response"]["allowed"], true, "{answer}");
    assert_eq!(answer["response"]["uid"], "3e2f0b5c-made-up");
}
