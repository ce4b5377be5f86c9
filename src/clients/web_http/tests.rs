//! Probes against servers on loopback.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;

/// A server that answers one request with `answer` and gives back what it was asked.
async fn once(answer: &'static str) -> (SocketAddr, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let served = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        speak(&mut stream, answer).await
    });
    (address, served)
}

async fn speak(stream: &mut (impl AsyncReadExt + AsyncWriteExt + Unpin), answer: &str) -> String {
    let mut asked = vec![0; 4096];
    let n = stream.read(&mut asked).await.unwrap();
    stream.write_all(answer.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    String::from_utf8_lossy(&asked[..n]).into_owned()
}

fn probe(url: &str, connect_to: Option<SocketAddr>) -> Probe {
    Probe {
        method: "OPTIONS".into(),
        url: url.into(),
        connect_to,
        headers: vec![("Origin".into(), "https://a".into())],
    }
}

#[tokio::test]
async fn a_probe_names_the_host_of_its_address_and_does_not_follow_redirects() {
    let (address, served) = once("HTTP/1.1 301 Moved\r\nLocation: https://x/\r\nContent-Length: 2\r\n\r\nhi").await;
    let web = HttpWeb::new(&[]).unwrap();
    let answer = web.send(&probe("http://api.shop.test/a?b=1", Some(address))).await.unwrap();
    assert_eq!((answer.status, answer.header("location"), answer.body.as_str()), (301, Some("https://x/"), "hi"));
    let asked = served.await.unwrap().to_ascii_lowercase();
    assert!(asked.starts_with("options /a?b=1 http/1.1"), "{asked}");
    assert!(asked.contains("host: api.shop.test") && asked.contains("origin: https://a"), "{asked}");
}

#[tokio::test]
async fn a_certificate_counts_unless_the_host_is_named_directly() {
    let made = rcgen::generate_simple_self_signed(vec!["api.shop.test".into(), "localhost".into()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if let Ok(mut stream) = acceptor.accept(stream).await {
                speak(&mut stream, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
            }
        }
    });
    let by_name = format!("https://localhost:{}/", address.port());
    let web = HttpWeb::new(&[]).unwrap();
    assert_eq!(web.send(&probe("https://api.shop.test/", Some(address))).await.unwrap().status, 200);
    let refused = web.send(&probe(&by_name, None)).await.unwrap_err();
    assert!(refused.why.contains("no TLS"), "{refused}");
    let trusting = HttpWeb::new(&[made.cert.der().clone()]).unwrap();
    assert_eq!(trusting.send(&probe(&by_name, None)).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_dead_port_is_no_answer() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = HttpWeb::new(&[]).unwrap().send(&probe("http://a.test/", Some(address))).await.unwrap_err();
    assert_eq!(error.kind, Kind::Unanswered);
}
