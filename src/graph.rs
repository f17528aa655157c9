//! Who refers to whom: what is an object, a patch, a base, a leaf.

pub mod kustomization;
