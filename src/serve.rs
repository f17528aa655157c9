//! The webhook: AdmissionReviews over HTTPS, answered by the gate of one cluster.
