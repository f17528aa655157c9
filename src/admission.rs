//! The wire of admission: what an AdmissionReview asks, and how it is answered.
//!
//! `admission.k8s.io/v1` and `v1beta1`, as `k8s.io/api/admission` defines them. Nothing here
//! evaluates a rule.

mod answer;
mod request;
mod stream;

pub use answer::{Answer, Decision, Judgement, Record, answer, refuse, refuse_review};
pub use request::{InvalidReview, Request, Version};
pub use stream::{Question, questions};
