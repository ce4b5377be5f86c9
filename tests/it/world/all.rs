//! One world, everything asked of it.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_world_over_the_demo_box_is_walked_and_leaves_nothing_behind() {
    let before = the_box();
    let here = Here::start("it-all").await;
    for part in &here.ready.parts {
        eprintln!("{:6.2} +{:5.2}  {}", part.at, part.seconds, part.what);
    }
    eprintln!("{}", serde_json::to_string_pretty(&here.ready).unwrap());
    let first = here.ask(Request::Fingerprint { as_of: None }).await;
    here.ask(Request::VisitorsStart).await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    here.ask(Request::VisitorsStop).await;
    let report = here.ask(Request::Report).await;
    eprintln!("{}", serde_json::to_string_pretty(&report).unwrap());
    let second = here.ask(Request::Fingerprint { as_of: first["snapshot"].as_str().map(str::to_owned) }).await;
    eprintln!("{}", serde_json::to_string_pretty(&second).unwrap());
    here.stop().await;
    assert_eq!(labelled("it-all"), Vec::<String>::new());
    assert_eq!(the_box(), before);
}
