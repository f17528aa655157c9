//! Registries of images and packages.

use crate::check::secrets::format::{Alphabet, Format, Shape};
use crate::check::secrets::judges;
use crate::rule::Severity;

pub(super) const FORMATS: &[Format] = &[
    Format {
        id: "secrets/npm-token",
        noun: "npm access token",
        severity: Severity::Critical,
        keywords: &["npm_"],
        shape: Shape::Token {
            pattern: r"npm_[A-Za-z0-9]{36}",
            lead: 0,
            window: 41,
            alphabet: Alphabet::Word,
        },
        judge: judges::base62_crc,
        power: "publishes packages as its owner",
        revoke: "revoke it with `npm token revoke`",
        reference: Some((
            "npm's access token format",
            "https://github.blog/changelog/2021-09-23-npm-has-a-new-access-token-format/",
        )),
        ..Format::DEFAULT
    },
    Format {
        id: "secrets/npmrc-auth",
        noun: "npm registry credential",
        keywords: &["_authToken"],
        shape: Shape::Value {
            pattern: r"_authToken\s{0,4}=\s{0,4}([A-Za-z0-9_.~+/=-]{16,400})",
            window: 430,
        },
        judge: judges::random,
        power: "reads and perhaps publishes packages in the registry it is for",
        revoke: "revoke it at that registry",
        ..Format::DEFAULT
    },
    Format {
        id: "secrets/pypi-token",
        noun: "Python package index token",
        severity: Severity::Critical,
        keywords: &["pypi-"],
        shape: Shape::Token {
            pattern: r"pypi-[A-Za-z0-9_-]{60,}",
            lead: 0,
            window: 506,
            alphabet: Alphabet::Url,
        },
        judge: judges::pypi,
        power: "publishes releases of its owner's projects",
        revoke: "remove it in the owner's account settings, under API tokens",
        ..Format::DEFAULT
    },
    Format {
        id: "secrets/rubygems-key",
        noun: "RubyGems API key",
        keywords: &["rubygems_"],
        shape: Shape::Token {
            pattern: r"rubygems_[0-9a-f]{48}",
            lead: 0,
            window: 58,
            alphabet: Alphabet::Word,
        },
        power: "publishes gems as its owner",
        revoke: "revoke it in the owner's settings, under API keys",
        ..Format::DEFAULT
    },
    Format {
        id: "secrets/docker-hub-pat",
        noun: "Docker Hub personal access token",
        severity: Severity::Critical,
        keywords: &["dckr_pat_"],
        shape: Shape::Token {
            pattern: r"dckr_pat_[A-Za-z0-9_-]{27}",
            lead: 0,
            window: 37,
            alphabet: Alphabet::Url,
        },
        power: "pulls private images and perhaps pushes images as its owner",
        revoke: "delete it in the owner's Docker account settings",
        reference: Some((
            "Personal access tokens of Docker",
            "https://docs.docker.com/security/access-tokens/",
        )),
        ..Format::DEFAULT
    },
    Format {
        id: "secrets/docker-hub-organization-token",
        noun: "Docker Hub organization access token",
        severity: Severity::Critical,
        keywords: &["dckr_oat_"],
        shape: Shape::Token {
            pattern: r"dckr_oat_[A-Za-z0-9_-]{32}",
            lead: 0,
            window: 42,
            alphabet: Alphabet::Url,
        },
        power: "pulls private images and perhaps pushes images of the organization",
        revoke: "delete it in the organization's settings, under Access tokens",
        ..Format::DEFAULT
    },
    Format {
        id: "secrets/artifactory-api-key",
        noun: "Artifactory API key",
        severity: Severity::Critical,
        keywords: &["AKCp"],
        shape: Shape::Token {
            pattern: r"AKCp[A-Za-z0-9]{68,70}",
            lead: 0,
            window: 75,
            alphabet: Alphabet::Word,
        },
        power: "reads and writes artifacts as its owner",
        revoke: "revoke it in the owner's profile",
        ..Format::DEFAULT
    },
    Format {
        id: "secrets/registry-auth",
        noun: "container registry password",
        severity: Severity::Critical,
        keywords: &["\"auth"],
        shape: Shape::Value {
            pattern: r#""auth\\{0,2}"\s{0,8}:\s{0,8}\\{0,2}"([A-Za-z0-9+/]{8,}={0,2})\\{0,2}""#,
            window: 8100,
        },
        judge: judges::registry_auth,
        power: "pulls private images and perhaps pushes images as that user",
        revoke: "change the password, or delete the robot account, at the registry",
        reference: Some((
            "Pulling an image from a private registry",
            "https://kubernetes.io/docs/tasks/configure-pod-container/pull-image-private-registry/",
        )),
        ..Format::DEFAULT
    },
];
