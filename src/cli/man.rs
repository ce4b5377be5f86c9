//! `outgrow man`: the man pages, out of the definition of the command line.

use std::path::Path;

use clap::CommandFactory as _;
use clap_mangen::Man as Page;

use super::args::{Cli, Man};
use super::failure::Failure;
use super::out;

/// Prints the main page, or writes them all.
pub fn run(args: &Man) -> Result<(), Failure> {
    match &args.dir {
        Some(dir) => pages(dir),
        None => out::data(&page()?),
    }
}

/// The main page, as roff.
pub fn page() -> Result<String, Failure> {
    let mut text = Vec::new();
    let unwritable =
        |error: std::io::Error| Failure::bad_input("the man page could not be written").because(error.to_string());
    Page::new(Cli::command()).render(&mut text).map_err(unwritable)?;
    String::from_utf8(text).map_err(|error| Failure::bad_input("the man page is no text").because(error.to_string()))
}

/// Writes the main page and one a verb into a directory, which is made if it is not there.
pub fn pages(dir: &Path) -> Result<(), Failure> {
    let write = || {
        std::fs::create_dir_all(dir)?;
        clap_mangen::generate_to(Cli::command(), dir)
    };
    write().map_err(|error: std::io::Error| {
        Failure::bad_input(format!("the man pages could not be written to {}", dir.display()))
            .because(error.to_string())
            .hint("name a directory that can be written to")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_held() {
        insta::assert_snapshot!(page().unwrap());
    }

    #[test]
    fn every_verb_has_a_page() {
        let dir = tempfile::tempdir().unwrap();
        pages(dir.path()).unwrap();
        let visible = Cli::command().get_subcommands().filter(|verb| !verb.is_hide_set()).count();
        let verbs = Cli::command()
            .get_subcommands()
            .filter(|v| !v.is_hide_set())
            .map(|v| v.get_name().to_owned())
            .collect::<Vec<_>>();
        for verb in &verbs {
            assert!(dir.path().join(format!("outgrow-{verb}.1")).exists(), "{verb}");
        }
        assert!(visible >= 15);
        assert!(pages(Path::new("/dev/null/man")).unwrap_err().render().contains("/dev/null/man"));
    }
}
