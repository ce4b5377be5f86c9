//! The AWS APIs over HTTP: validates as AWS does and changes the state.
//!
//! A request's credential scope says which service it is for (`answer`); an operation is a line in its service's table
//! (`wire::operation`) that takes a tree and gives a tree, or an [`ApiError`](wire::ApiError) that names the [`law`]
//! it broke. S3 is the exception: `s3s` speaks its protocol, and `s3` keeps the objects.

mod acm;
mod answer;
mod cloudfront;
mod cloudwatch;
mod ec2;
mod elb;
pub mod fault;
mod history;
pub mod law;
mod rds;
#[cfg(test)]
mod rig;
mod route53;
mod s3;
mod secrets;
mod seed;
mod serve;
mod sts;
mod unsigned;
pub mod wire;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

pub use acm::CertificateIssuer;
pub use answer::holders;
pub use fault::Faults;
pub use rds::{DatabaseHost, DatabaseOrder, DatabaseServer, HostError, database_settings};
pub use s3::{ObjectMeta, Objects};

use super::state::Shared;
use history::History;

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
    /// How long a distribution's change takes to reach every edge, on the rehearsal's clock (law C6).
    pub deploy_after: Duration,
    /// How long an invalidation takes, on the rehearsal's clock.
    pub invalidated_after: Duration,
    /// How long after the proof of its last name a certificate is issued, on the rehearsal's clock.
    pub issued_after: Duration,
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
            deploy_after: Duration::from_mins(4),
            invalidated_after: Duration::from_mins(1),
            issued_after: Duration::from_secs(10),
            route53_rate: 5,
        }
    }
}

/// The control plane; clones share it.
#[derive(Clone)]
pub struct Cloud {
    inner: Arc<Inner>,
    /// The live state, or for a stale read the one of a while ago.
    shared: Shared,
    /// The region of the call, as its signature says.
    region: Arc<str>,
}

struct Inner {
    settings: Settings,
    history: History,
    objects: Objects,
    s3: s3s::service::S3Service,
    faults: Faults,
    database_host: Mutex<Option<Arc<dyn DatabaseHost>>>,
    certificate_issuer: Mutex<Option<Arc<dyn CertificateIssuer>>>,
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
        let region = settings.region.as_str().into();
        let inner = Inner {
            settings,
            history: History::default(),
            objects,
            s3,
            faults,
            database_host: Mutex::default(),
            certificate_issuer: Mutex::default(),
            route53_calls: Mutex::default(),
        };
        Ok(Self { inner: Arc::new(inner), shared, region })
    }

    /// The buckets' objects, for the CDN.
    pub fn objects(&self) -> Objects {
        self.inner.objects.clone()
    }

    /// Whether an operation is one of this cloud's; `*` stands for any.
    pub fn knows(service: &str, operation: &str) -> bool {
        answer::knows(service, operation)
    }

    /// The faults in force.
    pub fn faults(&self) -> Faults {
        self.inner.faults.clone()
    }

    /// The state, and the clock.
    pub fn shared(&self) -> &Shared {
        &self.shared
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

    /// The region a call is for. Most services have things in the home region only; certificates live in two.
    fn region(&self) -> &str {
        &self.region
    }

    /// The same cloud, called in a region.
    fn within(&self, region: &str) -> Self {
        Self { region: region.into(), ..self.clone() }
    }

    /// The same cloud as it was a while ago: what a stale read sees. What a call does to it is lost.
    fn as_of(&self, ago: Duration) -> Self {
        match self.inner.history.as_of(self.shared.clock.now(), ago) {
            Some(state) => Self { shared: self.shared.frozen(state), ..self.clone() },
            None => self.clone(),
        }
    }

    /// Brings what takes its time to where it is by now.
    fn settle(&self) {
        let now = self.shared.clock.now();
        let mut state = self.shared.lock();
        secrets::expire(&mut state, now);
        let changed = acm::settle(&mut state, now, self.settings().issued_after);
        drop(state);
        if changed {
            self.shared.changed();
        }
    }

    /// As [`Cloud::change`], but nothing of it stays when it fails; `trial` keeps nothing of it in any case.
    fn change_whole<T, E>(
        &self,
        trial: bool,
        f: impl FnOnce(&mut super::state::State) -> Result<T, E>,
    ) -> Result<T, E> {
        if trial {
            let mut copy = self.shared.lock().clone();
            return f(&mut copy);
        }
        self.change(|state| {
            let mut next = state.clone();
            let done = f(&mut next)?;
            *state = next;
            Ok(done)
        })
    }

    /// Changes the state under the lock and, if that went well, tells the data plane.
    fn change<T, E>(&self, f: impl FnOnce(&mut super::state::State) -> Result<T, E>) -> Result<T, E> {
        let mut state = self.shared.lock();
        let before = self.faults().history().map(|back| (state.clone(), back));
        let changed = f(&mut state)?;
        acm::settle(&mut state, self.shared.clock.now(), self.settings().issued_after);
        if let Some((before, back)) = before {
            self.inner.history.push(before, self.shared.clock.now(), back);
        }
        drop(state);
        self.shared.changed();
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

/// A random UUID as AWS writes them (version 4, RFC 9562).
fn uuid() -> String {
    let bits = rand::random::<u128>() & !(0xF << 76) | (4 << 76);
    let bits = bits & !(0x3 << 62) | (2 << 62);
    let hex = format!("{bits:032x}");
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}
