use super::*;

fn quantity(text: &str) -> Quantity {
    text.parse().unwrap()
}

#[test]
fn units_and_exponents_give_the_same_amounts() {
    for (text, value) in [
        ("0", 0),
        ("12", 12),
        ("+12", 12),
        ("-12", -12),
        ("0012", 12),
        ("3k", 3000),
        ("3Ki", 3072),
        ("1.5Gi", 1_610_612_736),
        ("12e6", 12_000_000),
        ("12E6", 12_000_000),
        ("1E", 1_000_000_000_000_000_000),
        ("8Ei", i64::MAX),
        ("-9Ei", -i64::MAX),
        ("5000m", 5),
        ("1.", 1),
    ] {
        assert_eq!(quantity(text), Quantity::from(value), "{text}");
        assert_eq!(quantity(text).value(), Some(value), "{text}");
    }
}

#[test]
fn what_upstream_lets_pass_is_zero() {
    for text in ["-", "+", ".", "Ki", "m", "-.", "00"] {
        assert!(quantity(text).is_zero(), "{text}");
    }
}

#[test]
fn what_is_no_quantity_says_why() {
    use InvalidQuantity::{Format, Suffix};
    for (text, why) in [
        ("", Format),
        (" 1", Format),
        ("1 ", Format),
        ("1.2.3", Format),
        ("1,5", Format),
        ("abc", Format),
        ("1e5x", Format),
        ("1K", Suffix),
        ("1e", Suffix),
        ("1mi", Suffix),
        ("1ki", Suffix),
        ("1e99999999999999999999", Suffix),
        ("--1", Suffix),
        ("1-1", Suffix),
    ] {
        assert_eq!(text.parse::<Quantity>(), Err(why), "{text}");
    }
}

#[test]
fn fractions_round_away_from_zero() {
    assert_eq!(quantity("1m").value(), Some(1));
    assert_eq!(quantity("-1m").value(), Some(-1));
    assert_eq!(quantity("0.1m").milli_value(), Some(1));
    assert_eq!(quantity("0.0000000001"), quantity("1n"));
    assert_eq!(quantity("-0.00000000019"), quantity("-1n"));
    assert_eq!(quantity("0.99999999999"), quantity("1"));
    assert_eq!(quantity("1.0000000000000000000001Ki"), quantity("1024000000001n"));
}

#[test]
fn what_does_not_fit_has_no_value() {
    assert_eq!(quantity("10E").value(), None);
    assert_eq!(quantity("9223372036854775807").value(), Some(i64::MAX));
    assert_eq!(quantity("9223372036854775808").value(), None);
    assert_eq!(quantity("-9223372036854775808").value(), Some(i64::MIN));
    assert_eq!(quantity("9223372036854775807").milli_value(), None);
    assert_eq!(quantity("1e2000000000").value(), None);
}

#[test]
fn only_what_was_written_whole_is_an_integer_to_upstream() {
    assert_eq!(quantity("1k").as_i64(), Some(1000));
    assert_eq!(quantity("1Ki").as_i64(), Some(1024));
    assert_eq!(quantity("1.0").as_i64(), None);
    assert_eq!(quantity("1000m").as_i64(), None);
    assert_eq!(quantity("9223372036854775807").as_i64(), None);
    assert!(quantity("1000m").is_integer());
    assert!(!quantity("1001m").is_integer());
}

#[test]
fn amounts_compare_across_units() {
    let sorted = [
        "-1e30",
        "-1",
        "-1n",
        "0",
        "1n",
        "999m",
        "1",
        "1000Ki",
        "1Mi",
        "8Ei",
        "1e19",
        "1e2000000000",
    ];
    for (at, left) in sorted.iter().enumerate() {
        for (other, right) in sorted.iter().enumerate() {
            assert_eq!(quantity(left).cmp(&quantity(right)), at.cmp(&other), "{left} {right}");
        }
    }
    assert_eq!(quantity("1000m"), quantity("1"));
    assert_eq!(quantity("100000000000000000000"), quantity("100E"));
}

#[test]
fn sums_and_differences_are_exact() {
    let sum = |left: &str, right: &str| &quantity(left) + &quantity(right);
    assert_eq!(sum("1", "1m"), quantity("1001m"));
    assert_eq!(sum("9E", "9E"), quantity("18E"));
    assert_eq!(sum("18E", "-9E"), quantity("9E"));
    assert_eq!(sum("1e25", "1n"), quantity("10000000000000000000000000.000000001"));
    assert_eq!(sum("10000000000000000000000000.000000001", "-1e25"), quantity("1n"));
    assert_eq!(sum("-1e25", "1e25"), Quantity::ZERO);
    assert_eq!(sum("1e2000000000", "1"), quantity("1e2000000000"));
    assert_eq!(&quantity("1Ki") - &quantity("1k"), quantity("24"));
    assert_eq!(
        &quantity("-9223372036854775808") - &quantity("0"),
        quantity("-9223372036854775808")
    );
}

#[test]
#[expect(clippy::float_cmp, reason = "the very same number is meant")]
fn an_approximation_is_the_number_that_upstream_gives() {
    assert_eq!(quantity("1500m").approximate_f64(), 1.5);
    assert_eq!(quantity("-1.5Gi").approximate_f64(), -1_610_612_736.0);
    assert_eq!(quantity("50k").approximate_f64(), 50_000.0);
    assert_eq!(quantity("1e400").approximate_f64(), f64::INFINITY);
    assert_eq!(quantity("100000000000000000000").approximate_f64(), 1e20);
}
