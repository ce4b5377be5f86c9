//! The end of the way back.

use futures::FutureExt;

use super::*;
use crate::clients::fake::Stage;
use crate::clients::fake::stage::RUN;
use crate::clients::objects::Headers;
use crate::postgres::port::DatabasesWrite;
use crate::steps::contract::{Boxed, Case};

async fn ready() -> Stage {
    let stage = Stage::new();
    stage.databases.copy(RUN, &|_, _, _| ()).await.unwrap();
    let kept = format!("{}index.html", crate::steps::before_prefix(RUN));
    stage.objects.meddle("shop-pages", &kept, "before", Headers::default());
    stage.objects.meddle("shop-pages", "index.html", "now", Headers::default());
    stage.objects.meddle("shop-pages", "outgrow/before/shop-10/index.html", "another run", Headers::default());
    stage
}

pub(crate) fn cases() -> Vec<Case> {
    vec![Case { name: "finalize", set: || async { (ready().await, Box::new(Finalize {}) as Boxed) }.boxed() }]
}

#[tokio::test]
async fn what_was_kept_goes_and_nothing_else() {
    let stage = ready().await;
    assert_eq!(stage.snapshot()["databases"]["new"]["copied_by"], RUN);
    let Planned::Change(change) = Finalize {}.plan(&stage.look()).await.unwrap() else { panic!("nothing to do") };
    assert!(matches!(change.reversal(), Reversal::PointOfNoReturn(_)));
    Finalize {}.apply(&stage.act(), &change).await.unwrap();
    let after = stage.snapshot();
    let objects = after["objects"]["shop-pages"]["objects"].as_object().unwrap();
    assert_eq!(objects.keys().collect::<Vec<_>>(), ["index.html", "outgrow/before/shop-10/index.html"]);
    assert_eq!(after["databases"]["new"]["copied_by"], serde_json::Value::Null);
    assert_eq!(after["databases"]["new"]["tables"], after["databases"]["old"]["tables"]);
}
