//! The only place that names an SDK. A port (a small trait, read and write apart) says what the steps need of a
//! service; `aws/` and `docker/` fulfil it over the wire, `fake/` in memory for the tests of steps and engine.
//!
//! A `…Read` trait cannot change anything; a `…Write` trait is its reader too. [`crate::step::Look`] holds readers
//! alone, so a dry run changes nothing, by type.

pub mod any_certificate;
pub mod aws;
pub mod balancer;
pub mod certificates;
pub mod distributions;
pub mod dns;
pub mod docker;
pub mod error;
#[cfg(test)]
pub mod fake;
pub mod hooks;
pub mod hosts;
pub mod instances;
pub mod metrics;
pub mod objects;
pub mod postgres;
pub mod viewer_function;
pub mod web;
pub mod web_http;

pub use error::{ClientError, ClientResult, Kind};
