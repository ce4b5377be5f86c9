//! the run's write-ahead record.
