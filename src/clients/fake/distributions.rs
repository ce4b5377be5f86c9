//! CloudFront in memory, with the laws C4 and C6 and the versions of its compare-and-swap.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use serde_json::{Value, json};

use super::Fuse;
use crate::clients::distributions::{
    Access, Behavior, Certificate, Conflict, Distribution, DistributionsRead, DistributionsWrite, Function, Listed,
    Origin, Settings,
};
use crate::clients::{ClientError, ClientResult, Kind};

/// Looks after which a change has reached the edges.
const LOOKS: u32 = 2;

/// Every distribution of the account, and what is beside them.
#[derive(Clone)]
pub struct FakeDistributions {
    fuse: Fuse,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    all: BTreeMap<String, Kept>,
    access: Vec<Access>,
    functions: BTreeMap<String, Function>,
    conflicts: Vec<Conflict>,
    made: usize,
}

struct Kept {
    reference: String,
    listed: Listed,
    tags: Vec<(String, String)>,
    settings: Settings,
    version: u32,
    looked: u32,
    invalidations: Vec<(String, Vec<String>)>,
}

/// A distribution as a person would have made it for these names, by hand and a little plainly.
pub fn plain(bucket: &str, aliases: &[&str], certificate: Certificate) -> Settings {
    let origin = Origin {
        domain: format!("{bucket}.s3.ap-northeast-2.amazonaws.com"),
        path: String::new(),
        access: Some("E-OLD-ACCESS".into()),
        identity: None,
        bucket: true,
    };
    let default = Behavior {
        origin: "pages".into(),
        viewers: "allow-all".into(),
        compress: false,
        methods: ["GET", "HEAD"].map(str::to_owned).into(),
        cache: None,
        request: None,
        headers: None,
        function: None,
    };
    Settings {
        enabled: true,
        aliases: aliases.iter().map(|name| (*name).to_owned()).collect(),
        certificate,
        default_root: String::new(),
        http: "http2".into(),
        origins: BTreeMap::from([("pages".to_owned(), origin)]),
        default,
        paths: Vec::new(),
        error_pages: BTreeMap::new(),
        logs: None,
    }
}

impl FakeDistributions {
    /// Without any distribution.
    pub fn new(fuse: Fuse) -> Self {
        Self { fuse, state: Arc::default() }
    }

    /// What somebody else does: a distribution of this domain name, in place of the one that has it.
    pub fn meddle(&self, domain: &str, settings: Settings) {
        let mut state = self.lock();
        let id = domain.split('.').next().unwrap_or_default().to_uppercase();
        let listed = Listed {
            arn: format!("arn:aws:cloudfront::0:distribution/{id}"),
            id: id.clone(),
            domain: domain.to_owned(),
            aliases: settings.aliases.clone(),
            comment: String::new(),
            enabled: settings.enabled,
        };
        let version = state.all.get(&id).map_or(1, |kept| kept.version + 1);
        let (tags, invalidations) = (Vec::new(), Vec::new());
        let kept = Kept { reference: id.clone(), listed, tags, settings, version, looked: LOOKS, invalidations };
        state.all.insert(id, kept);
    }

    /// What somebody else does to the settings of the distribution of this id.
    pub fn meddle_with(&self, id: &str, with: impl FnOnce(&mut Settings)) {
        if let Some(kept) = self.lock().all.get_mut(id) {
            with(&mut kept.settings);
            kept.listed.aliases.clone_from(&kept.settings.aliases);
            kept.version += 1;
        }
    }

    /// Takes every distribution away.
    pub fn clear(&self) {
        self.lock().all.clear();
    }

    /// Somebody in another account holds a name.
    pub fn held_elsewhere(&self, alias: &str) {
        let (distribution, account) = ("***ABC".to_owned(), "******123456".to_owned());
        self.lock().conflicts.push(Conflict { alias: alias.into(), distribution, account });
    }

    /// The paths of every invalidation of a distribution.
    pub fn invalidations(&self, id: &str) -> Vec<Vec<String>> {
        let state = self.lock();
        let all = state.all.get(id).into_iter().flat_map(|kept| &kept.invalidations);
        all.map(|(_, paths)| paths.clone()).collect()
    }

    /// The ARNs of the distributions that show a certificate.
    pub fn users(&self, arn: &str) -> Vec<String> {
        let shows = |kept: &&Kept| matches!(&kept.settings.certificate, Certificate::Acm { arn: a, .. } if a == arn);
        self.lock().all.values().filter(shows).map(|kept| kept.listed.arn.clone()).collect()
    }

    /// Everything but versions, comparable.
    pub fn snapshot(&self) -> Value {
        let state = self.lock();
        let all = state.all.values().map(|kept| json!([kept.listed.domain, kept.settings, kept.tags]));
        json!({ "all": all.collect::<Vec<_>>(), "access": state.access, "functions": state.functions })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn change<T>(&self, what: &str, f: impl FnOnce(&mut State) -> Result<T, (Kind, String)>) -> ClientResult<T> {
        self.fuse.act(what, || f(&mut self.lock()).map_err(|(kind, why)| ClientError::new(kind, what, why))).await
    }
}

impl State {
    fn fits(&self, id: &str, settings: &Settings) -> Result<(), (Kind, String)> {
        for (other, kept) in self.all.iter().filter(|(other, _)| *other != id) {
            if let Some(held) = kept.settings.aliases.intersection(&settings.aliases).next() {
                return Err((Kind::Conflict, format!("CNAMEAlreadyExists: {held} is held by {other}")));
            }
        }
        if !settings.aliases.is_empty() && settings.certificate == Certificate::Own {
            return Err((Kind::Refused, "C1: names need a certificate".into()));
        }
        let behaviors = || settings.paths.iter().map(|(_, b)| b).chain([&settings.default]);
        for behavior in behaviors() {
            if !settings.origins.contains_key(&behavior.origin) {
                return Err((Kind::Refused, format!("there is no origin {}", behavior.origin)));
            }
            if let Some(name) = &behavior.function
                && self.functions.get(name).is_none_or(|f| f.live.is_none())
            {
                return Err((Kind::NotFound, format!("the function {name} is not published")));
            }
        }
        for id in settings.origins.values().filter_map(|origin| origin.access.as_ref()) {
            if !id.starts_with("E-OLD") && self.access.iter().all(|access| access.id != *id) {
                return Err((Kind::Refused, format!("there is no origin access control {id}")));
            }
        }
        Ok(())
    }

    fn kept(&mut self, id: &str, etag: &str) -> Result<&mut Kept, (Kind, String)> {
        let kept = self.all.get_mut(id).ok_or_else(|| (Kind::NotFound, format!("there is no distribution {id}")))?;
        if kept.etag() == etag { Ok(kept) } else { Err((Kind::Conflict, format!("its version is {}", kept.etag()))) }
    }
}

impl Kept {
    fn etag(&self) -> String {
        format!("V{}", self.version)
    }

    fn shown(&self) -> Distribution {
        Distribution {
            listed: self.listed.clone(),
            etag: self.etag(),
            deployed: self.looked >= LOOKS,
            settings: self.settings.clone(),
        }
    }

    fn set(&mut self, settings: &Settings) {
        self.settings = settings.clone();
        self.listed.aliases.clone_from(&settings.aliases);
        self.listed.enabled = settings.enabled;
        self.version += 1;
        self.looked = 0;
    }
}

#[async_trait]
impl DistributionsRead for FakeDistributions {
    async fn all(&self) -> ClientResult<Vec<Listed>> {
        Ok(self.lock().all.values().map(|kept| kept.listed.clone()).collect())
    }

    async fn distribution(&self, id: &str) -> ClientResult<Option<Distribution>> {
        let mut state = self.lock();
        Ok(state.all.get_mut(id).map(|kept| {
            let shown = kept.shown();
            kept.looked += 1;
            shown
        }))
    }

    async fn tags(&self, arn: &str) -> ClientResult<Vec<(String, String)>> {
        let state = self.lock();
        Ok(state.all.values().find(|kept| kept.listed.arn == arn).map(|kept| kept.tags.clone()).unwrap_or_default())
    }

    async fn conflicts(&self, _: &str, alias: &str) -> ClientResult<Vec<Conflict>> {
        Ok(self.lock().conflicts.iter().filter(|conflict| conflict.alias == alias).cloned().collect())
    }

    async fn access(&self, name: &str) -> ClientResult<Option<Access>> {
        Ok(self.lock().access.iter().find(|access| access.name == name).cloned())
    }

    async fn function(&self, name: &str) -> ClientResult<Option<Function>> {
        Ok(self.lock().functions.get(name).cloned())
    }

    async fn invalidated(&self, id: &str, invalidation: &str) -> ClientResult<bool> {
        let state = self.lock();
        let kept = state.all.get(id);
        Ok(kept.is_some_and(|kept| kept.invalidations.iter().any(|(reference, _)| reference == invalidation)))
    }
}

#[async_trait]
impl DistributionsWrite for FakeDistributions {
    async fn create(
        &self,
        reference: &str,
        comment: &str,
        settings: &Settings,
        tags: &[(String, String)],
    ) -> ClientResult<Distribution> {
        self.change("create distribution", |state| {
            if state.all.values().any(|kept| kept.reference == reference) {
                return Err((Kind::Conflict, "DistributionAlreadyExists".into()));
            }
            state.fits("", settings)?;
            state.made += 1;
            let id = format!("EMADE{}", state.made);
            let listed = Listed {
                arn: format!("arn:aws:cloudfront::0:distribution/{id}"),
                id: id.clone(),
                domain: format!("dmade{}.cloudfront.net", state.made),
                aliases: settings.aliases.clone(),
                comment: comment.to_owned(),
                enabled: settings.enabled,
            };
            let kept = Kept {
                reference: reference.to_owned(),
                listed,
                tags: tags.to_vec(),
                settings: settings.clone(),
                version: 1,
                looked: 0,
                invalidations: Vec::new(),
            };
            let shown = kept.shown();
            state.all.insert(id, kept);
            Ok(shown)
        })
        .await
    }

    async fn update(&self, id: &str, etag: &str, settings: &Settings) -> ClientResult<Distribution> {
        self.change("update distribution", |state| {
            state.kept(id, etag)?;
            state.fits(id, settings)?;
            let kept = state.kept(id, etag)?;
            kept.set(settings);
            Ok(kept.shown())
        })
        .await
    }

    async fn delete(&self, id: &str, etag: &str) -> ClientResult<()> {
        self.change("delete distribution", |state| {
            if !state.all.contains_key(id) {
                return Ok(());
            }
            let kept = state.kept(id, etag)?;
            if kept.settings.enabled || kept.looked < LOOKS {
                return Err((Kind::Conflict, "DistributionNotDisabled".into()));
            }
            state.all.remove(id);
            Ok(())
        })
        .await
    }

    async fn switch_path(&self, id: &str, origin: &str, from: &str, to: &str) -> ClientResult<()> {
        self.change("switch path", |state| {
            let missing = || (Kind::NotFound, format!("there is no origin {origin} of {id}"));
            let kept = state.all.get_mut(id).ok_or_else(missing)?;
            let mut settings = kept.settings.clone();
            let found = settings.origins.get_mut(origin).ok_or_else(missing)?;
            if found.path == to {
                return Ok(());
            }
            if found.path != from {
                return Err((Kind::Conflict, format!("its path is {}", found.path)));
            }
            to.clone_into(&mut found.path);
            kept.set(&settings);
            Ok(())
        })
        .await
    }

    async fn invalidate(&self, id: &str, reference: &str, paths: &[String]) -> ClientResult<String> {
        self.change("invalidate", |state| {
            let kept = state.all.get_mut(id).ok_or_else(|| (Kind::NotFound, format!("there is no {id}")))?;
            if kept.invalidations.iter().all(|(other, _)| other != reference) {
                kept.invalidations.push((reference.to_owned(), paths.to_vec()));
            }
            Ok(reference.to_owned())
        })
        .await
    }

    async fn create_access(&self, name: &str, description: &str) -> ClientResult<String> {
        self.change("create access", |state| {
            if state.access.iter().any(|access| access.name == name) {
                return Err((Kind::Conflict, "OriginAccessControlAlreadyExists".into()));
            }
            let id = format!("EACCESS-{name}");
            state.access.push(Access { id: id.clone(), name: name.to_owned(), description: description.to_owned() });
            Ok(id)
        })
        .await
    }

    async fn delete_access(&self, name: &str) -> ClientResult<()> {
        self.change("delete access", |state| {
            let ids: BTreeSet<&String> = state.access.iter().filter(|a| a.name == name).map(|a| &a.id).collect();
            let mut origins = state.all.values().flat_map(|kept| kept.settings.origins.values());
            if origins.any(|origin| origin.access.as_ref().is_some_and(|id| ids.contains(id))) {
                return Err((Kind::Conflict, "OriginAccessControlInUse".into()));
            }
            state.access.retain(|access| access.name != name);
            Ok(())
        })
        .await
    }

    async fn write_function(&self, name: &str, comment: &str, code: &str) -> ClientResult<()> {
        self.change("write function", |state| {
            let live = state.functions.get(name).and_then(|function| function.live.clone());
            let function = Function { comment: comment.to_owned(), draft: code.to_owned(), live };
            state.functions.insert(name.to_owned(), function);
            Ok(())
        })
        .await
    }

    async fn publish_function(&self, name: &str) -> ClientResult<()> {
        self.change("publish function", |state| {
            let function = state.functions.get_mut(name).ok_or_else(|| (Kind::NotFound, format!("no {name}")))?;
            function.live = Some(function.draft.clone());
            Ok(())
        })
        .await
    }

    async fn delete_function(&self, name: &str) -> ClientResult<()> {
        self.change("delete function", |state| {
            let runs = |b: &Behavior| b.function.as_deref() == Some(name);
            let used = |s: &Settings| runs(&s.default) || s.paths.iter().any(|(_, b)| runs(b));
            if state.all.values().any(|kept| used(&kept.settings)) {
                return Err((Kind::Conflict, "FunctionInUse".into()));
            }
            state.functions.remove(name);
            Ok(())
        })
        .await
    }
}
