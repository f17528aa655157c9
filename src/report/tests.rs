//! What holds for every format.

use super::fixture::{PLAIN, Repo, full, rule};
use super::{Format, Style};
use crate::document::FieldPath;
use crate::finding::Finding;
use crate::rule::Enforcement;

#[test]
fn a_whole_report() {
    insta::assert_snapshot!(full().human(), @"");
}
