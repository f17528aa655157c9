//! Keys, tokens and passwords of no particular issuer.

use crate::check::secrets::connection;
use crate::check::secrets::format::{Alphabet, Format, Shape};
use crate::check::secrets::judges;
use crate::check::secrets::pem;
use crate::check::secrets::url;
use crate::rule::{Enforcement, Severity};

pub(super) const FORMATS: &[Format] = &[
    Format {
        id: "secrets/private-key",
        noun: "private key",
        severity: Severity::Critical,
        keywords: &["-----BEGIN "],
        shape: Shape::Code(pem::private_key),
        power: "can pose as its owner and read what was encrypted for it",
        revoke: "replace the key pair, and revoke its certificate where it has one",
        reference: Some((
            "RFC 7468: textual encodings of keys",
            "https://www.rfc-editor.org/rfc/rfc7468",
        )),
        ..Format::DEFAULT
    },
    Format {
        id: "secrets/url-password",
        noun: "password in a URL",
        keywords: &["://"],
        shape: Shape::Code(url::password),
        power: "can log in at the host of the URL",
        revoke: "change the password",
        reference: Some((
            "RFC 3986, section 3.2.1: user information",
            "https://www.rfc-editor.org/rfc/rfc3986#section-3.2.1",
        )),
        ..Format::DEFAULT
    },
    Format {
        id: "secrets/connection-string-password",
        noun: "password in a connection string",
        keywords: &["password=", "pwd="],
        shape: Shape::Code(connection::password),
        power: "can log in at the database of the string",
        revoke: "change the password",
        ..Format::DEFAULT
    },
    Format {
        id: "secrets/basic-auth-header",
        noun: "password in an authorization header",
        keywords: &["basic "],
        shape: Shape::Value {
            pattern: r"(?i:basic) {1,4}([A-Za-z0-9+/]{8,600}={0,2})(?:[^A-Za-z0-9+/]|\z)",
            window: 620,
        },
        judge: judges::registry_auth,
        power: "can log in as that user",
        revoke: "change the password",
        reference: Some((
            "RFC 7617: basic authentication",
            "https://www.rfc-editor.org/rfc/rfc7617",
        )),
        ..Format::DEFAULT
    },
    Format {
        id: "secrets/password-hash",
        noun: "password hash",
        severity: Severity::Medium,
        enforcement: Enforcement::Warn,
        keywords: &["$2a$", "$2b$", "$2y$", "$apr1$", "$6$"],
        shape: Shape::Token {
            pattern: r"\$(?:2[aby]\$[0-9]{2}\$[./A-Za-z0-9]{53}|apr1\$[./A-Za-z0-9]{1,8}\$[./A-Za-z0-9]{22}|6\$(?:rounds=[0-9]{1,9}\$)?[./A-Za-z0-9]{1,16}\$[./A-Za-z0-9]{86})",
            lead: 0,
            window: 128,
            alphabet: Alphabet::Base64,
        },
        power: "can try out passwords against it, without being seen",
        revoke: "change the password, and keep the hash where the password would be kept",
        ..Format::DEFAULT
    },
    Format {
        id: "secrets/jwt",
        noun: "JSON Web Token",
        severity: Severity::Low,
        enforcement: Enforcement::Warn,
        keywords: &["eyJ"],
        shape: Shape::Token {
            pattern: r"eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{20,}",
            lead: 0,
            window: 8192,
            alphabet: Alphabet::Url,
        },
        judge: judges::jwt,
        power: "can use it wherever it is accepted, until it ends",
        revoke: "end the session or change the key that signed it",
        reference: Some(("RFC 7519: JSON Web Token", "https://www.rfc-editor.org/rfc/rfc7519")),
    },
];
