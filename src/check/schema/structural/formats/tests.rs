use super::*;

/// Each format with texts that kube-apiserver 1.37 takes, and with some that it refuses.
const VERDICTS: &[(Format, &[&str], &[&str])] = &[
    (
        Format::BsonObjectId,
        &["507f1f77bcf86cd799439011", "507F1F77BCF86CD799439011"],
        &["507f1f77bcf86cd79943901", "507f1f77bcf86cd79943901g", ""],
    ),
    (
        Format::Uri,
        &[
            "https://example.com/a?b#c",
            "/a",
            "*",
            "mailto:a@b.example",
            "http://[::1]:80/a",
            "//host/a",
            "urn:a:b",
            "http://user:p@h/",
            "http://ex%C3%A4.com",
        ],
        &[
            "a",
            "",
            "http://a b/",
            "http://a/%zz",
            "http://a:b/",
            "://a",
            "http://[::1",
            "1http://a",
            "http://%41/",
            "?a",
        ],
    ),
    (
        Format::Email,
        &[
            "a@b.example",
            "A <a@b.example>",
            "\"a b\"@c.example",
            "a@[127.0.0.1]",
            "<a@b>",
            "ä@b.example",
            " a@b ",
        ],
        &["a b@c.example", "a@", "@b", "a@b@c", "a..b@c.example", "a@b."],
    ),
    (
        Format::Hostname,
        &["a.example.com", "A.Example", "exämple.com", "localhost"],
        &["a_b", "-a.b", "a-.b", "a.", "1.2.3.4", "", "a..b"],
    ),
    (
        Format::Ipv4,
        &["1.2.3.4", "01.2.3.4", "::ffff:1.2.3.4"],
        &["1.2.3", "1.2.3.256", "::1", "1.2.3.4/8", ""],
    ),
    (
        Format::Ipv6,
        &["::1", "::ffff:1.2.3.4", "2001:db8:0:0:0:0:0:1"],
        &["1::2::3", "fe80::1%eth0", "1.2.3.4", "::g"],
    ),
    (
        Format::Cidr,
        &["10.0.0.0/8", "10.0.0.1/8", "::/0", "010.0.0.0/8", "10.0.0.0/08"],
        &["10.0.0.0/33", "::/129", "10.0.0.0", "/8", "10.0.0.0/-1"],
    ),
    (
        Format::Mac,
        &["00:00:5e:00:53:01", "00-00-5E-00-53-01", "0000.5e00.5301", "02:00:5e:10:00:00:00:01"],
        &["00:00:5e:00:53", "00:00:5e:00:53:0g", "00:00-5e:00:53:01"],
    ),
    (
        Format::Uuid,
        &[
            "123e4567-e89b-12d3-a456-426614174000",
            "123e4567e89b12d3a456426614174000",
            "123E4567-E89B-12D3-A456-426614174000",
        ],
        &[
            "123e4567-e89b-12d3-a456-42661417400",
            "{123e4567-e89b-12d3-a456-426614174000}",
            "urn:uuid:123e4567-e89b-12d3-a456-426614174000",
            "",
        ],
    ),
    (
        Format::Uuid3,
        &["a3bb189e-8bf9-3888-9912-ace4e6543002"],
        &["123e4567-e89b-12d3-a456-426614174000"],
    ),
    (
        Format::Uuid4,
        &["f47ac10b-58cc-4372-a567-0e02b2c3d479"],
        &["f47ac10b-58cc-4372-7567-0e02b2c3d479", "a3bb189e-8bf9-3888-9912-ace4e6543002"],
    ),
    (
        Format::Uuid5,
        &["74738ff5-5367-5958-9aee-98fffdcd1876"],
        &["74738ff5-5367-5958-1aee-98fffdcd1876"],
    ),
    (
        Format::Isbn,
        &["0-306-40615-2", "978-0-306-40615-7", "80-902734-1-6"],
        &["0-306-40615-3", "123"],
    ),
    (
        Format::Isbn10,
        &["0306406152", "0-306-40615-2", "043942089X"],
        &["043942089x", "978-0-306-40615-7"],
    ),
    (Format::Isbn13, &["978-0-306-40615-7"], &["9780306406158", "0306406152"]),
    (
        Format::CreditCard,
        &["4111 1111 1111 1111", "4111111111111111", "371449635398431"],
        &["4111-1111-1111-1112", ""],
    ),
    (Format::Ssn, &["078-05-1120", "078 05 1120"], &["078051120", "78-05-1120", ""]),
    (Format::HexColor, &["#fff", "#FFFFFF", "fff"], &["#ffff", "#ggg", ""]),
    (
        Format::RgbColor,
        &["rgb(1,2,3)", "rgb( 1, 2, 3 )"],
        &["rgb(256,0,0)", "rgba(1,2,3,0)", "rgb(1,2)", "rgb(100%,0%,0%)"],
    ),
    (Format::Byte, &["YQ=="], &["YQ", "YQ=", "a-_b", "", "Y Q==", "YWJj\nYWJj"]),
    (Format::Password, &["", "anything at all"], &[]),
    (
        Format::Date,
        &["2024-02-29", "0000-01-01"],
        &["2023-02-29", "2024-2-9", "2024-02-29T00:00:00Z", ""],
    ),
    (
        Format::Duration,
        &[
            "1h30m", "1.5h", "1 day", "3 weeks", "P1D", "1d", "0", "-1h", "1h 30m", "1us", "1µs",
            ".5s", "+1m",
        ],
        &["10", "", "5 fortnights"],
    ),
    (
        Format::DateTime,
        &[
            "2024-02-29T12:00:00Z",
            "2024-02-29t12:00:00z",
            "2024-02-29T12:00:00+02:00",
            "2024-02-29T12:00:00.123456Z",
        ],
        &[
            "2024-02-29T12:00:00",
            "2024-02-29 12:00:00Z",
            "2024-02-29T25:00:00Z",
            "2024-02-29T12:00Z",
            "2024-02-29",
            "2024-02-29T12:00:60Z",
            "2024-02-29T12:00:00+0200",
        ],
    ),
    (Format::ShortName, &["a", "a-b", "1a"], &["a.b", "A", "-a", "a-", ""]),
    (Format::LongName, &["a", "a.b"], &["a..b", "A.b", "a-.b", "a.b-", "", "a.-b"]),
];

#[test]
fn a_string_has_a_format_where_the_server_says_so() {
    let mut wrong = Vec::new();
    for (format, good, bad) in VERDICTS {
        let taken = good.iter().filter(|it| !format.allows(it)).map(|it| (format, true, it));
        let refused = bad.iter().filter(|it| format.allows(it)).map(|it| (format, false, it));
        wrong.extend(taken.chain(refused));
    }
    assert_eq!(wrong, []);
}

#[test]
fn names_end_where_the_server_ends_them() {
    for (format, most) in [(Format::ShortName, 63), (Format::LongName, 253), (Format::Hostname, 63)]
    {
        assert!(format.allows(&"a".repeat(most)), "{format:?}");
        assert!(!format.allows(&"a".repeat(most + 1)), "{format:?}");
    }
}

#[test]
fn dashes_in_the_name_of_a_format_do_not_count_and_others_say_nothing() {
    assert_eq!(Format::of_string("date-time"), Some(Format::DateTime));
    assert_eq!(Format::of_string("datetime"), Some(Format::DateTime));
    assert_eq!(Format::of_string("k8s-long-name"), Some(Format::LongName));
    for other in ["", "Date", "binary", "int32", "idn-email", "quantity"] {
        assert_eq!(Format::of_string(other), None, "{other}");
    }
    assert_eq!(Format::of_integer("int32"), Some(Format::Int32));
    assert_eq!(Format::of_integer("double"), None);
    assert_eq!(Format::of_number("double"), Some(Format::Double));
    assert_eq!(Format::of_number("int64"), None);
}

#[test]
fn formats_have_their_first_minor() {
    assert!(Format::Uuid.is_of_strings(11));
    assert!(!Format::ShortName.is_of_strings(33));
    assert!(Format::ShortName.is_of_strings(34));
    assert!(!Format::Int64.is_of_strings(37));
}
