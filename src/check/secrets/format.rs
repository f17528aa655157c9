//! What a secret looks like, as data: one [`Format`] is one rule.

use std::borrow::Cow;
use std::ops::Range;

use crate::rule::{Doors, Enforcement, Minors, Reference, RuleId, RuleMeta, Scope, Severity};

/// One kind of secret, and everything there is to say of it.
#[derive(Debug)]
pub(super) struct Format {
    /// The id of the rule: `secrets/…`.
    pub(super) id: &'static str,
    /// What a message calls it, without an article.
    pub(super) noun: &'static str,
    /// How bad it is to lose one.
    pub(super) severity: Severity,
    /// What a find does to the gate where the configuration says nothing.
    pub(super) enforcement: Enforcement,
    /// Texts of which every secret of this kind holds or follows one. Their case is not looked at.
    pub(super) keywords: &'static [&'static str],
    /// Where the secret stands around a keyword.
    pub(super) shape: Shape,
    /// What can be told of a text that has the shape.
    pub(super) judge: fn(&[u8]) -> Verdict,
    /// What whoever finds it can do with it: a clause that follows "whoever reads it".
    pub(super) power: &'static str,
    /// How to make it worthless: an imperative clause.
    pub(super) revoke: &'static str,
    /// Title and address of what the shape rests on.
    pub(super) reference: Option<(&'static str, &'static str)>,
}

impl Format {
    /// What most formats have in common; a row gives the rest.
    pub(super) const DEFAULT: Self = Self {
        id: "",
        noun: "",
        severity: Severity::High,
        enforcement: Enforcement::Deny,
        keywords: &[],
        shape: Shape::Token { pattern: "", lead: 0, window: 0, alphabet: Alphabet::Word },
        judge: |_| Verdict::Plausible,
        power: "",
        revoke: "",
        reference: None,
    };

    /// Returns the rule.
    pub(super) fn rule(&self) -> RuleMeta {
        RuleMeta {
            id: RuleId::known(self.id),
            title: Cow::Owned(format!("{} in clear", capitalized(self.noun))),
            description: Cow::Owned(format!(
                "A file holds {} in clear or merely encoded. Whoever reads the repository, one \
                 of its clones or its history {}. Removing it from the file does not take it out \
                 of the history, so it has to be revoked.",
                with_article(self.noun),
                self.power,
            )),
            help: Cow::Owned(format!(
                "revoke it first: {}; then remove it from the file and from the history, and \
                 refer to a secret store or commit it encrypted",
                self.revoke,
            )),
            severity: self.severity,
            enforcement: self.enforcement,
            scope: Scope::Source,
            doors: Doors::Both,
            minors: Minors::ALL,
            since: Cow::Borrowed("0.1.0"),
            references: self
                .reference
                .into_iter()
                .map(|(title, url)| Reference { title: title.into(), url: url.into() })
                .collect(),
        }
    }

    /// Says whether the text of the secret alone tells what it is.
    ///
    /// Only such formats are looked for in files that are full of random text, as lock files are.
    pub(super) fn is_distinctive(&self) -> bool {
        matches!(self.shape, Shape::Token { .. })
    }
}

/// Where a secret stands around a keyword.
///
/// INVARIANT: the work for each keyword is bounded, and for all keywords of a text together it is
/// linear in the text. A pattern sees `window` bytes only, and where that is many the alphabet
/// keeps it from starting again inside of what it has just read.
#[derive(Debug)]
pub(super) enum Shape {
    /// The keyword is a part of the secret, which is the whole match.
    Token {
        /// The secret.
        pattern: &'static str,
        /// How many bytes of the secret stand before the keyword.
        lead: usize,
        /// The longest text the pattern sees.
        window: usize,
        /// What may stand neither before nor after the secret.
        alphabet: Alphabet,
    },
    /// The keyword is the name to which the secret is given: the first group of the match.
    Value {
        /// The name, what separates, and the secret.
        pattern: &'static str,
        /// The longest text the pattern sees.
        window: usize,
    },
    /// What no pattern can say. Gets the whole text and the place of the keyword.
    Code(fn(&[u8], Range<usize>) -> Option<Candidate>),
}

/// The letters of which a token is a part of something longer when they stand beside it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Alphabet {
    /// Letters, digits, `_`.
    Word,
    /// Letters, digits, `_`, `-`.
    Url,
    /// Letters, digits, `+`, `/`.
    Base64,
}

impl Alphabet {
    pub(super) fn has(self, byte: u8) -> bool {
        byte.is_ascii_alphanumeric()
            || match self {
                Self::Word => byte == b'_',
                Self::Url => byte == b'_' || byte == b'-',
                Self::Base64 => byte == b'+' || byte == b'/',
            }
    }
}

/// A place that has the shape of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    /// The secret itself.
    pub(super) token: Range<usize>,
    /// What it belongs to, e.g. the id of the key.
    pub(super) related: Option<Range<usize>>,
    /// What can be told of it.
    pub(super) verdict: Verdict,
}

/// What can be told of a text that has the shape of a secret, without asking its issuer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// A checksum or an inner structure confirms it.
    Genuine,
    /// There is nothing to confirm it by.
    Plausible,
    /// A checksum or an inner structure speaks against it: an example, or altered.
    Doubtful,
    /// It is something else.
    Refuted,
}

/// Puts `a` or `an` before a noun.
pub(super) fn with_article(noun: &str) -> String {
    // The names that are spelled out letter by letter, `npm` and `HCP`, begin with a vowel too.
    let is_an = noun.starts_with(['a', 'e', 'i', 'o', 'A', 'E', 'I', 'O'])
        || noun.starts_with("npm")
        || noun.starts_with("HCP");
    format!("{} {noun}", if is_an { "an" } else { "a" })
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
