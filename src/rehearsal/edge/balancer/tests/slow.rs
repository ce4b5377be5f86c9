//! Who is too slow, and who went away: 408, 460, 502, 504 (law L6).

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;
use crate::rehearsal::edge::testing::{balancer_attributes, counted};

async fn balanced(idle: &str) -> (Shared, std::net::IpAddr, TinyTarget) {
    let (shared, address, one) = (shared(), edge_address(), TinyTarget::start("one").await);
    shared.lock().target_groups.insert("g".into(), group(&[(&one, "healthy")]));
    balance(&shared, address, ("HTTP", 80), forward(&[("g", 1)], None));
    balancer_attributes(&shared, &[("idle_timeout.timeout_seconds", idle)]);
    (shared, address, one)
}

#[tokio::test(flavor = "multi_thread")]
async fn law_l6_a_silent_target_is_504_and_a_silent_client_408() {
    let (shared, address, _one) = balanced("1").await;
    let (_edge, _dir) = edge(&shared, Arc::new(NoObjects)).await;
    let mut client = Client::plain(address).await;
    assert_eq!(client.get("a", "/slow").await.status, 504);
    let mut stream = TcpStream::connect((address, 8080)).await.unwrap();
    stream.write_all(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nhalf").await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 408 "), "{}", String::from_utf8_lossy(&answer));
    let codes = ["504_Count", "5XX_Count", "4XX_Count", "502_Count"];
    let counts = codes.map(|code| counted(&shared, &format!("HTTPCode_ELB_{code}"), None));
    assert_eq!(counts, [1, 1, 1, 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_goes_away_is_counted_as_460() {
    let (shared, address, one) = balanced("60").await;
    let (_edge, _dir) = edge(&shared, Arc::new(NoObjects)).await;
    let mut stream = TcpStream::connect((address, 8080)).await.unwrap();
    stream.write_all(b"GET /held HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    until("the request is there", || one.count() == 1).await;
    drop(stream);
    until("it is counted", || counted(&shared, "HTTPCode_ELB_4XX_Count", None) > 0).await;
    assert_eq!(counted(&shared, "HTTPCode_ELB_5XX_Count", None), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_connection_ends_with_its_first_answer_past_its_keep_alive() {
    let (shared, address, _one) = balanced("60").await;
    balancer_attributes(&shared, &[("client_keep_alive.seconds", "0")]);
    let (_edge, _dir) = edge(&shared, Arc::new(NoObjects)).await;
    let answered = Client::plain(address).await.get("a", "/").await;
    assert_eq!((answered.status, answered.header("connection")), (200, "close"));
}

pub async fn until(what: &str, so: impl Fn() -> bool) {
    let is = async {
        while !so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(10), is).await.is_ok(), "never: {what}");
}
