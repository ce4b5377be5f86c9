//! The log of a run: JSON lines in its directory, for a person who has to know more. Only outgrow's own spans and
//! events go in: what the libraries say could hold a secret.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::OnceLock;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

static FILE: OnceLock<File> = OnceLock::new();

/// Starts logging. Until [`to`] names a file, what is logged is dropped.
pub fn start(verbose: u8) {
    let level = match verbose {
        0 => "outgrow=info",
        1 => "outgrow=debug",
        _ => "outgrow=trace",
    };
    // A second start (in tests) keeps the first.
    let _ = tracing_subscriber::fmt().json().with_env_filter(EnvFilter::new(level)).with_writer(Log).try_init();
}

/// From here on the log goes to this file, after what stands there. A log that cannot be written stops no run.
pub fn to(path: &Path) {
    if let Ok(file) = OpenOptions::new().append(true).create(true).mode(0o600).open(path) {
        let _ = FILE.set(file);
    }
}

#[derive(Clone, Copy)]
struct Log;

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        *self
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        FILE.get().map_or(Ok(bytes.len()), |mut file| file.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
