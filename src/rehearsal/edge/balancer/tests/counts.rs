//! The balancer's metrics, and its access log.

use super::slow::until;
use super::*;
use crate::rehearsal::edge::testing::{balancer_attributes, becomes, counted, stat};

#[tokio::test(flavor = "multi_thread")]
async fn every_request_is_counted_once_by_group_and_by_balancer() {
    let (shared, address) = (shared(), edge_address());
    let (old, new) = two_groups(&shared).await;
    let third = TinyTarget::start("third").await;
    becomes(&shared, "new", &third, "healthy", None);
    balance(&shared, address, ("HTTP", 80), forward(&[("old", 1)], None));
    let (edge, _dir) = edge(&shared, Arc::new(NoObjects)).await;
    let mut client = Client::plain(address).await;
    for (target, status, times) in [(&old, 200, 5), (&old, 302, 2), (&old, 404, 3), (&old, 503, 1)] {
        target.answer_with(status);
        for _ in 0..times {
            assert_eq!(client.get("a", "/").await.status, status);
        }
    }
    act(&shared, forward(&[("new", 1)], None));
    edge.settled().await;
    for _ in 0..4 {
        assert_eq!(client.get("a", "/").await.status, 200);
    }
    for (metric, of_old, of_new) in [
        ("RequestCount", 11, 4),
        ("HTTPCode_Target_2XX_Count", 5, 4),
        ("HTTPCode_Target_3XX_Count", 2, 0),
        ("HTTPCode_Target_4XX_Count", 3, 0),
        ("HTTPCode_Target_5XX_Count", 1, 0),
    ] {
        assert_eq!(counted(&shared, metric, Some("old")), of_old, "{metric}");
        assert_eq!(counted(&shared, metric, Some("new")), of_new, "{metric}");
        assert_eq!(counted(&shared, metric, None), of_old + of_new, "{metric}");
    }
    assert_eq!(counted(&shared, "HTTPCode_ELB_5XX_Count", None), 0, "what targets say is not the balancer's");
    let each = stat(&shared, "RequestCountPerTarget", Some("new"));
    assert_eq!((each.samples, each.sum), (4, 2.0), "four over two targets");
    let times = stat(&shared, "TargetResponseTime", None);
    let median = times.percentile(50.0).unwrap();
    assert_eq!(times.samples, 15);
    assert!(times.min > 0.0 && times.min <= median && median <= times.max && times.max < 5.0, "{times:?}");
    assert_eq!(counted(&shared, "ActiveConnectionCount", None), 1);
    assert!(counted(&shared, "NewConnectionCount", None) >= 3, "one of the client's, one to each target");
    let hosts = |metric: &str, group| stat(&shared, metric, Some(group)).max;
    assert_eq!((hosts("HealthyHostCount", "old"), hosts("HealthyHostCount", "new")), (1.0, 2.0));
    drop(new);
    third.die();
    until("it is counted as unhealthy", || hosts("UnHealthyHostCount", "new") > 0.0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_balancer_says_itself_is_counted_apart() {
    let (shared, address) = (shared(), edge_address());
    let (old, _new) = two_groups(&shared).await;
    balance(&shared, address, ("HTTP", 80), forward(&[("old", 1)], None));
    let (edge, _dir) = edge(&shared, Arc::new(NoObjects)).await;
    let mut client = Client::plain(address).await;
    old.die();
    assert_eq!(client.get("a", "/").await.status, 502);
    act(&shared, forward(&[("old", 0)], None));
    edge.settled().await;
    assert_eq!(client.get("a", "/").await.status, 503);
    act(&shared, Action::Fixed { status: 404, content_type: "text/plain".into(), body: String::new() });
    edge.settled().await;
    assert_eq!(client.get("a", "/").await.status, 404);
    let all = ["#{protocol}", "#{host}", "#{port}", "/#{path}", "#{query}"].map(str::to_owned);
    let [_, host, port, path, query] = all;
    act(&shared, Action::Redirect { protocol: "HTTPS".into(), host, port, path, query, status: 301 });
    edge.settled().await;
    let moved = client.get("a", "/").await;
    assert_eq!((moved.status, moved.header("server"), moved.body.len()), (301, "awselb/2.0", 134));
    for (metric, expected) in [
        ("RequestCount", 1),
        ("TargetConnectionErrorCount", 1),
        ("HTTPCode_ELB_3XX_Count", 1),
        ("HTTPCode_ELB_4XX_Count", 1),
        ("HTTPCode_ELB_5XX_Count", 2),
        ("HTTPCode_ELB_502_Count", 1),
        ("HTTPCode_ELB_503_Count", 1),
        ("HTTPCode_ELB_504_Count", 0),
        ("HTTP_Redirect_Count", 1),
        ("HTTP_Fixed_Response_Count", 1),
        ("HTTPCode_Target_5XX_Count", 0),
    ] {
        assert_eq!(counted(&shared, metric, None), expected, "{metric}");
    }
    assert_eq!(counted(&shared, "TargetConnectionErrorCount", Some("old")), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_access_log_has_a_line_a_request_in_awss_format() {
    let (shared, address) = (shared(), edge_address());
    let (old, _new) = two_groups(&shared).await;
    balance(&shared, address, ("HTTPS", 443), forward(&[("old", 1)], None));
    balancer_attributes(&shared, &[("access_logs.s3.enabled", "true")]);
    let (edge, dir) = edge(&shared, Arc::new(NoObjects)).await;
    edge.log_in(dir.path().join("logs"));
    let mut client = Client::tls(address, "api.shop.test", edge.ca_pem()).await;
    let request = Request::post("/x?y=z").header("host", "api.shop.test").header("user-agent", "a \"b\"");
    let answered = client.send(request.body(Full::from(Bytes::from_static(b"0123456789"))).unwrap()).await.unwrap();
    assert_eq!(answered.status, 200);
    let file = dir.path().join("logs/lb.log");
    let read = || std::fs::read_to_string(&file).unwrap_or_default();
    until("the line is there", || read().ends_with('\n')).await;
    let text = read();
    let (mut fields, mut quoted) = (vec![String::new()], false);
    let mut characters = text.trim_end().chars();
    while let Some(c) = characters.next() {
        match c {
            '"' => quoted = !quoted,
            ' ' if !quoted => fields.push(String::new()),
            '\\' => fields.last_mut().unwrap().push(characters.next().unwrap()),
            c => fields.last_mut().unwrap().push(c),
        }
    }
    assert_eq!(fields.len(), 30, "{text}");
    assert_eq!((fields[0].as_str(), fields[2].as_str(), &fields[4]), ("https", "lb", &old.address.to_string()));
    assert_eq!((fields[8].as_str(), fields[9].as_str()), ("200", "200"));
    assert!(fields[10].parse::<usize>().unwrap() > 80 && fields[11].parse::<usize>().unwrap() > 100, "{text}");
    assert_eq!(fields[12], "POST https://api.shop.test:443/x?y=z HTTP/1.1");
    assert_eq!((fields[13].as_str(), fields[15].as_str(), fields[16].as_str()), ("a \"b\"", "TLSv1.3", "old"));
    assert!(fields[17].starts_with("Root=1-"), "{text}");
    assert_eq!((fields[18].as_str(), fields[20].as_str(), fields[22].as_str()), ("api.shop.test", "0", "forward"));
}
