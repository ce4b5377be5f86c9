//! bars, plain lines, JSON and prompts; they see events, nothing else.
