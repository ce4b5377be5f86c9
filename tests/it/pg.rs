//! Real PostgreSQL servers for tests: started in a second in a temporary directory, on a free loopback port, gone with
//! the value, also when the test panics.

#![allow(clippy::unwrap_used)] // a test may panic

use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use outgrow::clients::postgres::{Endpoint, Session, Tls, Transport};
use tempfile::TempDir;

const PASSWORD: &str = "secret-of-the-test";

/// A running server with the superuser `postgres`.
pub struct Cluster {
    dir: TempDir,
    bin: PathBuf,
    port: u16,
    server: Child,
    settings: &'static [&'static str],
    /// The container it runs in, if its disk is a small one.
    container: Option<String>,
}

fn bin() -> PathBuf {
    let found = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<PathBuf> = found.map(|entry| entry.path().join("bin")).collect();
    versions.retain(|bin| bin.join("initdb").is_file());
    versions.sort();
    versions.pop().expect("no PostgreSQL server is installed: run scripts/test, which installs it (Debian: postgresql)")
}

/// The server refuses to run as root: then it runs as the package's own user.
pub fn unprivileged() -> Option<(u32, u32)> {
    let root = std::fs::metadata("/proc/self").is_ok_and(|m| std::os::unix::fs::MetadataExt::uid(&m) == 0);
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let line = passwd.lines().find(|line| line.starts_with("postgres:"))?;
    let mut fields = line.split(':').skip(2).map(|field| field.parse().unwrap());
    root.then(|| (fields.next().unwrap(), fields.next().unwrap()))
}

pub fn command(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.stdin(Stdio::null()).env_clear().env("PATH", "/usr/bin:/bin").env("LC_ALL", "C.UTF-8");
    if let Some((uid, gid)) = unprivileged() {
        command.uid(uid).gid(gid);
    }
    command
}

/// The image of a PostgreSQL version (`scripts/postgres-images`).
pub fn image(major: u32) -> String {
    format!("outgrow-test/postgres-{major}")
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// What a server is started with.
fn arguments(port: u16, settings: &[&str]) -> Vec<String> {
    let always = [
        "max_wal_size=4GB",
        "shared_buffers=128MB",
        "log_statement=ddl",
        "wal_level=logical",
        // A subscription's worker starts at once, also when another did a moment ago.
        "wal_retrieve_retry_interval=50ms",
    ];
    let port = port.to_string();
    let settings = settings.iter().chain(&always).flat_map(|setting| ["-c", *setting]);
    ["-h", "127.0.0.1", "-p", &port].into_iter().chain(settings).map(str::to_owned).collect()
}

impl Cluster {
    /// Makes and starts a server.
    pub async fn start() -> Self {
        Self::start_with(&["fsync=off"]).await
    }

    /// Makes and starts a server with these settings.
    pub async fn start_with(settings: &'static [&'static str]) -> Self {
        let mut cluster = tokio::task::spawn_blocking(|| Self::spawn(settings)).await.unwrap();
        cluster.wait().await;
        cluster
    }

    /// Makes and starts a server whose disk holds so many megabytes, its log not counted: in a container, on a file system
    /// in memory.
    pub async fn start_small(megabytes: u32) -> Self {
        crate::engines::images();
        Self::start_in("outgrow-demo/db".to_owned(), megabytes).await
    }

    /// Makes and starts a server of another version, in a container of `scripts/postgres-images`.
    pub async fn start_version(major: u32) -> Self {
        Self::start_in(image(major), 2048).await
    }

    async fn start_in(image: String, megabytes: u32) -> Self {
        let mut cluster = tokio::task::spawn_blocking(move || Self::spawn_in(&image, megabytes)).await.unwrap();
        cluster.wait().await;
        cluster
    }

    fn spawn_in(image: &str, megabytes: u32) -> Self {
        let dir = tempfile::Builder::new().prefix("outgrow-pg-").tempdir().unwrap();
        let port = free_port();
        let name = format!("outgrow-test-small-{:08x}", rand::random::<u32>());
        let make = "echo \"$PASSWORD\" >/small/password && initdb --no-sync -E UTF8 --locale=C.UTF-8 \
            -U postgres -A scram-sha-256 --pwfile=/small/password -D /small/data -X /wal/log >/dev/null && \
            exec postgres -D /small/data -k /small \"$@\"";
        let mut server = Command::new("docker");
        server
            .args([
                "run",
                "--rm",
                "--name",
                &name,
                "--label",
                "outgrow.test=1",
                "--network",
                "host",
                "--user",
                "postgres",
            ])
            .args([
                "--tmpfs",
                &format!("/small:size={megabytes}m,mode=0777"),
                "--tmpfs",
                "/wal:mode=0777",
                "-e",
                &format!("PASSWORD={PASSWORD}"),
            ])
            .args(["--entrypoint", "bash", image, "-c", make, "small"])
            .args(arguments(port, &["fsync=off"]))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(dir.path().join("log")).unwrap());
        let server = server.spawn().unwrap();
        Self { dir, bin: bin(), port, server, settings: &[], container: Some(name) }
    }

    /// Leaves so many kilobytes free on its small disk.
    pub fn fill_disk(&self, leave: u32) {
        // What the server writes meanwhile may leave less: then it is full a little sooner.
        let command = format!(
            "free=$(df --output=avail -k /small | tail -1); head -c $((free - {leave}))K /dev/zero >/small/ballast || true"
        );
        self.on_small_disk(&command);
    }

    /// Gives the room back.
    pub fn empty_disk(&self) {
        self.on_small_disk("rm -f /small/ballast");
    }

    fn on_small_disk(&self, command: &str) {
        let name = self.container.as_deref().expect("this server's disk is not a small one");
        crate::engines::docker(&["exec", name, "bash", "-c", command]);
    }

    /// Two servers.
    pub async fn pair() -> (Self, Self) {
        tokio::join!(Self::start(), Self::start())
    }

    fn spawn(settings: &'static [&'static str]) -> Self {
        let (dir, bin) = (tempfile::Builder::new().prefix("outgrow-pg-").tempdir().unwrap(), bin());
        let password = dir.path().join("password");
        std::fs::write(&password, PASSWORD).unwrap();
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
        if let Some((uid, gid)) = unprivileged() {
            chown(dir.path(), Some(uid), Some(gid)).unwrap();
            chown(&password, Some(uid), Some(gid)).unwrap();
        }
        let made = command(&bin.join("initdb"))
            .args([
                "--no-sync",
                "--no-instructions",
                "-E",
                "UTF8",
                "--locale=C.UTF-8",
                "-U",
                "postgres",
                "-A",
                "scram-sha-256",
            ])
            .arg(format!("--pwfile={}", password.display()))
            .arg("-D")
            .arg(dir.path().join("data"))
            .output()
            .unwrap();
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        let port = free_port();
        let server = Self::launch(&bin, dir.path(), port, settings);
        Self { dir, bin, port, server, settings, container: None }
    }

    fn launch(bin: &Path, dir: &Path, port: u16, settings: &[&str]) -> Child {
        command(&bin.join("postgres"))
            .arg("-D")
            .arg(dir.join("data"))
            .arg("-k")
            .arg(dir)
            .args(arguments(port, settings))
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(dir.join("log")).unwrap())
            .spawn()
            .unwrap()
    }

    /// Waits until it answers.
    pub async fn answers(&self) {
        let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(30);
        while let Err(error) = self.superuser("postgres").connect().await {
            assert!(tokio::time::Instant::now() < deadline, "it does not answer: {error}; its log:\n{}", self.log());
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }

    async fn wait(&mut self) {
        let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(30);
        loop {
            let Err(error) = self.superuser("postgres").connect().await else { return };
            let ended = self.server.try_wait().unwrap();
            let late = tokio::time::Instant::now() > deadline;
            assert!(ended.is_none() && !late, "the server did not start: {error}; its log:\n{}", self.log());
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }

    /// What the server wrote.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }

    /// A database as a role whose password is this.
    pub fn endpoint(&self, user: &str, password: &str, database: &str) -> Endpoint {
        Endpoint {
            transport: Transport::tcp("127.0.0.1", self.port),
            user: user.into(),
            password: password.into(),
            database: database.into(),
            tls: Tls::Disable,
        }
    }

    /// A database as the superuser.
    pub fn superuser(&self, database: &str) -> Endpoint {
        self.endpoint("postgres", PASSWORD, database)
    }

    /// A database as the superuser, by the Unix socket.
    pub fn by_socket(&self, database: &str) -> Endpoint {
        let host = self.dir.path().display().to_string();
        Endpoint { transport: Transport::tcp(host, self.port), ..self.superuser(database) }
    }

    /// The Unix socket's path.
    pub fn socket(&self) -> PathBuf {
        self.dir.path().join(format!(".s.PGSQL.{}", self.port))
    }

    /// A session as the superuser.
    pub async fn session(&self, database: &str) -> Session {
        self.superuser(database).connect().await.unwrap()
    }

    /// A server as a managed one is: a master user without superuser, and its empty database.
    pub async fn managed(&self, database: &str) -> Endpoint {
        let session = self.session("postgres").await;
        session
            .run("CREATE ROLE master LOGIN CREATEROLE CREATEDB PASSWORD 'master-secret'; GRANT pg_signal_backend, pg_monitor TO master")
            .await
            .unwrap();
        session.run(&format!("CREATE DATABASE \"{database}\" OWNER master")).await.unwrap();
        self.endpoint("master", "master-secret", database)
    }

    /// Its port on the loopback address.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The server's process, for whoever kills it.
    pub fn pid(&self) -> u32 {
        self.server.id()
    }

    /// Kills every process of the server at once and starts it again.
    pub async fn crash_and_restart(&mut self) {
        self.kill();
        self.server = Self::launch(&self.bin, self.dir.path(), self.port, self.settings);
        self.wait().await;
    }

    fn kill(&mut self) {
        // SIGQUIT: the server ends its children and itself without ado.
        let _ = Command::new("kill").args(["-QUIT", &self.server.id().to_string()]).status();
        if let Some(name) = &self.container {
            crate::engines::try_docker(&["rm", "-fv", name]);
        }
        let _ = self.server.wait();
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.kill();
    }
}
