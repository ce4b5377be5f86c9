//! The document root as it will go up, and against what the bucket holds.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use super::live::{crc, heads, listing};
use super::manifest::{Put, SiteChange};
use super::rewriting::{self, Rewritten};
use super::spool::Spool;
use super::survey::{self, Found};
use crate::clients::hosts::HostRead;
use crate::clients::objects::Crc64;
use crate::site::Site;
use crate::step::{Fault, Look, StepResult};

/// Keys told of what else is in the bucket.
const SAMPLE: usize = 5;

/// The site as it will go up.
pub(super) struct Prepared {
    /// Files by key.
    pub items: BTreeMap<String, Item>,
    /// What does not go up and was not meant to.
    pub kept_back: Vec<(String, String)>,
    /// What cannot go up.
    pub unfit: Vec<(String, String)>,
    /// What was rewritten.
    pub rewritten: Rewritten,
    spool: Arc<Spool>,
}

/// A file as it will go up.
#[derive(Debug, Clone)]
pub(super) struct Item {
    /// Its path below the document root.
    pub path: String,
    /// As it will be stored, but for `source`, which is where its content stands in the archive.
    pub found: Found,
}

/// Where a file's content is.
pub(super) enum Content {
    /// In memory or in the spool.
    Here(Bytes),
    /// In the archive, at this path.
    Archive(String),
}

impl Prepared {
    /// The content of a key, but for what has to be streamed.
    pub fn content(&self, key: &str) -> StepResult<Content> {
        if let Some(text) = self.rewritten.contents.get(key) {
            return Ok(Content::Here(text.clone()));
        }
        let item = self.items.get(key).ok_or_else(|| Fault::failed(format!("{key} is not in the document root")))?;
        Ok(match self.spool.get(&item.path)? {
            Some(text) => Content::Here(text),
            None => Content::Archive(item.found.source.clone()),
        })
    }

    /// Refused while the rewriting has objections.
    pub fn agreed(&self) -> StepResult<()> {
        if let Some(first) = self.rewritten.refusals.first() {
            let more = match self.rewritten.refusals.len() {
                1 => String::new(),
                n => format!(" (and {} more; see preflight)", n - 1),
            };
            return Err(Fault::failed_with(
                format!("the pages cannot be rewritten: {first}{more}"),
                "change the file on the box, or serve the API under the site's own name so that nothing has to be rewritten",
            ));
        }
        Ok(())
    }

    /// Whether a key's content is in memory or in the spool.
    pub fn is_here(&self, key: &str) -> bool {
        self.rewritten.contents.contains_key(key)
            || self.items.get(key).is_some_and(|item| self.spool.holds(&item.path))
    }
}

/// Streams the document root once and rewrites its texts.
pub(super) async fn prepare(site: &Site, old: &dyn HostRead) -> StepResult<Prepared> {
    let survey = survey::survey(site, old).await?;
    let spool = Arc::new(survey.spool);
    let mut rewritten = rewriting::rewrite(site, &spool).await?;
    rewritten.refusals.extend(survey.too_large.iter().map(|path| {
        format!(
            "{path} names {} and cannot be rewritten: it is over 16 MiB, a program or signed",
            site.names.api_base.old.host
        )
    }));
    let mut items = BTreeMap::new();
    for (path, mut found) in survey.files {
        let key = rewritten.renamed.get(&path).cloned().unwrap_or_else(|| path.clone());
        if let Some(text) = rewritten.contents.get(&key) {
            found.size = text.len() as u64;
            found.crc = Crc64::of(text);
        }
        items.insert(key, Item { path, found });
    }
    Ok(Prepared { items, kept_back: survey.kept_back, unfit: survey.unfit, rewritten, spool })
}

/// The change, as the bucket is now. Refused while the rewriting has objections.
pub(super) async fn compared(look: &Look, prepared: &Prepared) -> StepResult<SiteChange> {
    prepared.agreed()?;
    let bucket = &look.site.aws.bucket;
    let create = look.objects.bucket(bucket).await?.is_none();
    let there = if create { BTreeMap::new() } else { listing(look.objects.as_ref(), bucket).await? };
    let both: Vec<String> = prepared.items.keys().filter(|key| there.contains_key(*key)).cloned().collect();
    let live = heads(look.objects.as_ref(), bucket, both).await?;
    let mut headers: Vec<(String, String)> = Vec::new();
    let (mut puts, mut same) = (Vec::new(), Vec::new());
    for (key, item) in &prepared.items {
        let found = &item.found;
        let stored = live.get(key);
        let as_it_should = stored.is_some_and(|stored| {
            crc(stored) == found.crc
                && stored.size == found.size
                && stored.headers.content_type == found.headers.0
                && stored.headers.cache_control == found.headers.1
        });
        if as_it_should {
            same.push((key.clone(), found.size));
            continue;
        }
        let number = headers.iter().position(|h| *h == found.headers).unwrap_or_else(|| {
            headers.push(found.headers.clone());
            headers.len() - 1
        });
        let former = stored.map(crc);
        puts.push(Put { key: key.clone(), size: found.size, crc: found.crc.clone(), headers: number, former });
    }
    let foreign = there.keys().filter(|key| !prepared.items.contains_key(*key) && !key.starts_with("outgrow/"));
    let foreign: Vec<&String> = foreign.collect();
    let rewritten = prepared.rewritten.hits.iter().map(|(path, (hits, place))| {
        let key = prepared.rewritten.renamed.get(path).unwrap_or(path);
        (key.clone(), *hits, place.clone())
    });
    Ok(SiteChange {
        bucket: bucket.clone(),
        create,
        headers,
        puts,
        same,
        rewritten: rewritten.collect(),
        renamed: prepared.rewritten.renamed.clone().into_iter().collect(),
        left_out: prepared.kept_back.iter().chain(&prepared.unfit).cloned().collect(),
        others: (foreign.len(), foreign.into_iter().take(SAMPLE).cloned().collect()),
    })
}
