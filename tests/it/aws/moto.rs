//! moto, the other emulator, from the probe's Python environment.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use crate::probe::python;

/// A running server; dropped, it is killed.
pub struct Server {
    child: Child,
    pub endpoint: String,
}

impl Server {
    /// Starts it on a free port, which it tells when it listens there.
    pub fn start() -> Self {
        let mut command = Command::new(python().with_file_name("moto_server"));
        command.args(["--host", "127.0.0.1", "--port", "0"]).stdin(Stdio::null()).stdout(Stdio::null());
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let endpoint =
            lines.find_map(|line| line.unwrap().split_once("Running on ").map(|(_, at)| at.trim().to_owned()));
        // Its log is read on, or it would stop at a full pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, endpoint: endpoint.expect("moto tells where it runs") }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
