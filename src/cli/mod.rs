//! one file a verb.
