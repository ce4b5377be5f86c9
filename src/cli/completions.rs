//! `outgrow completions`: completions for a shell, out of the definition of the command line.

use clap::CommandFactory as _;

use super::args::{Cli, Completions};
use super::failure::Failure;

/// The completions as a script.
pub fn completions(args: &Completions) -> Result<String, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "outgrow", &mut script);
    String::from_utf8(script)
        .map_err(|error| Failure::bad_input("the completions are no text").because(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_completions_are_held() {
        let script = completions(&Completions { shell: clap_complete::Shell::Fish });
        insta::assert_snapshot!(script.unwrap());
    }

    #[test]
    fn every_shell_has_some() {
        for shell in <clap_complete::Shell as clap::ValueEnum>::value_variants() {
            let script = completions(&Completions { shell: *shell }).unwrap();
            assert!(script.contains("rehearse"), "{shell}");
        }
    }
}
