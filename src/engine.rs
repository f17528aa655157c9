//! The languages that rules and templates are written in. Knows no rule.

pub mod cel;
pub mod go_template;
pub mod re2;
pub mod rego;
