//! The access log, in AWS's format: a line a request, in a file for each balancer, where the balancer's attribute
//! `access_logs.s3.enabled` is on. AWS delivers files to the bucket every five minutes; here the lines are in a file of
//! the rehearsal's directory at once, and the bucket is not asked for. Best effort, as there: lines that come faster
//! than the disk takes them are left out.
//!
//! Source: ALB user guide, "Access logs for your Application Load Balancer".

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Lines that may wait for the disk.
const WAITING: usize = 16 << 10;

/// How many are written at a time.
const AT_A_TIME: usize = 512;

/// Where lines go. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Log {
    lines: mpsc::Sender<(String, String)>,
    dir: Arc<OnceLock<PathBuf>>,
}

impl Log {
    /// A log that is written until `stop`, once it has been told where.
    pub fn start(stop: CancellationToken) -> Self {
        let (lines, waiting) = mpsc::channel(WAITING);
        let dir = Arc::<OnceLock<PathBuf>>::default();
        tokio::spawn(write(waiting, dir.clone(), stop));
        Self { lines, dir }
    }

    /// Keeps the files in `dir` from now on; said once.
    pub fn keep_in(&self, dir: PathBuf) {
        let _ = self.dir.set(dir);
    }

    /// Writes a line of `balancer` (`app/NAME/ID`).
    pub fn line(&self, balancer: &str, line: String) {
        // full: left out, as said above
        let _ = self.lines.try_send((balancer.replace('/', "."), line));
    }
}

async fn write(mut waiting: mpsc::Receiver<(String, String)>, dir: Arc<OnceLock<PathBuf>>, stop: CancellationToken) {
    let mut lines = Vec::new();
    loop {
        let came = tokio::select! {
            came = waiting.recv_many(&mut lines, AT_A_TIME) => came,
            () = stop.cancelled() => return,
        };
        if came == 0 {
            return;
        }
        let Some(dir) = dir.get() else {
            lines.clear();
            continue;
        };
        lines.sort_by(|(a, _), (b, _)| a.cmp(b));
        for of_one in lines.chunk_by(|(a, _), (b, _)| a == b) {
            let text: String = of_one.iter().map(|(_, line)| line.as_str()).collect();
            let file = dir.join(format!("{}.log", of_one[0].0));
            if let Err(error) = append(dir, &file, &text).await {
                tracing::warn!(file = %file.display(), %error, "the access log could not be written");
            }
        }
        lines.clear();
    }
}

async fn append(dir: &std::path::Path, file: &std::path::Path, text: &str) -> std::io::Result<()> {
    tokio::fs::create_dir_all(dir).await?;
    let mut file = tokio::fs::OpenOptions::new().create(true).append(true).open(file).await?;
    file.write_all(text.as_bytes()).await?;
    file.flush().await
}

/// What a line tells; empty texts and `None` are written as AWS does.
#[derive(Debug, Default)]
pub struct Line {
    /// `http`, `https`, `ws` or `wss`.
    pub kind: &'static str,
    /// When the balancer had answered.
    pub time: Option<SystemTime>,
    /// `app/NAME/ID`.
    pub balancer: String,
    /// Address and port.
    pub client: String,
    /// Address and port of the target, if one was chosen.
    pub target: String,
    /// From the request's arrival to its sending on, and from there to the answer's head.
    pub took: Option<(Duration, Duration)>,
    /// From the answer's head to its last byte.
    pub answering: Option<Duration>,
    /// What the client got.
    pub status: u16,
    /// What the target said.
    pub target_status: Option<u16>,
    /// Bytes of the request, head and body.
    pub received: u64,
    /// Bytes of the answer, head and body.
    pub sent: u64,
    /// Method, URL and version.
    pub request: String,
    /// `User-Agent`.
    pub agent: String,
    /// Cipher and protocol.
    pub tls: Option<(String, &'static str)>,
    /// ARN.
    pub group: String,
    /// `X-Amzn-Trace-Id`.
    pub trace: String,
    /// The name asked for in the TLS handshake.
    pub domain: String,
    /// The certificate shown.
    pub certificate: String,
    /// The rule's priority; 0 is the default action.
    pub priority: u32,
    /// When the request came.
    pub created: Option<SystemTime>,
    /// `forward`, `redirect`, `fixed-response`.
    pub action: &'static str,
    /// Where to.
    pub redirect: String,
}

impl Line {
    /// The line, with its end.
    pub fn text(&self) -> String {
        let mut text = String::with_capacity(512);
        let or_dash = |text: &str| if text.is_empty() { "-".to_owned() } else { text.to_owned() };
        let took = |took: Option<Duration>| took.map_or("-1".to_owned(), |took| format!("{:.3}", took.as_secs_f64()));
        let code = |code: Option<u16>| code.map_or("-".to_owned(), |code| code.to_string());
        let (cipher, protocol) = self.tls.as_ref().map_or(("-", "-"), |(cipher, protocol)| (cipher, protocol));
        // writing to a String cannot fail
        let _ = write!(
            text,
            "{} {} {} {} {} {} {} {} {} {} {} {} ",
            self.kind,
            iso(self.time),
            self.balancer,
            self.client,
            or_dash(&self.target),
            took(self.took.map(|(sending, _)| sending)),
            took(self.took.map(|(_, target)| target)),
            took(self.answering),
            self.status,
            code(self.target_status),
            self.received,
            self.sent,
        );
        let _ = write!(
            text,
            "\"{}\" \"{}\" {cipher} {protocol} {} \"{}\" \"{}\" \"{}\" {} {} \"{}\" \"{}\" \"-\" ",
            quoted(&self.request),
            quoted(&or_dash(&self.agent)),
            or_dash(&self.group),
            quoted(&or_dash(&self.trace)),
            quoted(&or_dash(&self.domain)),
            or_dash(&self.certificate),
            self.priority,
            iso(self.created),
            or_dash(self.action),
            quoted(&or_dash(&self.redirect)),
        );
        let _ = writeln!(text, "\"{}\" \"{}\" \"-\" \"-\" -", or_dash(&self.target), code(self.target_status));
        text
    }
}

fn iso(at: Option<SystemTime>) -> String {
    let micros = at.and_then(|at| at.duration_since(UNIX_EPOCH).ok()).map_or(0, |since| since.as_micros());
    let at = i64::try_from(micros).ok().and_then(|micros| jiff::Timestamp::from_microsecond(micros).ok());
    at.map_or("-".to_owned(), |at| format!("{at:.6}"))
}

/// Quotes and what is not printable are escaped, so that a line stays a line.
fn quoted(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' | '\\' => safe.extend(['\\', c]),
            c if c.is_control() => drop(write!(safe, "\\x{:02X}", u32::from(c))),
            c => safe.push(c),
        }
    }
    safe
}
