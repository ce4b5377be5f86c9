//! One world, everything asked of it.

use std::time::Duration;

use outgrow::rehearsal::world::control::Request;
use outgrow::rehearsal::world::fingerprint::differences;

use super::{Here, copy, id, labelled, services, the_box};

#[tokio::test(flavor = "multi_thread")]
async fn a_world_over_the_demo_box_is_walked_and_leaves_nothing_behind() {
    let before = the_box();
    let here = Here::start(&id("all")).await;
    for part in &here.ready.parts {
        eprintln!("{:6.2} +{:5.2}  {}", part.at, part.seconds, part.what);
    }
    eprintln!("{:6.2} s in all", here.ready.seconds);
    copy::is_as_the_box(&here.ready);
    services::are_as_a_site_has_them(&here.ready).await;
    services::host_answers(&here.ready).await;
    services::database_is_as_on_rds(&here.ready).await;

    let first = here.ask(Request::Fingerprint { later: false }).await;
    assert_eq!(first["box"].as_object().unwrap().len(), 4);
    assert_eq!(first["new_database"]["empty"], true);
    assert_eq!(first["old_database"]["tables"]["public.orders"][0], 160_000);
    let again = here.ask(Request::Fingerprint { later: false }).await;
    assert_eq!(differences(&first, &again), Vec::<String>::new());

    here.ask(Request::VisitorsStart).await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    here.ask(Request::VisitorsStop).await;
    let report = here.ask(Request::Report).await;
    assert_eq!(report["failed_requests"], 0, "{report:#}");
    assert!(report["requests"].as_u64().unwrap() > 50, "{report:#}");
    assert!(report["acknowledged_writes"].as_u64().unwrap() > 5, "{report:#}");
    assert_eq!((&report["lost_writes"], &report["doubled_writes"]), (&0.into(), &0.into()), "{report:#}");
    assert_eq!((report["writer"].as_str(), &report["problem"]), (Some("old"), &serde_json::Value::Null));
    assert!(report["write_pause_ms"].is_u64(), "{report:#}");
    let box_address = here.ready.copy.address.to_string();
    let shares = report["shares"].as_array().unwrap();
    assert!(shares.iter().all(|s| s["address"] == box_address.as_str() && s["share"] == 1.0), "{report:#}");
    let resting = here.ask(Request::Report).await;
    assert_eq!(resting["requests"], report["requests"], "nobody walks any more");

    // What visitors wrote is no difference: every row of before is there still.
    let then = here.ask(Request::Fingerprint { later: true }).await;
    assert_eq!(differences(&first, &then), Vec::<String>::new());
    assert!(report["acknowledged_writes"].as_u64().unwrap() > 0, "somebody wrote");
    // A row of before that is gone shows.
    copy::sql(&here.ready, "DELETE FROM settings WHERE ctid = (SELECT min(ctid) FROM settings)");
    let told = differences(&first, &here.ask(Request::Fingerprint { later: true }).await);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("public.settings"), "{told:?}");

    assert_eq!(here.ask(Request::Advance { ms: 3_600_000 }).await["skipped_ms"], 3_600_000);
    assert_eq!(here.ask(Request::Now).await["skipped_ms"], 3_600_000);
    let world = here.ready.control.parent().unwrap().to_owned();
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&here.ready.control).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    assert!(world.join("world.json").is_file());
    let _dir = here.stop().await;
    assert!(world.join("ledger.jsonl").exists());
    assert!(!world.join("world.json").exists() && !world.join("control.sock").exists());
    assert_eq!(labelled(&id("all")), Vec::<String>::new());
    assert_eq!(the_box(), before);
}
