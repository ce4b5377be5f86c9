//! Colour, where it is wanted. Nothing is said by colour alone.

use std::io::IsTerminal as _;

/// Paints words, or leaves them plain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paint {
    on: bool,
}

impl Paint {
    /// With colour.
    pub const COLOUR: Self = Self { on: true };
    /// Without.
    pub const PLAIN: Self = Self { on: false };

    /// Colour on a terminal, unless it was asked not to (`--no-color`, `NO_COLOR`) or the terminal cannot.
    pub fn fitting(no_color: bool) -> Self {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self { on: !no_color && !set("NO_COLOR") && !dumb && std::io::stderr().is_terminal() }
    }

    /// Something good.
    pub fn good(self, text: &str) -> String {
        self.with("32", text)
    }

    /// Something bad.
    pub fn bad(self, text: &str) -> String {
        self.with("31", text)
    }

    /// Something to mind.
    pub fn mind(self, text: &str) -> String {
        self.with("33", text)
    }

    /// Something that stands out.
    pub fn strong(self, text: &str) -> String {
        self.with("1", text)
    }

    /// Something of less weight.
    pub fn faint(self, text: &str) -> String {
        self.with("2", text)
    }

    fn with(self, code: &str, text: &str) -> String {
        if self.on { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}
