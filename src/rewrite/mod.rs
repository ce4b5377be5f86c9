//! configuration files and text assets, format-preserving.
pub mod nginx;
