//! The expression languages that rules are written in. Knows no rule.

pub mod cel;
pub mod re2;
pub mod rego;
