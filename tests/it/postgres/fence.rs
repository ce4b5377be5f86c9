//! The fence against an application that is a superuser and does not give up.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use outgrow::clients::postgres::Endpoint;
use outgrow::postgres::fence::{self, FenceState, Proof};
use outgrow::postgres::scram;
use secrecy::ExposeSecret as _;

use super::count;
use crate::pg::Cluster;

/// Writes, and logs in again whenever it is thrown out; counts what was acknowledged.
async fn writer(endpoint: Endpoint, acknowledged: Arc<AtomicU64>, stop: Arc<AtomicBool>) {
    while !stop.load(Ordering::SeqCst) {
        let Ok(session) = endpoint.connect().await else {
            tokio::task::yield_now().await;
            continue;
        };
        while session.run("INSERT INTO public.written DEFAULT VALUES").await.is_ok() {
            acknowledged.fetch_add(1, Ordering::SeqCst);
            // What a superuser can do against the fence: open the door for itself.
            if session.run("ALTER ROLE app LOGIN").await.is_err() || stop.load(Ordering::SeqCst) {
                break;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_fence_holds_against_superuser_writers_and_opens_exactly() {
    let old = Cluster::start().await;
    let session = old.session("postgres").await;
    session
        .run("CREATE ROLE app LOGIN SUPERUSER PASSWORD 'app-secret'; CREATE ROLE \"다른 Role\" LOGIN; CREATE ROLE closed NOLOGIN; CREATE TABLE public.written (at timestamptz DEFAULT clock_timestamp())")
        .await
        .unwrap();
    let app = old.endpoint("app", "app-secret", "postgres");
    let roles = "SELECT string_agg(rolname || rolcanlogin || rolsuper || rolconnlimit, ',' ORDER BY rolname) FROM pg_roles WHERE rolname <> 'outgrow_admin'";
    let before: String = session.value(roles, &[]).await.unwrap();
    session.close();

    // Made from the application's own session: that is all the box's configuration knows.
    let password = scram::random_password();
    let first = app.connect().await.unwrap();
    fence::make_admin(&first, &password).await.unwrap();
    fence::make_admin(&first, &password).await.unwrap();
    first.close();
    let admin = app.with_user(fence::ADMIN, password.clone()).connect().await.unwrap();

    let (acknowledged, stop) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let writers: Vec<_> =
        (0..6).map(|_| tokio::spawn(writer(app.clone(), Arc::clone(&acknowledged), Arc::clone(&stop)))).collect();
    while acknowledged.load(Ordering::SeqCst) < 200 {
        tokio::task::yield_now().await;
    }
    let plan = fence::plan_fence(&admin, &[]).await.unwrap();
    let names: Vec<_> = plan.roles.iter().map(|role| role.name.as_str()).collect();
    assert_eq!(names, ["app", "postgres", "다른 Role"]);
    assert_eq!(fence::is_fenced(&admin, &plan).await.unwrap(), FenceState::Open);
    fence::apply_fence(&admin, &plan, Duration::from_secs(10)).await.unwrap();
    assert_eq!(fence::is_fenced(&admin, &plan).await.unwrap(), FenceState::Closed);
    let rows = count(&admin, "SELECT count(*) FROM public.written").await;
    assert_eq!(fence::try_login(&app).await, Proof::Refused);
    assert!(matches!(fence::try_login(&app.with_user("app", "wrong".into())).await, Proof::Unproven(_)));

    // The writers go on trying; nothing more arrives, and nothing acknowledged is missing.
    tokio::time::sleep(Duration::from_millis(500)).await;
    fence::apply_fence(&admin, &plan, Duration::from_secs(10)).await.unwrap();
    assert_eq!(count(&admin, "SELECT count(*) FROM public.written").await, rows);
    stop.store(true, Ordering::SeqCst);
    for writer in writers {
        writer.await.unwrap();
    }
    assert!(u64::try_from(rows).unwrap() >= acknowledged.load(Ordering::SeqCst));

    // Opened, twice, and from half open.
    admin.run("ALTER ROLE app LOGIN").await.unwrap();
    assert!(matches!(fence::is_fenced(&admin, &plan).await.unwrap(), FenceState::Partly(_)));
    fence::unfence(&admin, &plan).await.unwrap();
    fence::unfence(&admin, &plan).await.unwrap();
    assert_eq!(admin.value::<String>(roles, &[]).await.unwrap(), before);
    assert_eq!(fence::try_login(&app).await, Proof::GotIn);
    admin.close();
    let session = old.session("postgres").await;
    fence::remove_admin(&session).await.unwrap();
    assert_eq!(count(&session, "SELECT count(*) FROM pg_roles WHERE rolname = 'outgrow_admin'").await, 0);
    assert!(!old.log().contains(password.expose_secret()), "no password in the server's log");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_managed_servers_master_fences_the_roles_it_administers() {
    let new = Cluster::start().await;
    let master = new.managed("shop").await;
    let session = master.connect().await.unwrap();
    session.run("CREATE ROLE shop LOGIN PASSWORD 'shop-secret'; GRANT shop TO master").await.unwrap();
    let app = new.endpoint("shop", "shop-secret", "shop");
    let open = app.connect().await.unwrap();
    assert!(matches!(
        fence::make_admin(&session, &scram::random_password()).await,
        Err(outgrow::postgres::Error::Privilege { .. })
    ));
    let plan = fence::plan_fence(&session, &[]).await.unwrap();
    assert_eq!(plan.roles.iter().map(|role| role.name.as_str()).collect::<Vec<_>>(), ["shop"]);
    fence::apply_fence(&session, &plan, Duration::from_secs(10)).await.unwrap();
    let error = open.run("SELECT 1").await.unwrap_err();
    assert!(error.is_lost(), "{error}");
    assert_eq!(fence::try_login(&app).await, Proof::Refused);
    fence::unfence(&session, &plan).await.unwrap();
    assert_eq!(fence::try_login(&app).await, Proof::GotIn);
}
