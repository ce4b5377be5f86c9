//! Who may come in, and which fault meets them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::{S3Auth, SecretKey};
use s3s::{S3Result, s3_error};

use super::super::fault::{Faults, Held, Kind};
use super::{Objects, authorize};

/// What the front door is to do with the answer: close the connection instead, or hold it.
#[derive(Debug, Clone, Default)]
pub(super) struct Mark(Arc<Mutex<(bool, Option<Held>)>>);

impl Mark {
    pub(super) fn cuts(&self) -> bool {
        self.lock().0
    }

    pub(super) fn held(&self) -> Option<Held> {
        self.lock().1.take()
    }

    fn lock(&self) -> MutexGuard<'_, (bool, Option<Held>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The one access key; `s3s` verifies the signature against its secret.
pub(super) struct Keys {
    pub(super) id: String,
    pub(super) secret: SecretKey,
}

#[async_trait::async_trait]
impl S3Auth for Keys {
    async fn get_secret_key(&self, id: &str) -> S3Result<SecretKey> {
        let unknown =
            || s3_error!(InvalidAccessKeyId, "The AWS Access Key Id you provided does not exist in our records.");
        if id == self.id { Ok(self.secret.clone()) } else { Err(unknown()) }
    }
}

/// Lets in what `authorize` does, faults permitting.
pub(super) struct Gate {
    pub(super) faults: Faults,
    pub(super) objects: Objects,
}

#[async_trait::async_trait]
impl S3Access for Gate {
    async fn check(&self, cx: &mut S3AccessContext<'_>) -> S3Result<()> {
        authorize::request(&self.objects, cx)?;
        let fault = self.faults.strike("s3", cx.s3_op().name(), false);
        if let Some(mark) = cx.extensions_mut().get::<Mark>() {
            let mut mark = mark.lock();
            mark.0 |= matches!(fault, Some(Kind::LostAnswer | Kind::Reset));
            mark.1 = if let Some(Kind::Held(at_most)) = fault { Some(self.faults.held(at_most)) } else { None };
        }
        match fault {
            Some(Kind::Refused) => Err(s3_error!(AccessDenied, "refused, as a fault asks")),
            Some(Kind::Throttled(wait)) => Err(slow_down(wait)),
            Some(Kind::FailedBefore | Kind::Reset) => Err(s3_error!(InternalError, "failed, as a fault asks")),
            Some(Kind::Slow(by)) => {
                tokio::time::sleep(by).await;
                Ok(())
            }
            Some(Kind::LostAnswer | Kind::Held(_) | Kind::Stale(_)) | None => Ok(()),
        }
    }
}

fn slow_down(wait: Option<u32>) -> s3s::S3Error {
    let mut error = s3_error!(SlowDown, "Please reduce your request rate.");
    if let Some(seconds) = wait {
        error.set_headers(http::HeaderMap::from_iter([(http::header::RETRY_AFTER, seconds.into())]));
    }
    error
}
