//! Moving a PostgreSQL database: copy, fence, verify.

#[cfg(test)]
pub mod fake;
pub mod port;
