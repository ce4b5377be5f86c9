//! one file a kind of step.
