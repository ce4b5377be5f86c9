//! What a step can reach: [`Look`] to read, [`Act`] to write. A dry run has no [`Act`].

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;

use crate::clients::balancer::{BalancerRead, BalancerWrite};
use crate::clients::certificates::{CertificatesRead, CertificatesWrite};
use crate::clients::distributions::{DistributionsRead, DistributionsWrite};
use crate::clients::dns::{DnsRead, DnsWrite};
use crate::clients::hooks::Hooks;
use crate::clients::hosts::{HostRead, HostWrite};
use crate::clients::instances::InstancesRead;
use crate::clients::metrics::MetricsRead;
use crate::clients::objects::{ObjectsRead, ObjectsWrite};
use crate::clients::web::Web;
use crate::event::{Event, Sink};
use crate::postgres::port::{DatabasesRead, DatabasesWrite};
use crate::site::Site;

/// The time, as a run knows it: real, or a rehearsal's, which can be skipped.
#[async_trait]
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> SystemTime;

    /// Waits. A rehearsal's clock moves the world forward instead of sleeping it all.
    async fn sleep(&self, for_: Duration);

    /// Waits while something is measured. A rehearsal's clock lets really more of it pass, so that there is something
    /// to measure.
    async fn watch(&self, for_: Duration) {
        self.sleep(for_).await;
    }
}

/// Every writing client, made once for a run.
#[derive(Clone)]
pub struct Reach {
    /// Route 53.
    pub dns: Arc<dyn DnsWrite>,
    /// S3.
    pub objects: Arc<dyn ObjectsWrite>,
    /// The balancer.
    pub balancer: Arc<dyn BalancerWrite>,
    /// RDS.
    pub instances: Arc<dyn InstancesRead>,
    /// ACM, for CloudFront.
    pub certificates: Arc<dyn CertificatesWrite>,
    /// CloudFront.
    pub distributions: Arc<dyn DistributionsWrite>,
    /// The box.
    pub old: Arc<dyn HostWrite>,
    /// The new hosts, by name.
    pub hosts: BTreeMap<String, Arc<dyn HostWrite>>,
    /// The old and the new database.
    pub databases: Arc<dyn DatabasesWrite>,
    /// HTTP probes.
    pub web: Arc<dyn Web>,
    /// What the balancer measures.
    pub metrics: Arc<dyn MetricsRead>,
    /// The operator's own commands.
    pub hooks: Arc<dyn Hooks>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// What a step may look at.
#[derive(Clone)]
pub struct Look {
    /// The site.
    pub site: Arc<Site>,
    /// The run's id; a plan that is not run yet has one too.
    pub run: String,
    /// Route 53.
    pub dns: Arc<dyn DnsRead>,
    /// S3.
    pub objects: Arc<dyn ObjectsRead>,
    /// The balancer.
    pub balancer: Arc<dyn BalancerRead>,
    /// RDS.
    pub instances: Arc<dyn InstancesRead>,
    /// ACM, for CloudFront.
    pub certificates: Arc<dyn CertificatesRead>,
    /// CloudFront.
    pub distributions: Arc<dyn DistributionsRead>,
    /// The box.
    pub old: Arc<dyn HostRead>,
    /// The new hosts, by name.
    pub hosts: BTreeMap<String, Arc<dyn HostRead>>,
    /// The old and the new database.
    pub databases: Arc<dyn DatabasesRead>,
    /// HTTP probes.
    pub web: Arc<dyn Web>,
    /// What the balancer measures.
    pub metrics: Arc<dyn MetricsRead>,
    /// The operator's own commands.
    pub hooks: Arc<dyn Hooks>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// When this step's change was applied, once it was: a wait counts from here, also after a crash.
    pub applied_at: Option<SystemTime>,
    /// When a person last sent the run on after a hold: patience counts anew from here.
    pub sent_on_at: Option<SystemTime>,
}

/// What a step may act with.
#[derive(Clone)]
pub struct Act {
    /// All it may look at.
    pub look: Look,
    /// The writing clients.
    pub reach: Reach,
    /// The step's id, for progress.
    pub step: String,
    /// The lock's epoch: every mutation that can carry it does (tags, metadata).
    pub epoch: u64,
    /// Whether the operator agreed to lose writes in a rollback.
    pub may_lose_writes: bool,
    /// Where progress goes.
    pub events: Sink,
}

impl Reach {
    /// The reading side.
    pub fn look(&self, site: Arc<Site>, run: impl Into<String>) -> Look {
        let hosts = self.hosts.iter().map(|(name, host)| (name.clone(), Arc::clone(host) as Arc<dyn HostRead>));
        Look {
            site,
            run: run.into(),
            dns: Arc::clone(&self.dns) as _,
            objects: Arc::clone(&self.objects) as _,
            balancer: Arc::clone(&self.balancer) as _,
            instances: Arc::clone(&self.instances),
            certificates: Arc::clone(&self.certificates) as _,
            distributions: Arc::clone(&self.distributions) as _,
            old: Arc::clone(&self.old) as _,
            hosts: hosts.collect(),
            databases: Arc::clone(&self.databases) as _,
            web: Arc::clone(&self.web),
            metrics: Arc::clone(&self.metrics),
            hooks: Arc::clone(&self.hooks),
            clock: Arc::clone(&self.clock),
            applied_at: None,
            sent_on_at: None,
        }
    }
}

impl Act {
    /// Tells how far the step is.
    pub fn progress(&self, label: &str, done: u64, total: u64, bytes: bool) {
        self.events.send(Event::Progress { step: self.step.clone(), label: label.to_owned(), done, total, bytes });
    }

    /// Tells something worth knowing.
    pub fn note(&self, text: impl Into<String>) {
        self.events.send(Event::Note { step: Some(self.step.clone()), text: text.into() });
    }
}
