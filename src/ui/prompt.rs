//! Questions to the person at the terminal. Every one has a flag that answers it, so that nothing ever hangs where
//! nobody is.

use std::io::IsTerminal as _;

use inquire::{Confirm, InquireError, Select};

/// A question that is answered by yes or no.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The question, without the question mark's answer choices.
    pub text: &'a str,
    /// The flag that says yes.
    pub flag: &'a str,
    /// Whether the return key alone says yes.
    pub default: bool,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// Nobody is there to ask.
    #[error("`{question}` cannot be asked here, since this is no terminal")]
    NoTerminal {
        /// What was to be asked.
        question: String,
        /// The flag that would have answered.
        flag: String,
    },
    /// The person left the question (Escape, Ctrl-C).
    #[error("`{0}` was left without an answer")]
    Left(String),
}

impl NoAnswer {
    /// What to do next.
    pub fn hint(&self) -> String {
        match self {
            Self::NoTerminal { flag, .. } => format!("answer beforehand with {flag}, or run it on a terminal"),
            Self::Left(_) => "nothing was changed since; type the command again to go on".into(),
        }
    }
}

/// Whoever answers.
pub trait Ask: Send {
    /// Yes or no.
    fn confirm(&mut self, question: Question<'_>) -> Result<bool, NoAnswer>;

    /// One of several, by its index; `flag` would have answered.
    fn choose(&mut self, text: &str, flag: &str, choices: &[&str]) -> Result<usize, NoAnswer>;
}

/// The person at the terminal.
#[derive(Debug, Default)]
pub struct Terminal;

/// Nobody: the flags have answered already.
#[derive(Debug, Default)]
pub struct Flags {
    /// `--yes`: all that is asked is agreed to.
    pub yes: bool,
}

/// The flags if they answer, else the person if there is one, else nobody.
pub fn fitting(yes: bool) -> Box<dyn Ask> {
    let person = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    if !yes && person { Box::new(Terminal) } else { Box::new(Flags { yes }) }
}

impl Ask for Terminal {
    fn confirm(&mut self, question: Question<'_>) -> Result<bool, NoAnswer> {
        let help = format!("{} answers this beforehand", question.flag);
        let prompt = Confirm::new(question.text).with_default(question.default).with_help_message(&help);
        prompt.prompt().map_err(|error| no_answer(&error, question.text, question.flag))
    }

    fn choose(&mut self, text: &str, flag: &str, choices: &[&str]) -> Result<usize, NoAnswer> {
        let help = format!("arrow keys and return; {flag} answers this beforehand");
        let prompt = Select::new(text, choices.to_vec()).with_help_message(&help);
        prompt.raw_prompt().map(|chosen| chosen.index).map_err(|error| no_answer(&error, text, flag))
    }
}

impl Ask for Flags {
    fn confirm(&mut self, question: Question<'_>) -> Result<bool, NoAnswer> {
        if self.yes { Ok(true) } else { Err(nobody(question.text, question.flag)) }
    }

    /// `--yes` agrees to a plan; it does not choose between ways.
    fn choose(&mut self, text: &str, flag: &str, _: &[&str]) -> Result<usize, NoAnswer> {
        Err(nobody(text, flag))
    }
}

fn nobody(question: &str, flag: &str) -> NoAnswer {
    NoAnswer::NoTerminal { question: question.to_owned(), flag: flag.to_owned() }
}

fn no_answer(error: &InquireError, question: &str, flag: &str) -> NoAnswer {
    match error {
        InquireError::NotTTY => nobody(question, flag),
        _ => NoAnswer::Left(question.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUESTION: Question<'_> = Question { text: "Go on?", flag: "--yes", default: false };

    #[test]
    fn off_a_terminal_the_flag_answers_or_is_named() {
        assert_eq!(Flags { yes: true }.confirm(QUESTION), Ok(true));
        let error = Flags { yes: false }.confirm(QUESTION).unwrap_err();
        assert_eq!(error.to_string(), "`Go on?` cannot be asked here, since this is no terminal");
        assert_eq!(error.hint(), "answer beforehand with --yes, or run it on a terminal");
    }

    #[test]
    fn yes_does_not_choose() {
        let error = Flags { yes: true }.choose("Which way?", "--accept-loss", &["a", "b"]).unwrap_err();
        assert!(error.hint().contains("--accept-loss"));
    }
}
