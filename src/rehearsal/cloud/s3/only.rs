//! Under which condition a write or a deletion may take place (law C7).
//!
//! Source: S3 guide, "How to prevent object overwrites with conditional writes" and "How to perform conditional deletes".

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use s3s::dto::{ETagCondition, Timestamp};
use s3s::{S3ErrorCode, S3Result, s3_error};

use super::super::law::Law;
use super::meta::ObjectMeta;
use super::store::no_key;
use super::{Objects, by};

/// The condition of a write.
#[derive(Default)]
pub(super) struct Only {
    if_match: Option<ETagCondition>,
    if_none_match: Option<ETagCondition>,
    modified: Option<Timestamp>,
    size: Option<i64>,
    /// The key was deleted while the write was under way.
    disturbed: Option<Arc<AtomicBool>>,
}

/// Conditional writes under way: bucket, key, and what tells them of a deletion.
#[derive(Default)]
pub(super) struct Watchers(Mutex<Vec<(String, String, Weak<AtomicBool>)>>);

impl Watchers {
    fn watch(&self, bucket: &str, key: &str) -> Arc<AtomicBool> {
        let disturbed = Arc::new(AtomicBool::new(false));
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|(_, _, watcher)| watcher.strong_count() > 0);
        all.push((bucket.to_owned(), key.to_owned(), Arc::downgrade(&disturbed)));
        disturbed
    }

    /// Tells the conditional writes to a key that it was deleted.
    pub(super) fn deleted(&self, bucket: &str, key: &str) {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for watcher in all.iter().filter(|(b, k, _)| b == bucket && k == key).filter_map(|(_, _, w)| w.upgrade()) {
            watcher.store(true, Ordering::SeqCst);
        }
    }
}

impl Only {
    /// The condition of a put or of a completed upload, from the moment the request has begun.
    pub(super) fn writing(
        objects: &Objects,
        bucket: &str,
        key: &str,
        if_match: Option<ETagCondition>,
        if_none_match: Option<ETagCondition>,
    ) -> S3Result<Self> {
        if if_none_match.as_ref().is_some_and(|c| !c.is_any()) || (if_match.is_some() && if_none_match.is_some()) {
            return Err(s3_error!(
                NotImplemented,
                "A header you provided implies functionality that is not implemented"
            ));
        }
        let disturbed = if_none_match.is_some().then(|| objects.watchers().watch(bucket, key));
        Ok(Self { if_match, if_none_match, disturbed, ..Self::default() })
    }

    /// The condition of a deletion.
    pub(super) fn deleting(if_match: Option<ETagCondition>, modified: Option<Timestamp>, size: Option<i64>) -> Self {
        Self { if_match, modified, size, ..Self::default() }
    }

    pub(super) fn is_any(&self) -> bool {
        self.if_match.is_some() || self.modified.is_some() || self.size.is_some()
    }

    /// Holds a write to its condition; `before` is what is current.
    pub(super) fn allows(&self, before: Option<&ObjectMeta>) -> S3Result<()> {
        let failed = || {
            let message = "At least one of the pre-conditions you specified did not hold";
            Err(by(Law::C7, S3ErrorCode::PreconditionFailed, message))
        };
        let live = before.filter(|meta| !meta.marker);
        if self.if_none_match.is_some() {
            if live.is_some() {
                return failed();
            }
            if self.disturbed.as_ref().is_some_and(|d| d.load(Ordering::SeqCst)) {
                let message =
                    "The conditional request cannot succeed due to a conflicting operation against this resource.";
                return Err(by(Law::C7, S3ErrorCode::ConditionalRequestConflict, message));
            }
        }
        if !self.is_any() {
            return Ok(());
        }
        let Some(meta) = live else {
            return if before.is_some() { failed() } else { Err(no_key()) };
        };
        let same = self.if_match.as_ref().is_none_or(|c| is_same(c, meta))
            && self.modified.as_ref().is_none_or(|at| meta.seconds() == super::meta::seconds_of(at))
            && self.size.is_none_or(|size| u64::try_from(size) == Ok(meta.size));
        if same { Ok(()) } else { failed() }
    }
}

/// Whether a condition names this object's tag.
pub(super) fn is_same(condition: &ETagCondition, meta: &ObjectMeta) -> bool {
    condition.is_any() || condition.as_etag().is_some_and(|tag| tag.value() == meta.etag)
}
