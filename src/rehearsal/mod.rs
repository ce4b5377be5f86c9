//! the local cloud and the visitors.
