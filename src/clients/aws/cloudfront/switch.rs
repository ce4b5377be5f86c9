//! A release's switch: the origin's path, and what the edges are to drop.

use aws_sdk_cloudfront::types::{self as aws};

use super::super::error::explain;
use super::{CloudFront, refused, unanswered};
use crate::clients::{ClientError, ClientResult, Kind};

impl CloudFront {
    pub(super) async fn switch(&self, id: &str, origin: &str, from: &str, to: &str) -> ClientResult<()> {
        let what = format!("switch {origin} of the distribution {id} from {from:?} to {to:?}");
        let (mut config, etag) = self.config(id).await?;
        let mut origins = config.origins.iter_mut().flat_map(|origins| &mut origins.items);
        let found = origins.find(|found| found.id == origin);
        let missing = || ClientError::new(Kind::NotFound, what.clone(), "it has no such origin");
        let found = found.ok_or_else(missing)?;
        let live = found.origin_path.clone().unwrap_or_default();
        if live == to {
            return Ok(());
        }
        if live != from {
            return Err(ClientError::new(Kind::Conflict, what, format!("its path is {live:?}")));
        }
        found.origin_path = Some(to.to_owned());
        self.set(id, &etag, config).await.map(drop)
    }

    pub(super) async fn drop_paths(&self, id: &str, reference: &str, paths: &[String]) -> ClientResult<String> {
        let what = || format!("invalidate {} paths of the distribution {id}", paths.len());
        let count = i32::try_from(paths.len()).unwrap_or(i32::MAX);
        let batch = aws::Paths::builder().quantity(count).set_items(Some(paths.to_vec())).build();
        let batch = batch
            .and_then(|paths| aws::InvalidationBatch::builder().paths(paths).caller_reference(reference).build())
            .map_err(refused(&what()))?;
        let sent = self.client.create_invalidation().distribution_id(id).invalidation_batch(batch).send().await;
        let answer = sent.map_err(|e| explain(what(), "cloudfront:CreateInvalidation", e))?;
        answer.invalidation().map(|made| made.id().to_owned()).ok_or_else(|| unanswered(what()))
    }
}
