//! Origins as they are printed.
