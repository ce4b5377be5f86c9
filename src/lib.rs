//! outgrow moves a web application that has outgrown its one Docker box to CloudFront + S3, an ALB with EC2 app
//! hosts, and RDS for PostgreSQL, and back if need be.
//!
//! ```text
//! site + playbook → plan (judged, sealed) → engine (journal first) → steps → clients → Docker / AWS / PostgreSQL
//!                                             └→ events → bars · plain lines · JSON
//! ```
//! [`cli`] is where a command comes in; [`step`] is the contract everything turns on; ARCHITECTURE.md is the map.

pub mod cli;
pub mod clients;
pub mod discover;
pub mod engine;
pub mod event;
pub mod home;
pub mod journal;
pub mod plan;
pub mod playbook;
pub mod postgres;
pub mod rehearsal;
pub mod rewrite;
pub mod site;
pub mod step;
pub mod steps;
pub mod text;
pub mod ui;
pub mod world;
