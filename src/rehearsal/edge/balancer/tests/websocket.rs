//! Connections that are upgraded.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;
use crate::rehearsal::edge::testing::{balancer_attributes, becomes, counted};

const ASKS: &[u8] = b"GET /ws HTTP/1.1\r\nhost: a\r\nconnection: keep-alive, Upgrade\r\nupgrade: websocket\r\n\
    sec-websocket-key: x\r\n\r\n";

/// Asks for an upgrade; gives the answer's head and the connection.
async fn upgrade(address: std::net::IpAddr) -> (String, TcpStream) {
    let mut stream = TcpStream::connect((address, 8080)).await.unwrap();
    stream.write_all(ASKS).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    (String::from_utf8(head).unwrap(), stream)
}

async fn ended(stream: &mut TcpStream) {
    let mut rest = Vec::new();
    // a reset is an end as well
    let _ = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut rest)).await.unwrap();
}

async fn one_target() -> (Shared, std::net::IpAddr, TinyTarget) {
    let (shared, address, one) = (shared(), edge_address(), TinyTarget::start("one").await);
    shared.lock().target_groups.insert("g".into(), group(&[(&one, "healthy")]));
    balance(&shared, address, ("HTTP", 80), forward(&[("g", 1)], None));
    (shared, address, one)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_websocket_is_tunnelled_both_ways_and_outlives_a_change_of_weights() {
    let (shared, address, _one) = one_target().await;
    let (edge, _dir) = edge(&shared, Arc::new(NoObjects)).await;
    let (head, mut stream) = upgrade(address).await;
    assert!(head.starts_with("HTTP/1.1 101"), "{head}");
    let head = head.to_ascii_lowercase();
    assert!(head.contains("\r\nconnection: upgrade\r\n") && head.contains("\r\nupgrade: websocket\r\n"), "{head}");
    // the target echoes
    for word in [b"one".to_vec(), b"another".to_vec(), vec![b'x'; 100_000]] {
        let mut back = vec![0; word.len()];
        let (mut read, mut write) = stream.split();
        let (sent, got) = tokio::join!(write.write_all(&word), read.read_exact(&mut back));
        sent.and(got).unwrap();
        assert!(back == word);
        act(&shared, forward(&[("g", 0)], None));
        edge.settled().await;
    }
    assert_eq!(counted(&shared, "RequestCount", Some("g")), 1);
    stream.shutdown().await.unwrap();
    ended(&mut stream).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_websocket_on_which_nothing_moves_is_closed_after_the_idle_timeout() {
    let (shared, address, _one) = one_target().await;
    balancer_attributes(&shared, &[("idle_timeout.timeout_seconds", "1")]);
    let (_edge, _dir) = edge(&shared, Arc::new(NoObjects)).await;
    let (_, mut stream) = upgrade(address).await;
    ended(&mut stream).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn law_l4_a_websocket_ends_with_its_targets_deregistration_delay() {
    let (shared, address, one) = one_target().await;
    let (edge, _dir) = edge(&shared, Arc::new(NoObjects)).await;
    let (_, mut stream) = upgrade(address).await;
    becomes(&shared, "g", &one, "draining", Some(shared.clock.now() + Duration::from_mins(5)));
    edge.settled().await;
    stream.write_all(b"still").await.unwrap();
    stream.read_exact(&mut [0; 5]).await.unwrap();
    shared.clock.advance(Duration::from_mins(5));
    ended(&mut stream).await;
}
