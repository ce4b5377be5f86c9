//! Who may come in, and which fault meets them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::{S3Auth, SecretKey};
use s3s::{S3Result, s3_error};

use super::super::fault::{Faults, Kind};
use super::{Objects, authorize};

/// Asks the front door to close the connection instead of answering.
#[derive(Debug, Clone, Default)]
pub(super) struct Mark(Arc<AtomicBool>);

impl Mark {
    pub(super) fn is_asked(&self) -> bool {
        self.0.load(Ordering::SeqCst)
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
        let fault = self.faults.strike("s3", cx.s3_op().name());
        if matches!(fault, Some(Kind::LostAnswer | Kind::Reset))
            && let Some(cut) = cx.extensions_mut().get::<Mark>()
        {
            cut.0.store(true, Ordering::SeqCst);
        }
        match fault {
            Some(Kind::Refused) => Err(s3_error!(AccessDenied, "refused, as a fault asks")),
            Some(Kind::Throttled) => Err(s3_error!(SlowDown, "Please reduce your request rate.")),
            Some(Kind::FailedBefore | Kind::Reset) => Err(s3_error!(InternalError, "failed, as a fault asks")),
            Some(Kind::Slow(by)) => {
                tokio::time::sleep(by).await;
                Ok(())
            }
            Some(Kind::LostAnswer) | None => Ok(()),
        }
    }
}
