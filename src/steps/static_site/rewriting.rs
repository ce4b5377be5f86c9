//! The one door to the rewriting of texts.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use regex::bytes::Regex;

use super::spool::Spool;
use crate::rewrite::hashed::{SitePlan, rewrite_site};
use crate::rewrite::leak::{Choices, Verdict, judge};
use crate::rewrite::media;
use crate::rewrite::origin::{Bases, LARGEST_TEXT, has_text_name, twin_of};
use crate::site::Site;
use crate::step::{Fault, StepResult};

/// What became of the texts.
#[derive(Debug, Default)]
pub(super) struct Rewritten {
    /// New content by new path.
    pub contents: BTreeMap<String, Bytes>,
    /// New path by old path.
    pub renamed: BTreeMap<String, String>,
    /// How often the base was rewritten, and the first place, by old path.
    pub hits: BTreeMap<String, (usize, String)>,
    /// Mentions of the old host that stay.
    pub leftovers: Vec<String>,
    /// Why the site must not go out like this.
    pub refusals: Vec<String>,
}

/// Rewrites the texts in the spool.
pub(super) async fn rewrite(site: &Site, spool: &Arc<Spool>) -> StepResult<Rewritten> {
    let bases = bases(site)?;
    let spool = Arc::clone(spool);
    // Nothing but computing and reading from disk: it must not keep a network task from its turn.
    let plan = tokio::task::spawn_blocking(move || rewrite_site(spool.as_ref(), &bases)).await;
    let plan = plan.map_err(|e| Fault::failed(format!("the rewriting of the pages broke off: {e}")))?;
    plan.map(told).map_err(|e| Fault::failed(format!("the pages could not be rewritten: {e}")))
}

fn told(plan: SitePlan) -> Rewritten {
    let first = |path: &str, line: usize, column: usize, text: &str| format!("{path}:{line}:{column}: {text}");
    let hits = plan.hits.into_iter().filter_map(|(path, hits)| {
        let place = hits.first().map(|hit| first(&path, hit.line, hit.column, &hit.after))?;
        Some((path, (hits.len(), place)))
    });
    let leftovers = plan.leftovers.iter().flat_map(|(path, left)| {
        left.iter().map(move |l| format!("{} ({})", first(path, l.line, l.column, &l.text), l.why))
    });
    Rewritten {
        leftovers: leftovers.collect(),
        hits: hits.collect(),
        contents: plan.rewritten,
        renamed: plan.renamed.into_iter().collect(),
        refusals: plan.refusals,
    }
}

fn bases(site: &Site) -> StepResult<Bases> {
    let base = &site.names.api_base;
    let own = [site.names.pages.as_slice(), site.names.api.as_slice()].concat();
    Bases::new(&base.old.to_string(), &base.new.to_string())
        .map(|bases| bases.watching(&[site.old.address.to_string()], &own))
        .map_err(|e| Fault::failed_with(e.to_string(), "correct `names.api-base` in the site file"))
}

/// Whether a file's text is kept for the rewriting.
pub(super) fn is_text(path: &str, bytes: u64) -> bool {
    (has_text_name(path) || twin_of(path).is_some()) && bytes <= LARGEST_TEXT as u64
}

/// Why a file must not go out; `None` if it may.
pub(super) fn leak(path: &str, head: &[u8]) -> Option<&'static str> {
    match judge(path, head, Choices::default()) {
        Verdict::Send => None,
        Verdict::Leave { why } => Some(why),
    }
}

/// Content type and cache policy.
pub(super) fn headers(path: &str, head: &[u8]) -> (String, String) {
    let media = media::media(path, head);
    (media.content_type, media.cache_control.to_owned())
}

/// Looks for the old host in what cannot be rewritten, since it is too large or no text, piece by piece.
pub(super) struct Watch {
    host: Regex,
    carry: Vec<u8>,
    keep: usize,
    /// It was seen.
    pub seen: bool,
}

impl Watch {
    /// For a file that is to be watched; others need none.
    pub fn over(site: &Site, path: &str, bytes: u64) -> StepResult<Option<Self>> {
        // Programs and signed bundles load what they name too.
        let sealed = [".wasm", ".sxg", ".wbn"].iter().any(|ending| path.ends_with(ending));
        if !sealed && (!has_text_name(path) || bytes <= LARGEST_TEXT as u64) {
            return Ok(None);
        }
        let host = &site.names.api_base.old.host;
        let regex = Regex::new(&format!("(?i){}", regex::escape(host)))
            .map_err(|e| Fault::failed(format!("the host {host} cannot be looked for: {e}")))?;
        Ok(Some(Self { host: regex, carry: Vec::new(), keep: host.len(), seen: false }))
    }

    /// Looks through the next piece.
    pub fn look(&mut self, piece: &[u8]) {
        if self.seen {
            return;
        }
        self.carry.extend_from_slice(piece);
        self.seen = self.host.is_match(&self.carry);
        let from = self.carry.len().saturating_sub(self.keep);
        self.carry.drain(..from);
    }
}
