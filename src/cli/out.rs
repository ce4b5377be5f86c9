//! Standard output carries data; everything said to a person goes to standard error.

use std::io::Write as _;

use super::args::Global;
use super::failure::Failure;

/// Writes data, with a final line break. A reader that went away (`| head`) is no failure.
pub fn data(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    let end = if text.ends_with('\n') { "" } else { "\n" };
    match write!(out, "{text}{end}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::bad_input("standard output could not be written").because(error.to_string()))
        }
        _ => Ok(()),
    }
}

/// Says something to the person.
pub fn say(text: &str) {
    // With standard error gone, nobody is there to be told.
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Reports a failure: a person gets it on standard error, with `--json` a program gets it as the last line of
/// standard output.
pub fn failed(failure: &Failure, global: &Global) {
    if failure.is_told() {
        return;
    }
    if global.json {
        let _ = data(&failure.json());
    } else {
        say(&failure.render());
    }
}
