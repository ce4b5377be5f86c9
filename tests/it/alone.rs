//! `outgrow cloud`, the real program: what it prints, what it serves, and that nothing of it stays.

use std::io::BufRead as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use bytes::Bytes;
use outgrow::clients::aws::{Access, Clouds};
use outgrow::clients::objects::{Body, Headers};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// A running `outgrow cloud`; dropped, it is killed.
struct Running {
    child: Child,
    first: String,
    out: std::io::BufReader<std::process::ChildStdout>,
}

impl Running {
    fn start(args: &[&str], temp: &Path) -> Self {
        let mut child = command(args, temp).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut out = std::io::BufReader::new(child.stdout.take().unwrap());
        let mut first = String::new();
        out.read_line(&mut first).unwrap();
        Self { child, first, out }
    }

    fn ready(&self) -> Value {
        serde_json::from_str(&self.first).unwrap_or_else(|e| panic!("{e}: {}", self.first))
    }

    /// Sends the signal; the exit code it ends with.
    fn end(&mut self, signal: Signal) -> i32 {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
        let began = std::time::Instant::now();
        let code = self.child.wait().unwrap().code().unwrap();
        assert!(began.elapsed() < Duration::from_secs(10), "it took {:?} to end", began.elapsed());
        code
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(args: &[&str], temp: &Path) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("outgrow"));
    command.arg("cloud").args(args).env("TMPDIR", temp).env("HOME", temp).stdin(Stdio::null());
    command
}

async fn clients(ready: &Value) -> Clouds {
    let variable = |name: &str| ready["variables"][name].as_str().unwrap().to_owned();
    Clouds::connect(&Access {
        region: variable("AWS_REGION"),
        endpoint: Some(variable("AWS_ENDPOINT_URL")),
        credentials: Some((variable("AWS_ACCESS_KEY_ID"), variable("AWS_SECRET_ACCESS_KEY").into())),
    })
    .await
}

#[tokio::test]
async fn what_it_prints_is_what_it_serves_and_nothing_stays() {
    let temp = tempfile::tempdir().unwrap();
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let mut running = Running::start(&["--json"], temp.path());
        let ready = running.ready();
        assert_eq!(clients(&ready).await.identity().await.unwrap().account, "000000000000");
        let dir = Path::new(ready["dir"].as_str().unwrap());
        assert!(dir.starts_with(temp.path()) && Path::new(ready["ca"].as_str().unwrap()).exists());
        assert_eq!(running.end(signal), 0, "{signal:?}");
        assert_eq!(std::fs::read_dir(temp.path()).unwrap().count(), 0, "something stayed");
    }
}

#[tokio::test]
async fn what_lies_in_s3_is_found_again() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("cloud");
    let args = ["--json", "--dir", dir.to_str().unwrap()];
    let mut running = Running::start(&args, temp.path());
    let objects = clients(&running.ready()).await.objects;
    objects.create_private_bucket("kept", &[]).await.unwrap();
    objects.put("kept", "a/가", Body::Bytes(Bytes::from_static(b"x")), &Headers::default()).await.unwrap();
    assert_eq!(running.end(Signal::TERM), 0);
    let mut running = Running::start(&args, temp.path());
    let objects = clients(&running.ready()).await.objects;
    assert_eq!(objects.get("kept", "a/가").await.unwrap().unwrap(), "x");
    assert_eq!(running.end(Signal::TERM), 0);
}

#[test]
fn a_shell_can_read_what_it_prints() {
    let temp = tempfile::tempdir().unwrap();
    let mut running = Running::start(&["--region", "eu-central-1"], temp.path());
    let mut text = running.first.clone();
    while !text.contains("OUTGROW_CLOUD_CA") {
        assert!(running.out.read_line(&mut text).unwrap() > 0, "{text}");
    }
    let echo = format!("{text}\necho \"$AWS_REGION ${{AWS_PROFILE-none}} $AWS_ENDPOINT_URL\"");
    let shell = Command::new("sh").args(["-euc", &echo]).env("AWS_PROFILE", "mine").output().unwrap();
    let said = String::from_utf8(shell.stdout).unwrap();
    assert!(said.starts_with("eu-central-1 none http://127.0.0.1:"), "{said}");
    assert_eq!(running.end(Signal::INT), 0);
}

#[test]
fn what_cannot_be_is_bad_input_and_leaves_nothing() {
    let temp = tempfile::tempdir().unwrap();
    let held = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let held = held.local_addr().unwrap().to_string();
    for (args, told) in [
        (&["--listen", "0.0.0.0:0"][..], "loopback only"),
        (&["--listen", &held], held.as_str()),
        (&["--dns", &held], "name server"),
        (&["--dir", "/dev/null/cloud"], "/dev/null/cloud"),
        (&["--listen", "localhost"], "--listen"),
    ] {
        let output = command(args, temp.path()).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{args:?}: {said}");
        assert!(said.starts_with("error: ") && said.contains(told), "{args:?}: {said}");
    }
    assert_eq!(std::fs::read_dir(temp.path()).unwrap().count(), 0, "bad input leaves nothing behind");
}
