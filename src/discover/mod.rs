//! Drafts a site file from what runs on the box: its containers, and the configuration of its nginx.
//!
//! [`observe`] looks, [`guess`] concludes, [`draft`] writes it down. Every guess carries its reason as a comment; what
//! cannot be known is a blank (`???`) that the loader refuses until somebody fills it in.

mod draft;
mod guess;
mod observe;

use crate::clients::ClientResult;
use crate::clients::hosts::HostRead;
use crate::site::EngineAddress;

pub use draft::draft;
pub use guess::{Guess, Guesses, guess};
pub use observe::{Seen, observe};

/// A site file for the box behind an engine, as YAML with comments. Changes nothing.
///
/// # Errors
/// If the engine cannot be asked. Whatever cannot be read inside a container only leaves more blanks.
pub async fn discover(host: &dyn HostRead, engine: &EngineAddress) -> ClientResult<String> {
    let seen = observe(host).await?;
    Ok(draft(&guess(&seen, engine)))
}

#[cfg(test)]
mod tests;
