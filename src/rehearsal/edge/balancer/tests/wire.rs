//! What the balancer does on the wire: the one retry, bodies that stream, targets on TLS.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::rehearsal::edge::Authority;
use crate::rehearsal::edge::testing::{Client, NoObjects, balance, edge, edge_address, forward, group, shared};
use crate::rehearsal::state::{Shared, Target};

fn register(shared: &Shared, target: SocketAddr, protocol: &str) {
    let mut one = group(&[]);
    one.protocol = protocol.into();
    one.targets.insert(
        (target.ip().to_string(), target.port()),
        Target { state: "healthy".into(), reason: String::new(), gone_at: None },
    );
    one.health_check.interval = 3600;
    one.health_check.unhealthy = 10;
    shared.lock().target_groups.insert("g".into(), one);
}

/// Reads one request's head; `None` at the end of the connection.
async fn head(stream: &mut BufReader<TcpStream>) -> Option<String> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if stream.read_line(&mut head).await.ok()? == 0 {
            return None;
        }
    }
    Some(head)
}

/// A target that answers the first request of each connection and closes on the second, like one whose keep-alive is
/// shorter than the balancer's (law L6).
async fn hangs_up_on_the_second(seen: Arc<AtomicUsize>) -> SocketAddr {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = socket.accept().await {
            let seen = seen.clone();
            tokio::spawn(async move {
                let mut stream = BufReader::new(stream);
                for first in [true, false] {
                    let Some(head) = head(&mut stream).await else { return };
                    if head.starts_with("GET /healthz") {
                        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n").await;
                        return;
                    }
                    seen.fetch_add(1, Ordering::SeqCst);
                    if first {
                        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
                    }
                }
            });
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn law_l6_what_may_have_landed_is_not_sent_again() {
    let (shared, address, seen) = (shared(), edge_address(), Arc::<AtomicUsize>::default());
    let target = hangs_up_on_the_second(seen.clone()).await;
    register(&shared, target, "HTTP");
    balance(&shared, address, ("HTTP", 80), forward(&[("g", 1)], None));
    let (_edge, _dir) = edge(&shared, Arc::new(NoObjects)).await;
    let mut client = Client::plain(address).await;
    let post = || Request::post("/api/orders").header("host", "a").body(Full::from(Bytes::from_static(b"{}"))).unwrap();
    assert_eq!(client.get("a", "/").await.status, 200, "on a new connection");
    assert_eq!(client.get("a", "/").await.status, 502, "a target whose keep-alive is too short is seen");
    assert_eq!(client.send(post()).await.unwrap().status, 200, "on a new connection");
    assert_eq!(client.send(post()).await.unwrap().status, 502);
    assert_eq!(seen.load(Ordering::SeqCst), 4, "each was sent once");
}

/// A target that answers one request of each connection and closes it without a word.
async fn answers_once(seen: Arc<AtomicUsize>) -> SocketAddr {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = socket.accept().await {
            let mut stream = BufReader::new(stream);
            if head(&mut stream).await.is_some_and(|head| !head.starts_with("GET /healthz")) {
                seen.fetch_add(1, Ordering::SeqCst);
            }
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_the_target_has_closed_costs_no_request() {
    let (shared, address, seen) = (shared(), edge_address(), Arc::<AtomicUsize>::default());
    register(&shared, answers_once(seen.clone()).await, "HTTP");
    balance(&shared, address, ("HTTP", 80), forward(&[("g", 1)], None));
    let (_edge, _dir) = edge(&shared, Arc::new(NoObjects)).await;
    let mut client = Client::plain(address).await;
    for n in 1..=20 {
        assert_eq!(client.get("a", "/").await.status, 200, "request {n}");
        // the target's end of the connection has to arrive before the next one is sent
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(seen.load(Ordering::SeqCst), 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_stream_both_ways() {
    let (shared, address) = (shared(), edge_address());
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    register(&shared, socket.local_addr().unwrap(), "HTTP");
    balance(&shared, address, ("HTTP", 80), forward(&[("g", 1)], None));
    // the target echoes each byte as soon as it has it
    tokio::spawn(async move {
        loop {
            let mut stream = BufReader::new(socket.accept().await.unwrap().0);
            tokio::spawn(async move {
                if head(&mut stream).await.is_none_or(|head| head.contains("/healthz")) {
                    return;
                }
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n").await.unwrap();
                for _ in 0..4 {
                    let byte = stream.read_u8().await.unwrap();
                    stream.write_u8(byte).await.unwrap();
                }
            });
        }
    });
    let (_edge, _dir) = edge(&shared, Arc::new(NoObjects)).await;
    let stream = TcpStream::connect((address, 8080)).await.unwrap();
    let mut stream = BufReader::new(stream);
    stream.write_all(b"POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\n\r\n").await.unwrap();
    let echoed = async {
        stream.write_u8(b'a').await.unwrap();
        let head = head(&mut stream).await.unwrap();
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        assert_eq!(stream.read_u8().await.unwrap(), b'a');
        for byte in *b"bcd" {
            stream.write_u8(byte).await.unwrap();
            assert_eq!(stream.read_u8().await.unwrap(), byte, "nothing waits for the rest");
        }
    };
    tokio::time::timeout(Duration::from_secs(5), echoed).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_on_tls_needs_no_certificate_anyone_trusts() {
    let (shared, address, dir) = (shared(), edge_address(), tempfile::tempdir().unwrap());
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    register(&shared, socket.local_addr().unwrap(), "HTTPS");
    balance(&shared, address, ("HTTP", 80), forward(&[("g", 1)], None));
    let acceptor = Authority::open(dir.path()).unwrap().acceptor(address, Arc::default()).unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = socket.accept().await.unwrap();
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut buffer = [0; 1024];
            let _ = stream.read(&mut buffer).await;
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\ntls").await.unwrap();
        }
    });
    let (_edge, _other) = edge(&shared, Arc::new(NoObjects)).await;
    assert_eq!(&*Client::plain(address).await.get("a", "/").await.body, b"tls");
}
