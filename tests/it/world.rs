//! The world over the demo box, which must be up (`scripts/demo-box up`) and is left as it is.

#![allow(clippy::unwrap_used)] // helpers of tests are tests

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use outgrow::rehearsal::world::control::{Request, ask};
use outgrow::rehearsal::world::{Ready, Spec};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

#[path = "world/all.rs"]
mod all;
#[path = "world/copy.rs"]
mod copy;
#[path = "world/ends.rs"]
mod ends;
#[path = "world/process.rs"]
mod process;
#[path = "world/services.rs"]
mod services;

const ZONE: &str = "shop.test";

/// A world in a process of its own, killed if the test ends early; what it left is then removed by the next one.
struct Here {
    child: Child,
    /// Kept, so that the process has somebody to write to.
    lines: Lines<BufReader<ChildStdout>>,
    ready: Ready,
    dir: tempfile::TempDir,
}

impl Here {
    /// Starts a world and waits until it is up.
    async fn start(id: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let spec = spec(id, dir.path());
        let mut child = process::spawn(&spec, dir.path());
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let up = async {
            while let Some(line) = lines.next_line().await.unwrap() {
                if let Some(ready) = line.strip_prefix(process::READY) {
                    return serde_json::from_str::<Ready>(ready).unwrap();
                }
            }
            panic!("the world ended before it was up");
        };
        let ready = tokio::time::timeout(Duration::from_mins(2), up).await.expect("the world comes up in two minutes");
        Self { child, lines, ready, dir }
    }

    async fn ask(&self, request: Request) -> Value {
        ask(&self.ready.control, &request).await.unwrap()
    }

    /// Ends the world; what it leaves in its directory can still be looked at.
    async fn stop(mut self) -> tempfile::TempDir {
        self.ask(Request::Stop).await;
        self.ended().await;
        self.dir
    }

    /// Waits for the process's own end.
    async fn ended(&mut self) {
        while let Ok(Some(_)) = self.lines.next_line().await {}
        let ended = tokio::time::timeout(Duration::from_secs(30), self.child.wait()).await;
        assert!(ended.expect("the world ends when told to").unwrap().success());
    }
}

/// The demo site, read from JSON as a site file would be.
fn spec(id: &str, dir: &Path) -> Spec {
    let password = |name: &str, text: &str| {
        let path = dir.join(name);
        std::fs::write(&path, text).unwrap();
        format!("file:{}", path.display())
    };
    let proxy = docker(&["inspect", "-f", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", "demo-proxy"]);
    let world = dir.join("world");
    let master = world.join("master-password");
    let site = json!({
        "site": "shop",
        "box": {
            "engine": "unix:///var/run/docker.sock",
            "address": proxy,
            "proxy": "demo-proxy",
            "web": {"container": "demo-web", "root": "/usr/share/nginx/html"},
            "app": {"container": "demo-was", "port": 8000, "files": ["/app/config/application.yaml", "/app/.env"]},
            "database": {
                "container": "demo-db", "name": "shop",
                "admin": {"user": "postgres", "password": password("admin", "postgres-secret\n")}
            }
        },
        "names": {
            "zone": ZONE, "pages": ["www.shop.test"], "api": ["api.shop.test"],
            "api-base": {"old": "https://box.shop.test/api", "new": "https://api.shop.test/api"}
        },
        "app": {
            "hosts": [{"name": "app-1", "engine": "ssh://root@app-1", "address": "10.0.0.1"}],
            "health": "/healthz"
        },
        "aws": {
            "region": "ap-northeast-2", "bucket": "shop-pages", "balancer": "shop", "distribution": "d.cloudfront.net",
            "database": {
                "instance": "shop-db", "name": "shop",
                "master": {"user": "master", "password": format!("file:{}", master.display())}
            }
        }
    });
    let spec = json!({
        "id": id, "dir": world, "site": site, "host-image": "outgrow-demo/host",
        "visitors": {"walkers": 2, "mobile": 2, "pause": 10},
        "extra-names": ["box.shop.test"], "rds-master-password-file": master, "lease": 600
    });
    serde_json::from_value(spec).unwrap()
}

fn docker(arguments: &[&str]) -> String {
    let output = std::process::Command::new("docker").args(arguments).stderr(Stdio::inherit()).output().unwrap();
    assert!(output.status.success(), "docker {arguments:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// An id that no other run of these tests has, on an engine that many may share.
fn id(of: &str) -> String {
    format!("it-{of}-{:06x}", std::process::id())
}

/// What carries a rehearsal's label, or its name.
fn labelled(id: &str) -> Vec<String> {
    let filter = format!("label=outgrow.rehearsal={id}");
    let containers = docker(&["ps", "-aq", "--filter", &filter]);
    let networks = docker(&["network", "ls", "-q", "--filter", &filter]);
    let volumes = docker(&["volume", "ls", "-q", "--filter", &filter]);
    // An engine makes a volume that is missing, without a label.
    let nameless = docker(&["volume", "ls", "-q", "--filter", &format!("name=outgrow-{id}-")]);
    [containers, networks, volumes, nameless].iter().flat_map(|all| all.lines()).map(str::to_owned).collect()
}

/// What must not change of the demo box: its containers, and how many rows there are.
fn the_box() -> String {
    let containers = ["demo-proxy", "demo-web", "demo-was", "demo-db"].map(|name| {
        docker(&["inspect", "-f", "{{.Id}} {{.State.StartedAt}} {{.HostConfig.RestartPolicy.Name}}", name])
    });
    let rows = "SELECT (SELECT count(*) FROM orders), (SELECT count(*) FROM audit), (SELECT count(*) FROM events)";
    let rows = docker(&["exec", "-u", "postgres", "demo-db", "psql", "-Atd", "shop", "-c", rows]);
    let volumes = docker(&["inspect", "-f", "{{range .Mounts}}{{.Name}} {{end}}", "demo-db"]);
    let slots =
        docker(&["exec", "-u", "postgres", "demo-db", "psql", "-Atc", "SELECT count(*) FROM pg_replication_slots"]);
    format!("{containers:?} {rows} {volumes} {slots}")
}

fn command(name: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", name, "--ignored", "--nocapture"]);
    command
}
