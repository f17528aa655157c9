//! No bytes make the gate panic, and every question has an answer that is JSON and denies what
//! cannot be read.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use tidewaiter::admission::Decision;
use tidewaiter::date::Date;
use tidewaiter::run::{Gate, GateOptions, Inputs};

static GATE: LazyLock<Gate> = LazyLock::new(|| {
    let options = GateOptions::default();
    Gate::new(&options, &Inputs::read(&options).unwrap()).unwrap()
});

fuzz_target!(|bytes: &[u8]| {
    let answer = GATE.answer(bytes.to_vec(), Date::default(), None);
    let json: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    let allowed = answer.record.decision == Some(Decision::Allowed);
    assert_eq!(json["response"]["allowed"], allowed);
    assert!(answer.body.len() <= 64 << 10);
    assert_eq!(json["response"]["uid"], answer.record.uid);
    if serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_err() {
        assert!(!allowed);
    }
});
