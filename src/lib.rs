//! Tidewaiter: the gate between a GitOps pull request and its clusters.
//!
//! The modules in reading order: the vocabulary ([`date`], [`hex`], [`naming`], [`quantity`], [`source`], [`document`], [`rule`],
//! [`finding`], [`wording`], [`environment`], [`review`], [`config`]), the expression languages ([`engine`]), then the
//! stages, each of which imports only what stands before it. `docs/architecture.md` draws the way
//! data flows. [`admission`] and [`serve`] are the second door: the same stages, from `review` on.

pub mod date;
pub mod hex;
pub mod naming;
pub mod quantity;
pub mod source;

pub mod document;
pub mod rule;

pub mod environment;
pub mod finding;
pub mod wording;

pub mod config;
pub mod review;

pub mod engine;

pub mod discover;
pub mod fetch;
pub mod load;

pub mod graph;
pub mod render;

pub mod check;

pub mod judge;

pub mod report;

pub mod admission;

pub mod run;

pub mod serve;

pub mod certificates;

pub mod cli;
