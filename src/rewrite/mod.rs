//! configuration files and text assets, format-preserving.
