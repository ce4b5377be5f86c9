//! The AWS APIs over HTTP: validates as AWS does and changes the state.
//!
//! A request's credential scope says which service it is for (`serve`); an operation is a line in its service's table
//! (`wire::operation`) that takes a tree and gives a tree, or an [`ApiError`](wire::ApiError) that names the [`law`]
//! it broke. S3 is the exception: `s3s` speaks its protocol, and `s3` keeps the objects.

mod elb;
pub mod fault;
pub mod law;
mod rds;
mod route53;
mod s3;
mod seed;
mod serve;
mod sts;
pub mod wire;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

pub use fault::Faults;
pub use rds::{DatabaseHost, DatabaseOrder, HostError};
pub use s3::{ObjectMeta, Objects};
pub use serve::holders;

use super::state::Shared;

/// The access key id a rehearsal uses unless told otherwise.
pub const ACCESS_KEY: &str = "outgrow";
/// Its secret.
pub const SECRET_KEY: &str = "rehearsal";

/// Whom the cloud knows, where it lies, and its pace.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The one access key id.
    pub access_key: String,
    /// Its secret, verified by S3.
    pub secret_key: String,
    /// The region in ARNs and names.
    pub region: String,
    /// How long a Route 53 change stays PENDING, on the rehearsal's clock.
    pub insync_after: Duration,
    /// Route 53 requests a second of real time, for the whole account (law R8); 0 is no limit.
    pub route53_rate: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            access_key: ACCESS_KEY.into(),
            secret_key: SECRET_KEY.into(),
            region: "ap-northeast-2".into(),
            insync_after: Duration::from_secs(5),
            route53_rate: 5,
        }
    }
}

/// The control plane; clones share it.
#[derive(Clone)]
pub struct Cloud {
    inner: Arc<Inner>,
}

struct Inner {
    shared: Shared,
    settings: Settings,
    objects: Objects,
    s3: s3s::service::S3Service,
    faults: Faults,
    database_host: Mutex<Option<Arc<dyn DatabaseHost>>>,
    route53_calls: Mutex<Vec<Instant>>,
}

impl Cloud {
    /// A cloud on `shared` whose buckets lie below `dir`; those of an earlier cloud there are found again.
    ///
    /// # Errors
    /// When `dir` cannot be made or read.
    pub fn new(shared: Shared, dir: PathBuf, settings: Settings) -> std::io::Result<Self> {
        let objects = Objects::open_dir(dir, &shared)?;
        let faults = Faults::default();
        let s3 = s3::service(&shared, &objects, &faults, &settings);
        let inner = Inner {
            shared,
            settings,
            objects,
            s3,
            faults,
            database_host: Mutex::default(),
            route53_calls: Mutex::default(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The buckets' objects, for the CDN.
    pub fn objects(&self) -> Objects {
        self.inner.objects.clone()
    }

    /// The faults in force.
    pub fn faults(&self) -> Faults {
        self.inner.faults.clone()
    }

    /// The state, and the clock.
    pub fn shared(&self) -> &Shared {
        &self.inner.shared
    }

    /// Who makes database servers for `CreateDBInstance`. Without one it is refused.
    pub fn set_database_host(&self, host: Arc<dyn DatabaseHost>) {
        *self.inner.database_host.lock().unwrap_or_else(PoisonError::into_inner) = Some(host);
    }

    fn database_host(&self) -> Option<Arc<dyn DatabaseHost>> {
        self.inner.database_host.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    /// Changes the state under the lock and, if that went well, tells the data plane.
    fn change<T, E>(&self, f: impl FnOnce(&mut super::state::State) -> Result<T, E>) -> Result<T, E> {
        let changed = f(&mut self.inner.shared.lock())?;
        self.inner.shared.changed();
        Ok(changed)
    }
}

/// A moment as AWS writes it.
fn iso(at: std::time::SystemTime) -> String {
    let since = at.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let ms = i64::try_from(since.as_millis()).unwrap_or_default();
    jiff::Timestamp::from_millisecond(ms).map(|t| format!("{t:.3}")).unwrap_or_default()
}

/// Sixteen hexadecimal digits nobody had before.
fn fresh() -> String {
    format!("{:016x}", rand::random::<u64>())
}
