//! Rewriting what the move changes in other people's files, pure and format-preserving: no file, socket or clock is
//! touched in here. Bytes that were not asked to change come out as they went in.
//!
//! [`config`] edits values in configuration files, [`app`] knows where a database's address and a CORS allow-list
//! stand, [`origin`] and [`hashed`] carry a new API base through a static site, [`media`] and [`leak`] judge what goes
//! out and with which headers. [`nginx`] only reads.

pub mod app;
pub mod config;
pub mod hashed;
pub mod leak;
pub mod media;
pub mod nginx;
pub mod origin;
