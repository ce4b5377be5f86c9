//! `outgrow completions`: completions for a shell, out of the definition of the command line.

use clap::CommandFactory as _;

use super::args::{Cli, Completions};

/// The completions as a script.
pub fn completions(args: &Completions) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "outgrow", &mut script);
    script
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_completions_are_held() {
        let script = completions(&Completions { shell: clap_complete::Shell::Fish });
        insta::assert_snapshot!(String::from_utf8(script).unwrap());
    }

    #[test]
    fn every_shell_has_some() {
        for shell in <clap_complete::Shell as clap::ValueEnum>::value_variants() {
            let script = String::from_utf8(completions(&Completions { shell: *shell })).unwrap();
            assert!(script.contains("rehearse"), "{shell}");
        }
    }
}
