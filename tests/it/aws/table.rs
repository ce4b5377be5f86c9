//! What a row of the contract is, and how a table of them is run.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::ground::Ground;

/// The longest a row may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// What a row does: it panics where the contract is broken.
pub type Run = fn(Arc<Ground>) -> Pin<Box<dyn Future<Output = ()> + Send>>;

/// A line of the contract between a port of `clients` and AWS.
#[derive(Clone, Copy)]
pub struct Row {
    /// Its name; whatever it makes is named after it.
    pub name: &'static str,
    /// What AWS does.
    pub what: &'static str,
    /// How it is seen.
    pub run: Run,
    /// What the other emulator says.
    pub moto: Moto,
}

/// The second opinion on a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moto {
    /// moto answers so too.
    Same,
    /// moto answers otherwise; the row fails on it.
    Differs {
        /// How.
        how: &'static str,
        /// Why ours is held to be right: where AWS says so.
        why: &'static str,
    },
}

/// The names of the rows that are broken on this ground, and how.
pub async fn broken(rows: &[Row], ground: &Arc<Ground>) -> Vec<(&'static str, String)> {
    let running = rows.iter().map(|row| {
        let done = tokio::spawn(tokio::time::timeout(PATIENCE, (row.run)(ground.clone())));
        async move {
            let why = match done.await {
                Ok(Ok(())) => return None,
                Ok(Err(_)) => format!("not done in {PATIENCE:?}"),
                Err(error) => match error.try_into_panic() {
                    Ok(panic) => panic.downcast_ref::<String>().cloned().unwrap_or_else(|| "an assertion".to_owned()),
                    Err(error) => error.to_string(),
                },
            };
            Some((row.name, why))
        }
    });
    futures::future::join_all(running).await.into_iter().flatten().collect()
}

/// A table of rows: `name "what" moto { body }`, the body an async block over `$on: Arc<Ground>`.
macro_rules! rows {
    ($($name:ident $what:literal, $moto:expr, |$on:ident| $body:block)*) => {
        pub const ROWS: &[crate::aws::Row] = &[$(crate::aws::Row {
            name: stringify!($name),
            what: $what,
            moto: $moto,
            run: |$on| Box::pin(async move { let $on = &*$on; $body }),
        }),*];
    };
}
pub(super) use rows;
