//! An AdmissionReview's request, read from JSON.

/// The version of `admission.k8s.io` that a review was written in; its answer has the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// `v1`.
    V1,
    /// `v1beta1`, which API servers before 1.16 send.
    V1Beta1,
}

/// What an AdmissionReview asks.
#[derive(Debug, Clone)]
pub struct Request {
    /// The id, which the answer repeats byte for byte.
    pub uid: String,
}

/// Why a text is no AdmissionReview that can be judged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidReview(pub String);
