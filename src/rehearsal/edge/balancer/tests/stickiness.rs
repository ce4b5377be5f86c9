//! Law L2, and stickiness of targets.

use super::*;
use crate::rehearsal::edge::testing::{Answered, becomes, group_attributes};

/// Sends a GET with these cookies.
async fn with(client: &mut Client, cookies: &str) -> Answered {
    let request = Request::get("/").header("host", "a").header("cookie", cookies);
    client.send(request.body(Full::default()).unwrap()).await.unwrap()
}

/// The cookies an answer sets, by name, without their attributes.
fn set(answered: &Answered) -> Vec<(String, String)> {
    let cookies = answered.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap());
    let pairs = cookies.filter_map(|cookie| cookie.split(';').next()?.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn named(answered: &Answered, name: &str) -> String {
    set(answered).into_iter().find(|(n, _)| n == name).map(|(n, v)| format!("{n}={v}")).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn law_l2_the_stickiness_cookie_wins_over_the_weights() {
    let (shared, address) = (shared(), edge_address());
    let (_old, _new) = two_groups(&shared).await;
    balance(&shared, address, ("HTTP", 80), forward(&[("old", 1), ("new", 0)], Some(60)));
    let (edge, _dir) = edge(&shared, Arc::new(NoObjects)).await;
    let mut client = Client::plain(address).await;
    let first = client.get("a", "/").await;
    assert_eq!(first.header("x-target"), "old");
    let cookie = named(&first, "AWSALBTG");
    assert!(!cookie.is_empty() && !named(&first, "AWSALBTGCORS").is_empty(), "{first:?}");
    act(&shared, forward(&[("old", 0), ("new", 1)], Some(60)));
    edge.settled().await;
    assert_eq!(client.get("a", "/").await.header("x-target"), "new", "without the cookie");
    assert_eq!(with(&mut client, &format!("x=y; {cookie}")).await.header("x-target"), "old", "with it");
    shared.clock.advance(Duration::from_secs(61));
    assert_eq!(with(&mut client, &cookie).await.header("x-target"), "new", "its time is over");
    let cookie = cookie.replace("TG=", "TGCORS=");
    act(&shared, forward(&[("old", 0), ("new", 1)], None));
    edge.settled().await;
    let answered = with(&mut client, &cookie).await;
    assert_eq!((answered.header("x-target"), set(&answered).len()), ("new", 0), "stickiness off");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_stays_at_its_target_until_that_leaves_or_the_cookie_is_old() {
    let (shared, address) = (shared(), edge_address());
    let (one, two) = (TinyTarget::start("one").await, TinyTarget::start("two").await);
    shared.lock().target_groups.insert("g".into(), group(&[(&one, "healthy"), (&two, "healthy")]));
    balance(&shared, address, ("HTTP", 80), forward(&[("g", 1)], None));
    group_attributes(&shared, "g", &[("stickiness.enabled", "true"), ("stickiness.lb_cookie.duration_seconds", "60")]);
    let (edge, _dir) = edge(&shared, Arc::new(NoObjects)).await;
    let mut client = Client::plain(address).await;
    let first = client.get("a", "/").await;
    let (cookie, at) = (named(&first, "AWSALB"), first.header("x-target").to_owned());
    let whole = first.headers.get_all("set-cookie").iter().map(|c| c.to_str().unwrap()).collect::<Vec<_>>();
    assert!(whole[0].starts_with("AWSALB=") && whole[0].contains("; Expires=") && whole[0].ends_with(" GMT; Path=/"));
    assert!(whole[1].starts_with("AWSALBCORS=") && whole[1].ends_with("; Path=/; SameSite=None; Secure"), "{whole:?}");
    for _ in 0..10 {
        let answered = with(&mut client, &cookie).await;
        assert_eq!(answered.header("x-target"), at);
        assert!(!named(&answered, "AWSALB").is_empty(), "every answer renews it");
    }
    // law L4: a draining target gets nothing new, the cookie notwithstanding; the cookie is set anew
    let (staying, leaving) = if at == "one" { ("two", &one) } else { ("one", &two) };
    let later = shared.clock.now() + Duration::from_mins(5);
    becomes(&shared, "g", leaving, "draining", Some(later));
    edge.settled().await;
    let moved = with(&mut client, &cookie).await;
    assert_eq!(moved.header("x-target"), staying);
    assert_eq!(with(&mut client, &named(&moved, "AWSALB")).await.header("x-target"), staying);
    becomes(&shared, "g", leaving, "healthy", None);
    edge.settled().await;
    shared.clock.advance(Duration::from_secs(61));
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..4 {
        seen.insert(with(&mut client, &cookie).await.header("x-target").to_owned());
    }
    assert_eq!(seen.len(), 2, "a cookie whose time is over is followed no more");
}

#[tokio::test(flavor = "multi_thread")]
async fn stickiness_can_follow_the_applications_own_cookie() {
    let (shared, address) = (shared(), edge_address());
    let (one, two) = (TinyTarget::start("one").await, TinyTarget::start("two").await);
    shared.lock().target_groups.insert("g".into(), group(&[(&one, "healthy"), (&two, "healthy")]));
    balance(&shared, address, ("HTTP", 80), forward(&[("g", 1)], None));
    let attributes = [
        ("stickiness.enabled", "true"),
        ("stickiness.type", "app_cookie"),
        ("stickiness.app_cookie.cookie_name", "session"),
    ];
    group_attributes(&shared, "g", &attributes);
    let (_edge, _dir) = edge(&shared, Arc::new(NoObjects)).await;
    let mut client = Client::plain(address).await;
    assert!(set(&client.get("a", "/").await).is_empty(), "the application has set none");
    let login = client.get("a", "/login").await;
    let (cookie, at) = (named(&login, "AWSALBAPP-0"), login.header("x-target").to_owned());
    assert!(!cookie.is_empty(), "{login:?}");
    for _ in 0..6 {
        assert_eq!(with(&mut client, &format!("session=7; {cookie}")).await.header("x-target"), at);
    }
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..4 {
        seen.insert(with(&mut client, &cookie).await.header("x-target").to_owned());
    }
    assert_eq!(seen.len(), 2, "without the application's cookie it is not followed");
}
