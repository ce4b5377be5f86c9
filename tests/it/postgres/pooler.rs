//! PgBouncer between the application and the two servers.

use outgrow::postgres::handover::{self, Hold as _, NoHold};
use outgrow::postgres::pooler::{Console, Mode, look};
use outgrow::world::Side;

use super::follow_pair::{Forgetful, Pair, Writers};
use super::pooler_server::Bouncer;

#[tokio::test(flavor = "multi_thread")]
async fn clients_wait_and_are_sent_on_without_a_failure() {
    let pair = Pair::following().await;
    // The pooler has what the old server keeps of the password; the copy took the same to the new one.
    let sql = "SELECT rolpassword FROM pg_authid WHERE rolname = 'shop'";
    let verifier: String = pair.session(Side::Old).await.value(sql, &[]).await.unwrap();
    let bouncer = Bouncer::start(pair.old.port(), pair.new.port(), Mode::Transaction, &[("shop", &verifier)]).await;
    let writers = Writers::start_bare(&bouncer.endpoint("shop", "shop-secret"), 6);
    writers.more(200).await;
    for giver in [Side::Old, Side::New, Side::Old] {
        let request = handover::Request { hold: &bouncer.pooler, ..pair.request(giver, &Forgetful) };
        match handover::hand_over(&request).await {
            Ok(handed) => assert_eq!(handed.afterwards.compare(2).await.unwrap(), []),
            Err(error) => panic!("{error}\n{}\n{}", bouncer.log(), pair.logs()),
        }
        writers.more(200).await;
    }
    let console = Console::open(&bouncer.console).await.unwrap();
    assert!(console.clients("shop").await.unwrap() >= 6);
    assert!(console.pools().await.unwrap().iter().any(|pool| pool.user == "shop"));
    assert_eq!(writers.settle(&pair.session(Side::New).await).await, 0, "no statement failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_that_is_given_up_lets_everybody_go_on() {
    let pair = Pair::following().await;
    let bouncer = Bouncer::start(pair.old.port(), pair.new.port(), Mode::Transaction, &[("shop", "shop-secret")]).await;
    let client = bouncer.endpoint("shop", "shop-secret").connect_bare().await.unwrap();
    client.run("BEGIN; SELECT 1").await.unwrap();
    // It waits for the open transaction, until the handover's time is up.
    let mut request = handover::Request { hold: &bouncer.pooler, ..pair.request(Side::Old, &Forgetful) };
    request.limits.hold_at_most = std::time::Duration::from_millis(300);
    let error = handover::hand_over(&request).await.unwrap_err();
    assert!(matches!(error, handover::Failed::Reopened { .. }), "{error}");
    client.run("COMMIT").await.unwrap();
    client.run("INSERT INTO public.ledger (id) VALUES (1)").await.unwrap();
    // A console that was cut is opened again.
    bouncer.pooler.hold().await.unwrap();
    bouncer.pooler.release_to(Side::Old).await.unwrap();
    client.run("INSERT INTO public.ledger (id) VALUES (2)").await.unwrap();
    NoHold.hold().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn in_session_mode_a_client_loses_its_connection_once_and_waits_with_the_next() {
    let pair = Pair::following().await;
    let bouncer = Bouncer::start(pair.old.port(), pair.new.port(), Mode::Session, &[("shop", "shop-secret")]).await;
    let endpoint = bouncer.endpoint("shop", "shop-secret");
    let client = endpoint.connect_bare().await.unwrap();
    client.run("INSERT INTO public.ledger (id) VALUES (1)").await.unwrap();
    bouncer.pooler.prepare(Side::Old).await.unwrap();
    bouncer.pooler.hold().await.unwrap();
    assert!(client.run("SELECT 1").await.unwrap_err().is_lost());
    let waiting = tokio::spawn(async move {
        let client = endpoint.connect_bare().await.unwrap();
        client.run("INSERT INTO public.ledger (id) VALUES (2)").await
    });
    bouncer.pooler.release_to(Side::Old).await.unwrap();
    waiting.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_session_keeps_decides_the_mode() {
    let pair = Pair::start().await;
    let session = pair.session(Side::Old).await;
    let found = look(&session, Some("1.24.0")).await.unwrap();
    assert_eq!((found.mode, found.findings.len()), (Mode::Transaction, 0), "{found:?}");
    let old = look(&session, Some("1.18.0")).await.unwrap();
    assert!(old.mode == Mode::Session && old.findings[0].advice.contains("1.21"), "{old:?}");
    session
        .run(
            "CREATE FUNCTION public.one_at_a_time() RETURNS void LANGUAGE sql AS 'SELECT pg_advisory_lock(7)'; \
             CREATE FUNCTION public.fine() RETURNS void LANGUAGE sql AS 'SELECT pg_advisory_xact_lock(7)'",
        )
        .await
        .unwrap();
    let client = pair.app(Side::Old).connect_bare().await.unwrap();
    client.run("CREATE TEMP TABLE kept (id int); LISTEN orders").await.unwrap();
    let found = look(&session, Some("1.24.0")).await.unwrap();
    assert_eq!(found.mode, Mode::Session);
    let all = found.findings.iter().map(|f| format!("{} {}", f.what, f.at)).collect::<Vec<_>>().join("\n");
    for word in ["one_at_a_time", "pg_advisory_lock"] {
        assert!(all.contains(word) || all.contains("pg_advisory_lock(7)"), "{word}: {all}");
    }
    assert!(all.contains("temporary tables"), "{all}");
}
