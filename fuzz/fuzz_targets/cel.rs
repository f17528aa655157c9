//! No expression makes the parser, the checker or the evaluator panic, and every place that an
//! error names lies in the text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidewaiter::engine::cel::{Budget, Environment, Type, Value, Variables, compile};

fuzz_target!(|text: &str| {
    let environment = Environment::for_stored(37)
        .with("i", Type::Int)
        .with("s", Type::String)
        .with("l", Type::list(Type::Dyn))
        .with("d", Type::Dyn);
    match compile(text, &environment) {
        Ok(program) => {
            let list = Value::list(vec![Value::Int(1), Value::Null, Value::string("a")]);
            let variables = Variables::new()
                .with("i", Value::Int(7))
                .with("s", Value::string("text"))
                .with("l", list.clone())
                .with("d", list);
            if let Ok(value) = program.evaluate(&variables, &mut Budget::new(100_000)) {
                drop(value.to_string());
            }
        }
        Err(errors) => {
            assert!(!errors.is_empty());
            for error in errors {
                assert!(text.get(error.range.clone()).is_some(), "{error:?} of {}", text.len());
            }
        }
    }
});
