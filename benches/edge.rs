//! How much the edge of a rehearsal's cloud carries: `cargo bench --bench edge`.
//!
//! Visitors, name server, balancer and two trivial apps are in this one process, on all cores together. Each visitor
//! asks the name server for `api.shop.test` (a weighted alias to the balancer) over UDP, connects to the address it is
//! told, sends 100 GET requests one after the other on that connection, and begins anew. All the while the weights of
//! the two target groups change a hundred times a second, and a third target falls ill and gets well twenty times a
//! second. An answer that is not 200 with the whole body, a lost or refused connection and a DNS answer without an
//! address are failures; what the balancer counted has to be what was sent.
//!
//! `OUTGROW_BENCH_SECONDS` (10), `OUTGROW_BENCH_VISITORS` (32), `OUTGROW_BENCH_CHANGES` (100 a second),
//! `OUTGROW_BENCH_LEAST` (5000 requests a second; fewer is
//! exit code 1, and so is any failure).

#![allow(clippy::print_stdout, reason = "a measurement is read on standard output")]

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant, UNIX_EPOCH};

use outgrow::rehearsal::clock::Clock;
use outgrow::rehearsal::edge::{Edge, Meta, ObjectBytes, ObjectSource, edge_port};
use outgrow::rehearsal::metrics::APPLICATION_ELB;
use outgrow::rehearsal::state::{
    Action, Answer, Balancer, HealthCheck, Listener, RecordSet, Routing, Shared, Target, TargetGroup, Zone,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};

const PER_CONNECTION: usize = 100;
const ANSWER: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 15\r\n\r\n{\"orders\":[17]}";
const REQUEST: &[u8] = b"GET /api/orders HTTP/1.1\r\nhost: api.shop.test\r\naccept: application/json\r\n\
    user-agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0)\r\n\r\n";

#[derive(Default)]
struct Tally {
    requests: AtomicU64,
    failed: AtomicU64,
    lookups: AtomicU64,
    changes: AtomicU64,
    stop: AtomicBool,
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

#[tokio::main]
async fn main() -> ExitCode {
    let (seconds, visitors) = (setting("OUTGROW_BENCH_SECONDS", 10), setting("OUTGROW_BENCH_VISITORS", 32));
    match measure(seconds, visitors).await {
        Ok(code) => code,
        Err(error) => {
            println!("the measurement could not be made: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn measure(seconds: u64, visitors: u64) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let shared = Shared::new(Clock::default());
    let (old, new, third) = (app().await?, app().await?, app().await?);
    seed(&shared, &[("old", &[old]), ("new", &[new, third])]);
    let dir = tempfile::tempdir()?;
    let edge = Edge::start(shared.clone(), dir.path(), ([127, 0, 0, 1], 0).into(), Arc::new(NoObjects)).await?;
    if let Some(trouble) = edge.troubles().first() {
        return Err(trouble.clone().into());
    }
    let tally = Arc::<Tally>::default();
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..visitors {
        running.spawn(visit(edge.dns_address(), tally.clone()));
    }
    let changing = tokio::spawn(change(shared.clone(), third, tally.clone()));
    tokio::time::sleep(Duration::from_secs(1)).await;
    let (before, began, cpu) = (tally.requests.load(Relaxed), Instant::now(), cpu_seconds());
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    let (sent, took) = (tally.requests.load(Relaxed) - before, began.elapsed().as_secs_f64());
    let cpu = cpu_seconds() - cpu;
    tally.stop.store(true, Relaxed);
    let mut waits: Vec<u32> = running.join_all().await.into_iter().flatten().collect();
    changing.await?;
    waits.sort_unstable();

    #[allow(clippy::cast_precision_loss, reason = "far fewer than 2⁵³")]
    let rate = sent as f64 / took;
    let (all, failed) = (tally.requests.load(Relaxed), tally.failed.load(Relaxed));
    #[allow(clippy::cast_precision_loss, reason = "far fewer than 2⁵³")]
    let each = cpu / sent.max(1) as f64 * 1e6;
    let at = |percent: usize| waits.get(waits.len().saturating_sub(1) * percent / 100).copied().unwrap_or(0);
    println!("{rate:.0} requests a second over {took:.1} s by {visitors} visitors; {failed} of {all} failed");
    println!("{} lookups, {} changes of weights and health", tally.lookups.load(Relaxed), tally.changes.load(Relaxed));
    println!("answered within {} µs (median), {} µs (99 %)", at(50), at(99));
    println!("{each:.0} µs of processor time for a request, visitors and app included");
    let counted = counted(&shared);
    println!("the balancer counted {counted} requests");
    edge.stop().await;
    let least = setting("OUTGROW_BENCH_LEAST", 5000);
    #[allow(clippy::cast_precision_loss, reason = "far fewer than 2⁵³")]
    let good = failed == 0 && rate >= least as f64 && counted == all;
    println!("{}", if good { "good" } else { "not good" });
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// An app that answers each request with the same few bytes.
async fn app() -> io::Result<SocketAddr> {
    let socket = TcpListener::bind("127.0.0.1:0").await?;
    let address = socket.local_addr()?;
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = socket.accept().await {
            tokio::spawn(async move {
                let _ = stream.set_nodelay(true);
                let (mut buffer, mut filled) = ([0; 4096], 0);
                while let Ok(length @ 1..) = stream.read(&mut buffer[filled..]).await {
                    filled += length;
                    if buffer[..filled].ends_with(b"\r\n\r\n") {
                        filled = 0;
                        if stream.write_all(ANSWER).await.is_err() {
                            return;
                        }
                    }
                }
            });
        }
    });
    Ok(address)
}

/// Looks up, connects, asks a hundred times, and again; gives how long each answer took, in microseconds.
async fn visit(dns: SocketAddr, tally: Arc<Tally>) -> Vec<u32> {
    let mut waits = Vec::new();
    while !tally.stop.load(Relaxed) {
        if let Err(error) = connection(dns, &tally, &mut waits).await {
            tally.failed.fetch_add(1, Relaxed);
            println!("failed: {error}");
        }
    }
    waits
}

async fn connection(dns: SocketAddr, tally: &Tally, waits: &mut Vec<u32>) -> io::Result<()> {
    let address = look_up(dns, "api.shop.test").await?;
    tally.lookups.fetch_add(1, Relaxed);
    let mut stream = TcpStream::connect((address, edge_port(80))).await?;
    stream.set_nodelay(true)?;
    let mut buffer = [0; 4096];
    for _ in 0..PER_CONNECTION {
        if tally.stop.load(Relaxed) {
            break;
        }
        let began = Instant::now();
        tally.requests.fetch_add(1, Relaxed);
        stream.write_all(REQUEST).await?;
        let mut filled = 0;
        while !buffer[..filled].ends_with(b"\r\n\r\n{\"orders\":[17]}") {
            match stream.read(&mut buffer[filled..]).await? {
                0 => return Err(io::Error::other(String::from_utf8_lossy(&buffer[..filled]))),
                length => filled += length,
            }
        }
        if !buffer.starts_with(b"HTTP/1.1 200 OK\r\n") {
            return Err(io::Error::other(String::from_utf8_lossy(&buffer[..filled])));
        }
        waits.push(u32::try_from(began.elapsed().as_micros()).unwrap_or(u32::MAX));
    }
    Ok(())
}

/// Asks for the A record of `name`, as a stub resolver does.
async fn look_up(dns: SocketAddr, name: &str) -> io::Result<IpAddr> {
    let socket = UdpSocket::bind("127.0.0.1:0").await?;
    socket.connect(dns).await?;
    let mut query = vec![0x0b, 0xee, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in name.split('.') {
        query.push(u8::try_from(label.len()).unwrap_or(0));
        query.extend_from_slice(label.as_bytes());
    }
    query.extend_from_slice(&[0, 0, 1, 0, 1]);
    let mut buffer = [0; 512];
    socket.send(&query).await?;
    let length = tokio::time::timeout(Duration::from_secs(5), socket.recv(&mut buffer)).await??;
    let answer = &buffer[..length];
    // the address is the last thing in an answer that has no authority section
    match answer {
        [0x0b, 0xee, _, code, _, _, 0, 1, 0, 0, ..] if code.trailing_zeros() >= 4 => {
            let octets: [u8; 4] = answer[answer.len() - 4..].try_into().map_err(io::Error::other)?;
            Ok(octets.into())
        }
        _ => Err(io::Error::other(format!("the name server answered {answer:02x?}"))),
    }
}

/// Changes weights a hundred times a second, and a target's health at every fifth of them.
async fn change(shared: Shared, third: SocketAddr, tally: Arc<Tally>) {
    let mut every = tokio::time::interval(
        Duration::from_secs(1) / u32::try_from(setting("OUTGROW_BENCH_CHANGES", 100)).unwrap_or(100),
    );
    for n in 0_u16.. {
        every.tick().await;
        if tally.stop.load(Relaxed) {
            return;
        }
        let weight = n % 101;
        let mut state = shared.lock();
        if let Some(listener) = state.listeners.get_mut("listener") {
            listener.default_action = forward(100 - weight, weight);
        }
        let id = (third.ip().to_string(), third.port());
        if n % 5 == 0
            && let Some(target) = state.target_groups.get_mut("new").and_then(|group| group.targets.get_mut(&id))
        {
            target.state = if target.state == "healthy" { "unhealthy" } else { "healthy" }.into();
        }
        drop(state);
        shared.changed();
        tally.changes.fetch_add(1, Relaxed);
    }
}

fn forward(old: u16, new: u16) -> Action {
    Action::Forward { groups: vec![("old".into(), old), ("new".into(), new)], sticky: None }
}

/// A zone of 200 records whose `api` is a weighted alias to the balancer of two groups.
fn seed(shared: &Shared, groups: &[(&str, &[SocketAddr])]) {
    let octets = rand::random::<[u8; 3]>();
    let address = IpAddr::from([127, 64 | (octets[0] & 63), octets[1], octets[2]]);
    let dns_name = "shop-1.ap-northeast-2.elb.amazonaws.com".to_owned();
    let alias = Answer::Alias { name: dns_name.clone(), zone: "ZWKZPGTI48KDX".into(), evaluate_health: true };
    let record = |name: String, answer, ttl, routing| RecordSet {
        name,
        kind: "A".into(),
        ttl,
        answer,
        routing,
        health_check: None,
    };
    let others = (0..200).map(|n| {
        record(format!("host-{n}.shop.test"), Answer::Values(vec![format!("10.0.0.{n}")]), Some(60), Routing::Simple)
    });
    let api = record("api.shop.test".into(), alias, None, Routing::Weighted { id: "balancer".into(), weight: 100 });
    let mut state = shared.lock();
    state.zones.insert(
        "Z1".into(),
        Zone { name: "shop.test".into(), records: others.chain([api]).collect(), delegated: true },
    );
    state.balancers.insert(
        "lb".into(),
        Balancer {
            name: "shop".into(),
            dns_name,
            zone: "ZWKZPGTI48KDX".into(),
            address,
            state: "active".into(),
            attributes: BTreeMap::new(),
        },
    );
    for (name, targets) in groups {
        state.target_groups.insert((*name).to_owned(), group(targets));
    }
    state.listeners.insert(
        "listener".into(),
        Listener {
            balancer: "lb".into(),
            protocol: "HTTP".into(),
            port: 80,
            certificates: Vec::new(),
            default_action: forward(100, 0),
            rules: BTreeMap::new(),
        },
    );
    drop(state);
    shared.changed();
}

fn group(targets: &[SocketAddr]) -> TargetGroup {
    let healthy = || Target { state: "healthy".into(), reason: String::new(), gone_at: None };
    TargetGroup {
        name: "group".into(),
        protocol: "HTTP".into(),
        port: 80,
        target_type: "ip".into(),
        health_check: HealthCheck {
            protocol: "HTTP".into(),
            port: None,
            path: "/".into(),
            interval: 30,
            timeout: 5,
            healthy: 5,
            unhealthy: 2,
            matcher: "200".into(),
        },
        attributes: BTreeMap::new(),
        targets: targets.iter().map(|target| ((target.ip().to_string(), target.port()), healthy())).collect(),
        tags: BTreeMap::new(),
    }
}

fn counted(shared: &Shared) -> u64 {
    let dimensions = BTreeMap::from([("LoadBalancer".to_owned(), "lb".to_owned())]);
    let to = shared.clock.now() + Duration::from_mins(1);
    let minutes = shared.metrics.series(APPLICATION_ELB, "RequestCount", &dimensions, UNIX_EPOCH, to);
    minutes.iter().map(|(_, stat)| stat.samples).sum()
}

/// Processor time of this process so far, in seconds.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit_once(')').map(|(_, rest)| rest.split_whitespace());
    let ticks: u32 = fields.map_or(0, |f| f.skip(11).take(2).filter_map(|t| t.parse::<u32>().ok()).sum());
    f64::from(ticks) / 100.0
}

struct NoObjects;

#[async_trait::async_trait]
impl ObjectSource for NoObjects {
    async fn open(&self, _bucket: &str, _key: &str) -> io::Result<Option<(Meta, ObjectBytes)>> {
        Ok(None)
    }
}
