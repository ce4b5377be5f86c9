//! Moving a PostgreSQL database: copy, fence, verify.

pub mod port;
