//! The wait.

use futures::FutureExt;

use super::*;
use crate::clients::fake::Stage;
use crate::steps::contract::{Boxed, Case};

const DAY: Duration = Duration::from_hours(24);

pub(crate) fn cases() -> Vec<Case> {
    vec![Case { name: "soak", set: || async { (Stage::new(), Box::new(Soak { lasts: DAY }) as Boxed) }.boxed() }]
}

#[tokio::test]
async fn a_soak_counts_from_when_it_began_also_after_a_crash() {
    let stage = Stage::new();
    let soak = Soak { lasts: DAY };
    let change = SoakChange { lasts: DAY };
    let look = stage.look_applied();
    stage.clock.advance(DAY / 2);
    assert!(matches!(soak.verify(&look, &change).await.unwrap(), Verdict::Wait { .. }));
    stage.clock.advance(DAY / 2);
    assert_eq!(soak.verify(&look, &change).await.unwrap(), Verdict::Holds);
}
