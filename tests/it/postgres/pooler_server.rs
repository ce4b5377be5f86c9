//! A PgBouncer of the test's own, before two servers; gone with the value.

use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::time::Duration;

use outgrow::clients::postgres::{Endpoint, Tls, Transport};
use outgrow::postgres::pooler::{Ini, Mode, Pooler, Target, User, WriteIni, userlist_text};
use secrecy::ExposeSecret as _;
use tempfile::TempDir;

use crate::pg::{command, unprivileged};

/// Writes the file beside it and moves it there.
#[derive(Debug)]
struct Beside(PathBuf);

#[async_trait::async_trait]
impl WriteIni for Beside {
    async fn write(&self, text: &str) -> std::io::Result<()> {
        put(&self.0, text);
        Ok(())
    }
}

fn put(path: &Path, text: &str) {
    let beside = path.with_extension("beside");
    std::fs::write(&beside, text).unwrap();
    if let Some((uid, gid)) = unprivileged() {
        chown(&beside, Some(uid), Some(gid)).unwrap();
    }
    std::fs::rename(beside, path).unwrap();
}

/// A running PgBouncer.
pub struct Bouncer {
    dir: TempDir,
    port: u16,
    server: Child,
    pub pooler: Pooler,
    pub console: Endpoint,
}

impl Bouncer {
    /// Starts one, sending clients of `shop` to the first port; users with their secrets.
    pub async fn start(old: u16, new: u16, mode: Mode, users: &[(&str, &str)]) -> Self {
        let dir = tempfile::Builder::new().prefix("outgrow-pooler-").tempdir().unwrap();
        if let Some((uid, gid)) = unprivileged() {
            chown(dir.path(), Some(uid), Some(gid)).unwrap();
        }
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let path = |name: &str| dir.path().join(name);
        let ini = Ini {
            database: "shop".into(),
            listen: "127.0.0.1".into(),
            port,
            mode,
            userlist: path("userlist.txt").display().to_string(),
            admins: vec!["console".into()],
            pool_size: 16,
            clients_at_most: 100,
            prepared_statements: 0,
            log: Some(path("log").display().to_string()),
        };
        let target = |port| Target {
            host: "127.0.0.1".into(),
            port,
            database: "shop".into(),
            sslmode: "disable".into(),
            root_certificate: None,
        };
        let user = |(name, secret): &(&str, &str)| User { name: (*name).into(), secret: (*secret).into() };
        let mut list: Vec<_> = users.iter().map(user).collect();
        list.push(user(&("console", "console-secret")));
        put(&path("userlist.txt"), userlist_text(&list).expose_secret());
        let console = Endpoint {
            transport: Transport::tcp("127.0.0.1", port),
            user: "console".into(),
            password: "console-secret".into(),
            database: "pgbouncer".into(),
            tls: Tls::Disable,
        };
        let files = Arc::new(Beside(path("pgbouncer.ini")));
        let pooler = Pooler::new(console.clone(), files, ini, target(old), target(new));
        put(&path("pgbouncer.ini"), &pooler.text(outgrow::world::Side::Old));
        let server = command(Path::new("/usr/sbin/pgbouncer"))
            .arg(path("pgbouncer.ini"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("PgBouncer is missing: run scripts/test, which installs it (Debian: pgbouncer)");
        let bouncer = Self { dir, port, server, pooler, console };
        let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
        while let Err(error) = bouncer.console.connect_bare().await {
            assert!(tokio::time::Instant::now() < deadline, "{error}\n{}", bouncer.log());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        bouncer
    }

    /// What it wrote.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }

    /// The database through it.
    pub fn endpoint(&self, user: &str, password: &str) -> Endpoint {
        let transport = Transport::tcp("127.0.0.1", self.port);
        let database = "shop".into();
        Endpoint { transport, user: user.into(), password: password.into(), database, tls: Tls::Disable }
    }
}

impl Drop for Bouncer {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
