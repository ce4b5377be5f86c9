//! the procedure: its model, loading with spans, lint.
