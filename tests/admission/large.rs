//! Requests as large as an API server sends them.

use serde_json::json;

use crate::ask::{ask, config_map, create, gate, update};

#[test]
fn a_change_of_a_config_map_of_a_megabyte_is_answered() {
    // The old object and the new one, each as large as a `ConfigMap` may be.
    let old = {
        let mut map = config_map("large");
        map["data"] = json!({"text": "abc def\n".repeat((1 << 20) / 8)});
        map
    };
    let mut new = old.clone();
    new["data"]["text"] = json!("ghi jkl\n".repeat((1 << 20) / 8));
    let review = update(old, new);
    assert!(review.to_string().len() > 2 << 20);
    assert_eq!(ask(&gate(), &review)["response"]["allowed"], true);
    // What is wrong in one of that size is found.
    let mut bad = review;
    bad["request"]["object"]["data"]["zz"] = json!(3);
    let answer = ask(&gate(), &bad);
    assert_eq!(answer["response"]["status"]["details"]["causes"][0]["field"], "data.zz");
}

#[test]
fn a_custom_resource_of_three_megabytes_is_answered() {
    let item = |index: usize| json!({"name": format!("item-{index}"), "size": index, "note": "a".repeat(80), "on": true});
    let items: Vec<_> = (0..25_000).map(item).collect();
    let review = create(json!({
        "apiVersion": "example.com/v1", "kind": "Widget",
        "metadata": {"name": "large", "namespace": "apps"},
        "spec": {"items": items},
    }));
    let size = review.to_string().len();
    assert!(size > 3_000_000, "{size}");
    let answer = ask(&gate(), &review);
    assert_eq!(answer["response"]["allowed"], true, "{answer}");
}
