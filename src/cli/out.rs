//! Standard output for data, standard error for everything that is said.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this is where the command line prints")]

use std::io::Write as _;

/// Data: a plan, a table, JSON. A reader that has gone away (`| head`) is no error.
pub fn data(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ =
        out.write_all(text.as_bytes()).and_then(|()| if text.ends_with('\n') { Ok(()) } else { out.write_all(b"\n") });
    let _ = out.flush();
}

/// Something said to the person.
pub fn say(text: &str) {
    eprintln!("{text}");
}
