//! the only place that names an SDK.
