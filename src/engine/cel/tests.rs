use super::*;

fn evaluate(text: &str) -> String {
    let environment = Environment::for_stored(37);
    let program = match compile(text, &environment) {
        Ok(program) => program,
        Err(errors) => return format!("refused: {}", errors[0].message),
    };
    match program.evaluate(&Variables::new(), &mut Budget::default()) {
        Ok(value) => value.to_string(),
        Err(error) => format!("failed: {error}"),
    }
}

#[test]
fn arithmetic_is_exact_or_fails() {
    assert_eq!(evaluate("1 + 2 * 3"), "7");
    assert_eq!(evaluate("9223372036854775807 + 1"), "failed: integer overflow");
    assert_eq!(evaluate("[1, 2, 3].map(x, x * 2)"), "[2, 4, 6]");
}
