//! Parses arguments, runs the library, turns the outcome into an exit code.

fn main() {}
