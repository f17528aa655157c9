//! The words that teams use for environments.

/// Words and the class that they stand for. The first of a class is its name.
const WORDS: [(&str, &[&str]); 14] = [
    ("dev", &["dev", "develop", "development"]),
    ("sandbox", &["sandbox", "sbox", "sbx"]),
    ("test", &["test", "tst", "testing"]),
    ("qa", &["qa"]),
    ("uat", &["uat"]),
    ("integration", &["integration", "int"]),
    ("ithc", &["ithc"]),
    ("demo", &["demo"]),
    ("ptl", &["ptl"]),
    ("perf", &["perf", "perftest", "load", "loadtest"]),
    ("nonprod", &["nonprod", "non-prod", "nonproduction", "non-production"]),
    ("stage", &["stage", "staging", "stg"]),
    ("preprod", &["preprod", "pre-prod", "preproduction", "pre-production"]),
    ("prod", &["prod", "production", "prd", "live"]),
];

/// Classes whose words are rarely anything but environments when they stand side by side.
const CORE: [&str; 10] =
    ["dev", "test", "qa", "uat", "stage", "prod", "integration", "sandbox", "preprod", "nonprod"];

/// Words of a compound name that say that it names a place, as in `staging-eu-2`.
const PLACES: [&str; 19] = [
    "eu", "us", "uk", "de", "ap", "asia", "emea", "apac", "amer", "west", "east", "north", "south",
    "central", "internal", "external", "public", "private", "cluster",
];

/// Returns the class of a word, e.g. `prod` for `production`.
pub(super) fn class(word: &str) -> Option<&'static str> {
    let word = word.to_ascii_lowercase();
    WORDS.iter().find(|(_, words)| words.contains(&word.as_str())).map(|(class, _)| *class)
}

/// Says whether a class is one of the core.
pub(super) fn is_core(class: &str) -> bool {
    CORE.contains(&class)
}

/// Says whether a class is also an everyday word of software, as a folder of tests is.
pub(super) fn is_everyday(class: &str) -> bool {
    matches!(class, "dev" | "test" | "integration")
}

/// Returns the class that a compound name carries, e.g. `prod` for `nerc-ocp-prod`.
///
/// The word may end the name, or begin it where the rest names a place: `production-tools` is an
/// app, and `dev-team` a tenant.
pub(super) fn affix(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_lowercase();
    if name.starts_with("letsencrypt") {
        // The issuer's own staging, not the team's.
        return None;
    }
    let tokens: Vec<&str> = name.split(['-', '_', '.']).filter(|it| !it.is_empty()).collect();
    let (first, rest) = tokens.split_first()?;
    let (last, _) = rest.split_last()?;
    // `non-prod` and `pre-prod` are words of their own.
    if let [.., before, _] = tokens.as_slice()
        && let Some(class) = class(&format!("{before}-{last}"))
    {
        return Some(class);
    }
    if let Some(class) = class(last) {
        return Some(class);
    }
    let is_place = |word: &&str| PLACES.contains(word) || word.chars().any(|c| c.is_ascii_digit());
    class(first).filter(|_| rest.iter().any(is_place))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_have_one_class() {
        assert_eq!(class("Production"), Some("prod"));
        assert_eq!(class("stg"), Some("stage"));
        assert_eq!(class("idfprod"), None);
    }

    #[test]
    fn compound_names_carry_a_class_at_their_ends() {
        assert_eq!(affix("nerc-ocp-prod"), Some("prod"));
        assert_eq!(affix("staging-eu"), Some("stage"));
        assert_eq!(affix("ocp4-stage"), Some("stage"));
        assert_eq!(affix("eu-non-prod"), Some("nonprod"));
        for name in ["production-tools", "dev-team", "letsencrypt-prod", "prod", "web"] {
            assert_eq!(affix(name), None, "{name}");
        }
    }
}
