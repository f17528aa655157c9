//! What one cluster would receive, and what kind of place it is.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// A Kubernetes minor version, e.g. `1.37`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KubernetesVersion {
    /// The major number; always 1 so far.
    pub major: u32,
    /// The minor number.
    pub minor: u32,
}

impl fmt::Display for KubernetesVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// Why a text is not a Kubernetes version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a Kubernetes version: write a minor version such as `1.37`")]
pub struct InvalidKubernetesVersion(String);

impl FromStr for KubernetesVersion {
    type Err = InvalidKubernetesVersion;

    /// Reads `1.37`, `v1.37`, `1.37.2`, `v1.37.2-gke.100` or `1.37+`: the patch does not matter.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidKubernetesVersion(text.to_owned());
        let mut parts = text.strip_prefix('v').unwrap_or(text).split('.');
        let major = parts.next().ok_or_else(invalid)?;
        let minor = parts.next().ok_or_else(invalid)?.trim_end_matches('+');
        if let Some(patch) = parts.next()
            && !patch.starts_with(|c: char| c.is_ascii_digit())
        {
            return Err(invalid());
        }
        Ok(Self {
            major: major.parse().map_err(|_| invalid())?,
            minor: minor.parse().map_err(|_| invalid())?,
        })
    }
}

/// How much is at stake in an environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tier {
    /// Anything that is not production.
    NonProduction,
    /// Production.
    Production,
}

impl Tier {
    /// Returns the name that Rego and the reports use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NonProduction => "non-production",
            Self::Production => "production",
        }
    }
}

/// What one cluster would receive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// E.g. `prod`, or `prod/eu-west` where an environment has several clusters.
    pub name: Arc<str>,
    /// How much is at stake.
    pub tier: Tier,
    /// The cluster, where it is known.
    pub cluster: Option<Arc<str>>,
    /// The version whose schemas and rules hold.
    pub kubernetes: KubernetesVersion,
    /// Labels that the configuration gives it, for rules.
    pub labels: BTreeMap<String, String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_teams_write_them() {
        for text in ["1.37", "v1.37", "1.37.2", "v1.37.2-gke.100", "1.37+"] {
            let version = KubernetesVersion { major: 1, minor: 37 };
            assert_eq!(text.parse(), Ok(version), "{text}");
        }
        for text in ["", "1", "latest", "1.x", "1.37.x"] {
            assert!(text.parse::<KubernetesVersion>().is_err(), "{text}");
        }
    }
}
