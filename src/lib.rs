//! Tidewaiter: the gate between a GitOps pull request and its clusters.
//!
//! The modules in reading order: the vocabulary ([`source`], [`document`], [`rule`], [`finding`],
//! [`environment`], [`review`]), then the stages, each of which imports only what stands before
//! it. `docs/architecture.md` draws the way data flows.

pub mod source;

pub mod document;
pub mod rule;

pub mod environment;
pub mod finding;

pub mod load;

pub mod review;

pub mod check;

pub mod judge;

pub mod report;
