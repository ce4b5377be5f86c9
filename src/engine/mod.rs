//! forward, back, in doubt, gates, control.
