//! The Docker client against real engines: by Unix socket, TLS and SSH.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures::StreamExt;
use outgrow::clients::Kind;
use outgrow::clients::docker::{Options, connect, connect_with};
use outgrow::clients::hosts::{Attachment, Bytestream, Duplex, HostWrite};
use outgrow::site::EngineAddress;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::engines::{Host, Sandbox, certificates, docker};

fn local() -> EngineAddress {
    EngineAddress::Unix("/var/run/docker.sock".into())
}

#[tokio::test]
async fn a_container_is_read_made_again_changed_and_removed() {
    let sandbox = Sandbox::new("container");
    let options = [
        "-e",
        "URL=postgres://u:p@db/x?a=b",
        "-m",
        "256m",
        "--health-interval",
        "7s",
        "-l",
        "who=나",
        "--restart",
        "unless-stopped",
    ];
    let script =
        "import signal,time; signal.signal(15, lambda *_: exit(0)); print('시작', flush=True); time.sleep(600)";
    let name = sandbox.run("was", &options, "outgrow-demo/was", &["python3", "-c", script]);
    let engine = connect(&local()).await.unwrap();
    let (version, arch) = engine.engine().await.unwrap();
    assert!(!version.is_empty() && ["x86_64", "aarch64"].contains(&arch.as_str()), "{version} {arch}");

    let old = engine.container(&name).await.unwrap().unwrap();
    assert!(old.running && old.networks[0].aliases == ["was"] && !old.networks[0].address.is_empty());
    assert!(old.env.contains(&("URL".into(), "postgres://u:p@db/x?a=b".into())));
    assert_eq!((old.labels["who"].as_str(), old.restart.as_str(), old.user.as_str()), ("나", "unless-stopped", "app"));
    assert!(engine.has_image(&old.image_id).await.unwrap());
    assert!(!engine.has_image(&format!("sha256:{:064}", 0)).await.unwrap());
    assert!(engine.containers().await.unwrap().iter().any(|c| c.id == old.id));
    assert_eq!(engine.container("no-such-container").await.unwrap(), None);

    // the same again, beside it
    let mut definition = old.clone();
    definition.name = sandbox.called("again");
    definition.networks[0].aliases.clear();
    let id = engine.create(&definition).await.unwrap();
    assert_eq!(engine.create(&definition).await.unwrap_err().kind, Kind::Conflict);
    let new = engine.container(&id).await.unwrap().unwrap();
    let mut same = new.clone();
    (same.id, same.name, same.running, same.networks) = (old.id.clone(), old.name.clone(), true, old.networks.clone());
    assert_eq!(same, old, "all but id, name and aliases is the same, memory limit and health check included");
    let kept = docker(&["inspect", "-f", "{{.HostConfig.Memory}} {{.Config.Healthcheck.Interval}}", &id]);
    assert_eq!(kept, "268435456 7s");

    // files in and out, also before it runs
    let text = "값: 1\n";
    engine.write(&id, "/app/config", tar_of("extra.yaml", text.as_bytes()).await).await.unwrap();
    assert_eq!(engine.read_file(&id, "/app/config/extra.yaml").await.unwrap(), text);
    assert_eq!(engine.read_file(&id, "/app/nothing").await.unwrap_err().kind, Kind::NotFound);
    assert_eq!(engine.read(&id, "/nothing").await.err().unwrap().kind, Kind::NotFound);
    assert_eq!(engine.read_file(&id, "/app").await.unwrap_err().kind, Kind::Refused);
    assert!(!engine.read_file(&id, "/etc/os-release").await.unwrap().is_empty(), "through a link");

    // its life, every call twice where twice is fine
    for _ in 0..2 {
        engine.start(&id).await.unwrap();
    }
    for _ in 0..2 {
        engine.disconnect(&id, &sandbox.name).await.unwrap();
    }
    let place = Attachment { network: sandbox.name.clone(), aliases: vec!["other".into()], address: String::new() };
    engine.connect(&id, &place).await.unwrap();
    assert_eq!(engine.container(&id).await.unwrap().unwrap().networks[0].aliases, ["other"]);
    engine.rename(&id, &sandbox.called("renamed")).await.unwrap();
    assert_eq!(engine.rename(&id, &name).await.unwrap_err().kind, Kind::Conflict);
    for _ in 0..2 {
        engine.stop(&id, 5).await.unwrap();
    }
    assert!(engine.logs(&id, 10).await.unwrap().contains("시작"));
    assert!(engine.signal(&id, "SIGHUP").await.is_err(), "it does not run");
    for _ in 0..2 {
        engine.remove(&id).await.unwrap();
    }
    engine.stop(&id, 1).await.unwrap();
    assert!(engine.container(&name).await.unwrap().unwrap().running, "the old one was left alone");

    let network = sandbox.called("net");
    let labels = [("outgrow.test".to_owned(), "1".to_owned())].into();
    for _ in 0..2 {
        engine.ensure_network(&network, &labels).await.unwrap();
    }
    assert_eq!(docker(&["network", "ls", "-q", "--filter", &format!("name={network}")]).lines().count(), 1);
    for _ in 0..2 {
        engine.remove_network(&network).await.unwrap();
    }
}

#[tokio::test]
async fn an_engine_that_is_not_there_says_what_to_do() {
    let error = connect(&EngineAddress::Unix("/nowhere/docker.sock".into())).await.err().unwrap();
    assert_eq!(error.kind, Kind::Unanswered);
    assert!(error.hint.unwrap().contains("start Docker"));
    let error = connect(&EngineAddress::Ssh { destination: "root@127.0.0.1:1".into() }).await.err().unwrap();
    assert_eq!(error.kind, Kind::Unanswered);
    assert!(error.hint.is_some(), "{error}");
}

#[tokio::test]
async fn a_database_that_publishes_nothing_is_reached_through_the_engine() {
    let sandbox = Sandbox::new("dial");
    let name = sandbox.run("db", &["-e", "POSTGRES_PASSWORD=secret"], "outgrow-demo/db", &[]);
    let host = Host::new("dial-far");
    let (near, far) = (connect(&local()).await.unwrap(), by_ssh(&host).await);
    far.load_images(near.save_images(&["outgrow-demo/db:latest".to_owned()]).await.unwrap()).await.unwrap();
    host.docker(&["run", "-d", "--name", "db", "-e", "POSTGRES_PASSWORD=secret", "outgrow-demo/db"]);
    for (engine, container) in [(near, name.as_str()), (Arc::clone(&far), "db")] {
        let client = sql(engine.as_ref(), container).await;
        let rows =
            client.query("SELECT repeat(md5(g::text), 1024) FROM generate_series(1, 2000) g", &[]).await.unwrap();
        let bytes: usize = rows.iter().map(|r| r.get::<_, &str>(0).len()).sum();
        assert_eq!(bytes, 2000 * 32 * 1024);
        let gone = engine.dial(container, 5499).await.err().expect("nothing listens there");
        assert_eq!(gone.kind, Kind::Refused, "{gone}");
        assert_eq!(engine.dial("no-such-container", 1).await.err().unwrap().kind, Kind::NotFound);
    }
    // no process and no session is left behind in the container, though nobody said goodbye
    let stream = far.dial("db", 5432).await.unwrap();
    drop(stream);
    let started = Instant::now();
    while host.docker(&[
        "exec",
        "db",
        "bash",
        "-c",
        "cat /proc/[0-9]*/cmdline | tr -d '\\0' | grep -c 'outgrow[:]'; true",
    ]) != "0"
    {
        assert!(started.elapsed() < Duration::from_secs(20), "a process is left");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn sql(engine: &dyn HostWrite, container: &str) -> tokio_postgres::Client {
    let started = Instant::now();
    loop {
        if let Ok(stream) = engine.dial(container, 5432).await {
            let mut config = tokio_postgres::Config::new();
            config.user("postgres").password("secret").dbname("postgres");
            if let Ok((client, connection)) = config.connect_raw(stream, tokio_postgres::NoTls).await {
                tokio::spawn(connection);
                return client;
            }
        }
        assert!(started.elapsed() < Duration::from_secs(30), "{container} does not answer");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test]
async fn an_engine_is_reached_by_tls_and_by_nothing_less() {
    let host = Host::new("tls");
    let certs = host.listen_by_tls();
    let address = |certs: &str| EngineAddress::Tcp { host: host.address.clone(), port: 2376, certs: certs.to_owned() };
    let engine = connect(&address(&certs)).await.unwrap();
    assert!(engine.containers().await.unwrap().is_empty());
    copies_an_image(engine.as_ref()).await;
    // certificates of another authority, and none at all
    let other = tempfile::tempdir().unwrap();
    certificates(other.path(), &host.address);
    let error = connect(&address(other.path().to_str().unwrap())).await.err().unwrap();
    assert_eq!(error.kind, Kind::Unanswered, "{error}");
    assert!(error.hint.unwrap().contains("ca.pem"));
    std::fs::copy(format!("{certs}/ca.pem"), other.path().join("ca.pem")).unwrap();
    let error = connect(&address(other.path().to_str().unwrap())).await.err().unwrap();
    assert_eq!(error.kind, Kind::Unanswered, "a client the engine does not know: {error}");
    assert!(connect(&address("/nowhere")).await.err().unwrap().to_string().contains("/nowhere/ca.pem"));
}

#[tokio::test]
async fn an_engine_is_reached_by_ssh_and_again_after_its_end() {
    let host = Host::new("ssh");
    let engine = by_ssh(&host).await;
    copies_an_image(engine.as_ref()).await;
    // the way there breaks: soon the next call makes it anew
    docker(&["exec", &host.container(), "bash", "-c", "pkill -f '^sshd: root' || true"]);
    let started = Instant::now();
    while engine.containers().await.is_err() {
        assert!(started.elapsed() < Duration::from_secs(20), "the tunnel does not come back");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let address = EngineAddress::Ssh { destination: format!("nobody@{}", host.address) };
    let error = connect_with(&address, &Options { ssh_config: Some(host.ssh_config()) }).await.err().unwrap();
    assert!(error.to_string().contains("Permission denied"), "{error}");
    assert!(error.hint.unwrap().contains("key"));
}

/// Streams an image from this machine's engine to `to`, and half of one.
#[expect(clippy::print_stderr, reason = "a figure for whoever runs it by hand")]
async fn copies_an_image(to: &dyn HostWrite) {
    let from = connect(&local()).await.unwrap();
    let image = "outgrow-demo/web:latest";
    let id = docker(&["image", "inspect", "-f", "{{.Id}}", image]);
    assert!(!to.has_image(&id).await.unwrap());
    // a torn stream is an error, though the engine may answer 200
    let torn = from.save_images(&[image.to_owned()]).await.unwrap().take(40).boxed();
    let error = to.load_images(torn).await.expect_err("half an image is no image");
    assert_eq!(error.kind, Kind::Refused, "{error}");
    assert!(!to.has_image(&id).await.unwrap());

    let bytes = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&bytes);
    let stream = from.save_images(&[image.to_owned()]).await.unwrap().inspect(move |piece| {
        counted.fetch_add(piece.as_ref().map_or(0, |b| b.len() as u64), Ordering::Relaxed);
    });
    let started = Instant::now();
    to.load_images(stream.boxed()).await.unwrap();
    eprintln!("{}: an image of {} MB in {:?}", to.address(), bytes.load(Ordering::Relaxed) >> 20, started.elapsed());
    assert!(to.has_image(&id).await.unwrap());
    for _ in 0..2 {
        to.remove_image(image).await.unwrap();
    }
    assert!(!to.has_image(&id).await.unwrap());
    assert_eq!(from.save_images(&["no-such-image".to_owned()]).await.err().unwrap().kind, Kind::NotFound);
}

/// How fast the way through a process in the container is: a figure, and a check of every byte. Only 127.0.0.1 inside
/// answers, so the container's own address is of no use.
#[tokio::test]
async fn bytes_through_a_container_come_whole_by_every_tool() {
    let server = "import socket,threading\ns=socket.socket();s.setsockopt(1,2,1);s.bind(('127.0.0.1',7));s.listen()\n\
                  def f(c):\n  while True:\n    d=c.recv(1<<17)\n    if not d: break\n    c.sendall(d)\n  c.close()\n\
                  while True: threading.Thread(target=f,args=(s.accept()[0],)).start()";
    let sandbox = Sandbox::new("speed");
    let engine = connect(&local()).await.unwrap();
    for (tool, before) in [("bash", "true"), ("perl", "mv /bin/bash /bin/no-bash")] {
        let command = format!("{before}; exec python3 -c \"$0\"");
        let name = sandbox.run(tool, &["-u", "0"], "outgrow-demo/was", &["sh", "-c", &command, server]);
        let started = Instant::now();
        let stream = loop {
            match engine.dial(&name, 7).await {
                Ok(stream) => break stream,
                Err(e) => assert!(started.elapsed() < Duration::from_secs(20), "{e}"),
            }
        };
        let rate = echo(stream).await;
        eprintln!("through {tool} in the container: {rate:.0} MB/s, both ways at once");
    }
}

/// Sends 64 MB and reads them back while sending; then our end is seen there, and its end here.
async fn echo(stream: Box<dyn Duplex>) -> f64 {
    let (mut from, mut to) = tokio::io::split(stream);
    let chunk: Vec<u8> = (0..65536_u32).map(|i| u8::try_from(i % 251).unwrap()).collect();
    let times = (64 << 20) / chunk.len();
    let sent = chunk.clone();
    let started = Instant::now();
    let writer = tokio::spawn(async move {
        for _ in 0..times {
            to.write_all(&sent).await.unwrap();
        }
        to.shutdown().await.unwrap();
    });
    let mut got = vec![0; chunk.len()];
    for _ in 0..times {
        from.read_exact(&mut got).await.unwrap();
        assert!(got == chunk);
    }
    let seconds = started.elapsed().as_secs_f64();
    writer.await.unwrap();
    let end = tokio::time::timeout(Duration::from_secs(15), from.read(&mut got)).await;
    assert_eq!(end.expect("the end comes").unwrap(), 0);
    64.0 / seconds
}

async fn by_ssh(host: &Host) -> Arc<dyn HostWrite> {
    let address = EngineAddress::Ssh { destination: host.address.clone() };
    connect_with(&address, &Options { ssh_config: Some(host.ssh_config()) }).await.unwrap()
}

/// A tar stream with one file.
async fn tar_of(name: &str, content: &[u8]) -> Bytestream {
    let mut builder = tokio_tar::Builder::new(Vec::new());
    let mut header = tokio_tar::Header::new_gnu();
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    builder.append_data(&mut header, name, content).await.unwrap();
    let built = builder.into_inner().await.unwrap();
    futures::stream::iter([Ok(bytes::Bytes::from(built))]).boxed()
}
