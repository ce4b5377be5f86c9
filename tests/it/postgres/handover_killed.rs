//! A handover that does not get to its end: wherever it stops, there is one writer and nothing is lost.

use std::sync::Arc;
use std::time::Duration;

use outgrow::postgres::fence::{self, Proof};
use outgrow::postgres::follow;
use outgrow::postgres::handover::{self, Epoch, Failed, Part, Record, Stand};
use outgrow::world::Side;
use tokio::sync::Notify;

use super::follow_pair::{Pair, Writers};

/// What happens when a part begins.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    /// The process ends.
    Killed,
    /// The caller says no.
    Refused,
    /// Every connection of outgrow is cut.
    Cut,
    /// The server of this side crashes.
    Crash(Side),
}

struct Faulty {
    at: Part,
    fault: Fault,
    reached: Arc<Notify>,
    admins: [outgrow::clients::postgres::Endpoint; 2],
    pids: [u32; 2],
}

#[async_trait::async_trait]
impl Record for Faulty {
    async fn epoch(&self, _: Epoch) -> std::io::Result<()> {
        Ok(())
    }

    async fn entering(&self, part: Part) -> std::io::Result<()> {
        if part != self.at {
            return Ok(());
        }
        match self.fault {
            Fault::Killed => {
                self.reached.notify_one();
                std::future::pending().await
            }
            Fault::Refused => Err(std::io::Error::other("no")),
            Fault::Cut => {
                for admin in &self.admins {
                    let session = admin.connect().await.unwrap();
                    let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                        WHERE application_name LIKE 'outgrow%' AND usename IN ('outgrow_admin', 'master') AND pid <> pg_backend_pid()";
                    session.rows(sql, &[]).await.unwrap();
                }
                Ok(())
            }
            Fault::Crash(side) => {
                let pid = self.pids[usize::from(side == Side::New)];
                std::process::Command::new("kill").args(["-QUIT", &pid.to_string()]).status().unwrap();
                Ok(())
            }
        }
    }
}

/// One try with a fault; afterwards one side serves, and it is said which.
async fn try_with(pair: &mut Pair, giver: Side, at: Part, fault: Fault) -> Side {
    let reached = Arc::new(Notify::new());
    let admins = [pair.sides.old.admin.clone(), pair.sides.new.admin.clone()];
    let pids = [pair.old.pid(), pair.new.pid()];
    let record = Faulty { at, fault, reached: Arc::clone(&reached), admins, pids };
    let mut request = pair.request(giver, &record);
    request.limits.hold_at_most = Duration::from_secs(4);
    let outcome = tokio::select! {
        outcome = handover::hand_over(&request) => Some(outcome),
        () = reached.notified() => None,
    };
    let what = format!("{fault:?} at {at:?} from {giver:?}");
    if let Some(Err(error @ Failed::NotBegun(_))) = &outcome {
        panic!("{what}: {error}\n{}", pair.logs());
    }
    if let Fault::Crash(side) = fault {
        let server = if side == Side::Old { &mut pair.old } else { &mut pair.new };
        server.crash_and_restart().await;
    }
    let told = match outcome {
        Some(Ok(_)) => Some(follow::opposite(giver)),
        Some(Err(Failed::Reopened { .. })) => Some(giver),
        _ => None,
    };
    let request = pair.request(giver, &super::follow_pair::Forgetful);
    let stand = handover::recover(&request).await.unwrap_or_else(|e| panic!("{what}: {e}\n{}", pair.logs()));
    let Stand::Serves(writer) = stand else { panic!("{what}: {stand:?}") };
    assert!(told.is_none_or(|told| told == writer), "{what}: {told:?} was told, {writer:?} serves");
    // A giver that crashes once all is received does not keep the receiver from being opened.
    let may_be_open = matches!(at, Part::Open | Part::Release)
        || (at == Part::OnRecord && matches!(fault, Fault::Cut | Fault::Crash(_)));
    assert!(may_be_open || writer == giver, "{what}: the receiver was opened too early");
    assert_eq!(fence::try_login(&pair.app(writer)).await, Proof::GotIn, "{what}");
    assert_eq!(fence::try_login(&pair.app(follow::opposite(writer))).await, Proof::Refused, "{what}");
    pair.caught_up(writer).await;
    writer
}

/// Every part of a handover there, every part of one back; with `each_way` both for each part, else in turn.
async fn at_every_part(each_way: bool, fault: fn(Side) -> Fault) {
    let mut pair = Pair::following().await;
    let writers = Writers::start(&[pair.app(Side::Old), pair.app(Side::New)], 4);
    let mut writer = Side::Old;
    for (place, part) in Part::ALL.into_iter().enumerate() {
        for giver in [Side::Old, Side::New] {
            if !each_way && (place % 2 == 0) != (giver == Side::Old) {
                continue;
            }
            if writer != giver {
                super::handover::hand_over(&pair, writer).await;
            }
            writers.more(20).await;
            writer = Box::pin(try_with(&mut pair, giver, part, fault(giver))).await;
            writers.more(20).await;
        }
    }
    let session = pair.session(writer).await;
    writers.settle(&session).await;
    pair.caught_up(writer).await;
    let rows: Vec<_> = super::differences(&pair.sides.old.admin, &pair.sides.new.admin).await;
    let rows: Vec<_> = rows.iter().filter(|d| !d.contains("stands at")).collect();
    assert!(rows.is_empty(), "{rows:?}");
    assert_eq!(follow::tidy(&pair.sides).await, []);
    assert_eq!(pair.remains().await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_every_part_there_is_one_writer_and_nothing_is_lost() {
    Box::pin(at_every_part(true, |_| Fault::Killed)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_at_every_part_the_giver_is_open_again() {
    Box::pin(at_every_part(false, |_| Fault::Refused)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cut_at_every_part_there_is_one_writer_and_nothing_is_lost() {
    Box::pin(at_every_part(false, |_| Fault::Cut)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_giver_crashes_in_any_part_nothing_is_lost() {
    Box::pin(at_every_part(false, Fault::Crash)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_receiver_crashes_in_any_part_nothing_is_lost() {
    Box::pin(at_every_part(false, |giver| Fault::Crash(follow::opposite(giver)))).await;
}
