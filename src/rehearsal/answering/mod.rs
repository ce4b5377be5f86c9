//! What a name is answered with: the zones of the state, made ready ([`Directory`]), and the rules by which a record is
//! chosen ([`Directory::look_up`]). Pure but for the dice. The name server answers by it, and so does `TestDNSAnswer`.

mod choose;
mod dice;
mod directory;
mod lookup;
pub mod name;
mod rdata;
mod strings;
#[cfg(test)]
mod tests;
mod zone;

pub use dice::Dice;
pub use directory::{Directory, public_zone};
pub use lookup::{Asked, Code, Outcome, Owner, Record, Value};
pub use rdata::{KINDS, encode, kind_number};

/// A value that Route 53 does not take, in its words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("FATAL problem: {code} ({why}) encountered with '{value}'")]
pub struct Fault {
    /// Route 53's name for it, such as `DomainLabelEmpty`.
    pub code: &'static str,
    /// The same in a sentence.
    pub why: &'static str,
    /// What was given.
    pub value: String,
}
