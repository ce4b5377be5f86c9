//! The name server over its sockets, read by another's code.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use hickory_proto::op::{Edns, Message, ResponseCode};
use hickory_proto::rr::RData;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};

use super::testing::{alias, ask, query, texts, udp, values, weighted, zone};
use crate::rehearsal::edge::testing::{
    NoObjects, TinyTarget, balance, distributed, edge, edge_address, forward, group, shared,
};
use crate::rehearsal::state::DistributionConfig;

const LB: &str = "shop-1.eu-central-1.elb.amazonaws.com";

#[tokio::test]
async fn plain_names_wildcards_and_what_is_not_there() {
    let shared = shared();
    zone(
        &shared,
        vec![
            values("www.shop.test", "A", &["192.0.2.1", "192.0.2.2"]),
            values("a.b.shop.test", "TXT", &["\"x\""]),
            values("shop.test", "MX", &["10 mail.shop.test."]),
            values("\\052.pages.shop.test", "CNAME", &["www.shop.test"]),
            values("loop.shop.test", "CNAME", &["loop.shop.test"]),
        ],
    );
    let (edge, _dir) = edge(&shared, Arc::new(NoObjects)).await;
    let server = edge.dns_address();
    let www = ask(server, "WwW.ShoP.test", "A").await;
    assert!(www.metadata.authoritative);
    assert_eq!(texts(&www), ["WwW.ShoP.test. 300 192.0.2.1", "WwW.ShoP.test. 300 192.0.2.2"]);
    let chain = ask(server, "seoul.pages.shop.test", "A").await;
    assert_eq!(texts(&chain)[0], "seoul.pages.shop.test. 300 www.shop.test.");
    assert_eq!(chain.answers.len(), 3);
    for (name, kind, code) in [
        ("nobody.shop.test", "A", ResponseCode::NXDomain),
        ("www.shop.test", "AAAA", ResponseCode::NoError),
        ("b.shop.test", "A", ResponseCode::NoError),
        ("x.www.shop.test", "A", ResponseCode::NXDomain),
    ] {
        let reply = ask(server, name, kind).await;
        assert_eq!((reply.metadata.response_code, reply.answers.len()), (code, 0), "{name}");
        assert!(matches!(reply.authorities[0].data, RData::SOA(_)), "{name} carries the SOA");
    }
    assert!(ask(server, "shop.test", "NS").await.answers.is_empty(), "this zone has none");
    assert!(ask(server, "shop.test", "TYPE65400").await.answers.is_empty());
    assert_eq!(ask(server, "shop.test", "SOA").await.answers.len(), 1);
    assert_eq!(ask(server, "shop.test", "ANY").await.answers.len(), 1, "one set is enough (RFC 8482)");
    assert_eq!(ask(server, "other.test", "A").await.metadata.response_code, ResponseCode::Refused);
    assert_eq!(ask(server, "myshop.test", "A").await.metadata.response_code, ResponseCode::Refused);
    assert_eq!(ask(server, "loop.shop.test", "A").await.metadata.response_code, ResponseCode::ServFail);
}

#[tokio::test]
async fn aliases_answer_the_address_of_the_edge_for_a_minute() {
    let (shared, lb, cdn) = (shared(), edge_address(), edge_address());
    balance(&shared, lb, ("HTTP", 80), forward(&[], None));
    shared
        .lock()
        .distributions
        .insert("d1.cloudfront.net".into(), distributed("E1", DistributionConfig::default(), cdn));
    zone(
        &shared,
        vec![
            alias("api.shop.test", &format!("dualstack.{LB}"), false),
            alias("www.shop.test", "d1.cloudfront.net", false),
            alias("m.shop.test", "plain.shop.test", false),
            values("plain.shop.test", "A", &["192.0.2.9"]),
            values("cname.shop.test", "CNAME", &["d1.cloudfront.net"]),
        ],
    );
    let (edge, _dir) = edge(&shared, Arc::new(NoObjects)).await;
    for (name, answers) in [
        ("api.shop.test", vec![format!("api.shop.test. 60 {lb}")]),
        ("www.shop.test", vec![format!("www.shop.test. 60 {cdn}")]),
        ("m.shop.test", vec!["m.shop.test. 300 192.0.2.9".to_owned()]),
        (LB, vec![format!("{LB}. 60 {lb}")]),
        (
            "cname.shop.test",
            vec!["cname.shop.test. 300 d1.cloudfront.net.".to_owned(), format!("d1.cloudfront.net. 60 {cdn}")],
        ),
    ] {
        assert_eq!(texts(&ask(edge.dns_address(), name, "A").await), answers, "{name}");
    }
}

async fn shares(server: SocketAddr, times: usize) -> BTreeMap<String, usize> {
    let mut counted = BTreeMap::new();
    for _ in 0..times {
        let reply = ask(server, "api.shop.test", "A").await;
        assert_eq!(reply.answers.len(), 1);
        *counted.entry(reply.answers[0].data.to_string()).or_default() += 1;
    }
    counted
}

#[tokio::test]
async fn law_r3_weights_share_out_the_answers() {
    let shared = shared();
    let records = |weights: [u8; 3]| {
        let one = |i: usize| {
            let address = format!("192.0.2.{i}");
            weighted(values("api.shop.test", "A", &[&address]), &address, weights[i])
        };
        (0..3).map(one).collect::<Vec<_>>()
    };
    zone(&shared, records([192, 64, 0]));
    let (edge, _dir) = edge(&shared, Arc::new(NoObjects)).await;
    let counted = shares(edge.dns_address(), 2000).await;
    // 500 expected, standard deviation 19.4
    assert!((400..=600).contains(&counted["192.0.2.1"]), "{counted:?}");
    assert!(!counted.contains_key("192.0.2.2"), "weight 0 is not served: {counted:?}");
    zone(&shared, records([0, 0, 0]));
    edge.settled().await;
    let counted = shares(edge.dns_address(), 900).await;
    assert!(
        counted.len() == 3 && counted.values().all(|n| (200..=400).contains(n)),
        "all zero is all equal: {counted:?}"
    );
}

#[tokio::test]
async fn law_r4_one_sick_group_makes_the_balancer_sick_and_weight_0_is_no_fence() {
    let (shared, lb, target) = (shared(), edge_address(), TinyTarget::start("t").await);
    target.answer_with(500);
    let set = |evaluate| {
        vec![
            weighted(alias("api.shop.test", LB, evaluate), "new", 255),
            weighted(values("api.shop.test", "A", &["192.0.2.1"]), "old", 0),
        ]
    };
    {
        let mut state = shared.lock();
        state.target_groups.insert("sick".into(), group(&[(&target, "unhealthy")]));
    }
    balance(&shared, lb, ("HTTP", 80), forward(&[("sick", 0)], None));
    zone(&shared, set(true));
    let (edge, _dir) = edge(&shared, Arc::new(NoObjects)).await;
    assert_eq!(shares(edge.dns_address(), 20).await, BTreeMap::from([("192.0.2.1".to_owned(), 20)]));
    zone(&shared, set(false));
    edge.settled().await;
    assert_eq!(shares(edge.dns_address(), 20).await, BTreeMap::from([(lb.to_string(), 20)]));
}

#[tokio::test]
async fn what_does_not_fit_a_datagram_comes_by_tcp() {
    let shared = shared();
    let many: Vec<String> = (0..100).map(|n| format!("192.0.2.{n}")).collect();
    zone(&shared, vec![values("many.shop.test", "A", &many.iter().map(String::as_str).collect::<Vec<_>>())]);
    let (edge, _dir) = edge(&shared, Arc::new(NoObjects)).await;
    let query = query("many.shop.test", "A");
    let short = udp(edge.dns_address(), &query).await;
    assert!(short.metadata.truncation && short.answers.is_empty());
    let mut stream = TcpStream::connect(edge.dns_address()).await.unwrap();
    for _ in 0..2 {
        let wire = query.to_vec().unwrap();
        stream.write_u16(u16::try_from(wire.len()).unwrap()).await.unwrap();
        stream.write_all(&wire).await.unwrap();
        let mut reply = vec![0; stream.read_u16().await.unwrap().into()];
        stream.read_exact(&mut reply).await.unwrap();
        assert_eq!(Message::from_vec(&reply).unwrap().answers.len(), 100);
    }
}

#[tokio::test]
async fn edns_is_tolerated_and_nonsense_answered_or_dropped() {
    let shared = shared();
    zone(&shared, vec![values("www.shop.test", "A", &["192.0.2.1"])]);
    let (edge, _dir) = edge(&shared, Arc::new(NoObjects)).await;
    let server = edge.dns_address();
    let mut with_edns = query("www.shop.test", "A");
    let mut edns = Edns::new();
    edns.set_max_payload(4096);
    with_edns.set_edns(edns.clone());
    let reply = udp(server, &with_edns).await;
    assert!(reply.edns.is_some() && reply.answers.len() == 1);
    edns.set_version(1);
    with_edns.set_edns(edns);
    // BADVERS, which shares its number with BADSIG
    assert_eq!(u16::from(udp(server, &with_edns).await.metadata.response_code), 16);
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    // too short for a header, an answer, and half a question: only the last is replied to
    let mut answer = reply.to_vec().unwrap();
    answer.truncate(14);
    for wire in [&b"abc"[..], &answer, b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03ww"] {
        socket.send_to(wire, server).await.unwrap();
    }
    let mut buffer = [0; 512];
    let length = socket.recv(&mut buffer).await.unwrap();
    let reply = Message::from_vec(&buffer[..length]).unwrap();
    assert_eq!((reply.metadata.id, reply.metadata.response_code), (0x1234, ResponseCode::FormErr));
}

#[tokio::test]
async fn r9_a_zone_nobody_delegates_to_answers_its_own_servers_visitors_only() {
    let shared = shared();
    zone(&shared, vec![values("www.shop.test", "A", &["192.0.2.1"])]);
    shared.lock().zones.get_mut("Z1").unwrap().delegated = false;
    let (edge, _dir) = edge(&shared, Arc::new(NoObjects)).await;
    let mut asked = query("www.shop.test", "A");
    assert_eq!(udp(edge.dns_address(), &asked).await.metadata.response_code, ResponseCode::Refused);
    asked.metadata.recursion_desired = false;
    assert_eq!(texts(&udp(edge.dns_address(), &asked).await).len(), 1);
}

#[tokio::test]
async fn every_type_reads_back_as_it_was_written() {
    let shared = shared();
    let all = [
        ("AAAA", "2001:db8::1"),
        ("MX", "10 mail.shop.test."),
        ("TXT", "\"v=spf1 -all\" \"two\""),
        ("SRV", "1 2 443 www.shop.test."),
        ("CAA", "0 issue \"ca.test\""),
        ("PTR", "www.shop.test."),
        ("NAPTR", "1 2 \"u\" \"s\" \"\" ."),
        ("TLSA", "3 1 1 ABCD"),
        ("SSHFP", "4 2 ABCD"),
        ("HTTPS", "1 . alpn=h2 port=443 ipv4hint=192.0.2.1"),
    ];
    zone(&shared, all.map(|(kind, value)| values(&format!("{kind}.shop.test").to_lowercase(), kind, &[value])).into());
    let (edge, _dir) = edge(&shared, Arc::new(NoObjects)).await;
    for (kind, value) in all {
        let reply = ask(edge.dns_address(), &format!("{kind}.shop.test"), kind).await;
        let [record] = reply.answers.as_slice() else { panic!("{kind}: {reply}") };
        assert_eq!(record.record_type().to_string(), kind);
        let squeezed = |text: &str| text.replace(['"', ' ', ','], "").to_lowercase();
        if !matches!(kind, "NAPTR" | "CAA" | "TXT" | "HTTPS") {
            assert_eq!(squeezed(&record.data.to_string()), squeezed(value), "{kind}");
        }
    }
}

/// What one core can do, unoptimised: a release build does several times as much.
#[tokio::test]
async fn answers_come_without_searching_every_zone() {
    use super::message::reply;
    use crate::rehearsal::answering::{Dice, Directory};
    let shared = shared();
    for n in 0..2000 {
        let name = format!("zone{n}.test");
        let records = vec![values(&format!("www.{name}"), "A", &["192.0.2.1"])];
        let zone = crate::rehearsal::state::Zone { name, records, delegated: true };
        shared.lock().zones.insert(format!("Z{n}"), zone);
    }
    let directory = Directory::of(&shared.lock());
    let wire = query("www.zone1234.test", "A").to_vec().unwrap();
    let (mut dice, mut out) = (Dice::seeded(1), Vec::new());
    let began = std::time::Instant::now();
    for _ in 0..20_000 {
        assert!(reply(&wire, &directory, &mut dice, true, &mut out));
    }
    let took = began.elapsed();
    assert_eq!(Message::from_vec(&out).unwrap().answers.len(), 1);
    assert!(took < std::time::Duration::from_secs(3), "20,000 answers took {took:?}");
}
