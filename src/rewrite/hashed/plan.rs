//! The plan of a site: rewrite the base, follow names and digests to a fixpoint; `settle` gives the new hashes.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bytes::Bytes;

use super::kin;
use super::precache::{self, Listed, Lists};
use super::scan::{self, Scanner};
use super::{SiteError, SitePlan, TextFiles};
use crate::rewrite::media;
use crate::rewrite::origin::{self, Bases, Outcome};

/// A text file of the site that names others or changes itself.
#[derive(Default)]
pub(super) struct Text {
    /// Content after the base was rewritten, if that changed it.
    pub based: Option<Bytes>,
    /// Hashes in it.
    pub tokens: BTreeSet<String>,
    /// Digests in it.
    pub integrities: BTreeSet<String>,
    /// Files it lists with a revision of their own.
    pub revised: BTreeSet<String>,
}

/// The site while it is looked through.
pub(super) struct Site<'f> {
    pub files: &'f dyn TextFiles,
    pub scanner: Scanner,
    pub lists: Lists,
    /// Files by the hash in their name.
    pub groups: BTreeMap<String, Vec<String>>,
    /// The hash of each file that has one.
    pub token_of: HashMap<String, String>,
    pub texts: BTreeMap<String, Text>,
    pub plan: SitePlan,
}

/// Rewrites the old base in all text files and carries the new names of hashed files through the site.
///
/// # Errors
/// [`SiteError::Read`] naming the file. What stands in the way of the rewriting is in the plan's `refusals`.
pub fn rewrite_site(files: &dyn TextFiles, bases: &Bases) -> Result<SitePlan, SiteError> {
    let names = files.names();
    let (builds, kin) = (builds(&names), kin::unlike(&names));
    let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut token_of = HashMap::new();
    for name in &names {
        let build = name.split('/').find(|part| builds.contains(part));
        let own = || media::hash_part(name).or_else(|| kin.get(name).map(String::as_str));
        let token = build.or_else(|| own().filter(|_| !media::keeps_its_name(name)));
        if let Some(token) = token {
            groups.entry(token.to_owned()).or_default().push(name.clone());
            token_of.insert(name.clone(), token.to_owned());
        }
    }
    let scanner = Scanner::new(groups.keys().cloned().collect());
    let (lists, texts, plan) = (Lists::new(), BTreeMap::new(), SitePlan::default());
    let mut site = Site { files, scanner, lists, groups, token_of, texts, plan };
    for name in names.iter().filter(|n| origin::has_text_name(n)) {
        site.look(name, bases)?;
    }
    let affected = site.affected()?;
    site.named_builds(&affected);
    site.demands(&affected)?;
    site.settle(&affected)?;
    site.twins(&affected, &names)?;
    site.packed_alone(&names, bases)?;
    site.old_names();
    Ok(site.plan)
}

/// The folders that Next.js names by the build: what lies in one is cached for a year, as if its own name had a hash.
fn builds(names: &[String]) -> BTreeSet<&str> {
    build_folders(names).filter(|build| media::looks_hashed(build)).collect()
}

fn build_folders(names: &[String]) -> impl Iterator<Item = &str> {
    names.iter().filter_map(|name| {
        let folder = name.strip_suffix("/_buildManifest.js")?;
        let (above, build) = folder.rsplit_once('/')?;
        above.ends_with("_next/static").then_some(build)
    })
}

impl Site<'_> {
    pub(super) fn read(&self, name: &str) -> Result<Bytes, SiteError> {
        self.files.read(name).map_err(|source| SiteError::Read { name: name.to_owned(), source })
    }

    pub(super) fn refuse(&mut self, why: String) {
        self.plan.refusals.push(why);
    }

    /// The first look at a file: rewrite the base, note what it says of others.
    fn look(&mut self, name: &str, bases: &Bases) -> Result<(), SiteError> {
        let bytes = self.read(name)?;
        let mut text = Text::default();
        let leftovers = match origin::rewrite_asset(name, &bytes, bases) {
            Outcome::Unchanged { leftovers } => leftovers,
            Outcome::Rewritten { bytes, hits, leftovers } => {
                self.plan.hits.insert(name.to_owned(), hits);
                text.based = Some(bytes);
                leftovers
            }
            Outcome::Refused { why } => {
                self.refuse(why);
                Vec::new()
            }
        };
        if !leftovers.is_empty() {
            self.plan.leftovers.insert(name.to_owned(), leftovers);
        }
        if let Ok(said) = std::str::from_utf8(&bytes) {
            text.tokens = self.scanner.tokens(said).into_iter().map(|(_, t)| t.to_owned()).collect();
            text.integrities = self.scanner.integrities(said);
            text.revised = self.lists.pairs(name, said).into_iter().map(|listed| listed.file).collect();
        }
        let says = !text.tokens.is_empty() || !text.integrities.is_empty() || !text.revised.is_empty();
        if text.based.is_some() || says {
            self.texts.insert(name.to_owned(), text);
        }
        Ok(())
    }

    /// The files whose content or name changes, each with its old digests as far as some text holds them.
    fn affected(&mut self) -> Result<BTreeMap<String, BTreeSet<String>>, SiteError> {
        let held: BTreeSet<String> = self.texts.values().flat_map(|t| t.integrities.iter().cloned()).collect();
        let mut by_word: HashMap<&str, Vec<&str>> = HashMap::new();
        let mut by_file: HashMap<&str, Vec<&str>> = HashMap::new();
        for (name, text) in &self.texts {
            for word in text.tokens.iter().chain(&text.integrities) {
                by_word.entry(word).or_default().push(name);
            }
            for file in &text.revised {
                by_file.entry(file).or_default().push(name);
            }
        }
        let mut affected: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut seen_tokens = BTreeSet::new();
        let mut work: Vec<String> =
            self.texts.iter().filter(|(_, t)| t.based.is_some()).map(|(n, _)| n.clone()).collect();
        while let Some(name) = work.pop() {
            if affected.contains_key(&name) {
                continue;
            }
            let mut words: Vec<String> = Vec::new();
            let mut digests = BTreeSet::new();
            if !held.is_empty() {
                digests = scan::digests(&self.read(&name)?).into_iter().filter(|d| held.contains(d)).collect();
                words.extend(digests.iter().cloned());
            }
            if let Some(token) = self.token_of.get(&name)
                && seen_tokens.insert(token.clone())
            {
                words.push(token.clone());
            }
            for word in words {
                work.extend(by_word.get(word.as_str()).into_iter().flatten().map(|n| (*n).to_owned()));
            }
            work.extend(by_file.get(name.as_str()).into_iter().flatten().map(|n| (*n).to_owned()));
            affected.insert(name, digests);
        }
        Ok(affected)
    }

    /// A build's folder without a hash for its name cannot be renamed, and browsers keep what is in it for a year.
    fn named_builds(&mut self, affected: &BTreeMap<String, BTreeSet<String>>) {
        let names: Vec<String> = affected.keys().cloned().collect();
        for build in build_folders(&names).filter(|build| !media::looks_hashed(build)) {
            self.plan.refusals.push(format!(
                "_next/static/{build}/_buildManifest.js changes, and {build} is no hash that could be renamed: build \
                 the site again with a build id of its own, or serve the API under the site's own name"
            ));
        }
    }

    /// What a tag or a service worker's table demands of an affected file must be a digest of what the file is now;
    /// what is demanded by a digest of something else cannot be kept true.
    fn demands(&mut self, affected: &BTreeMap<String, BTreeSet<String>>) -> Result<(), SiteError> {
        let names: Vec<String> = self.texts.keys().cloned().collect();
        for name in names {
            let bytes = self.read(&name)?;
            let Ok(text) = std::str::from_utf8(&bytes) else { continue };
            let demands: Vec<Listed> =
                self.lists.demanded(&name, text).into_iter().chain(precache::hash_table(&name, text)).collect();
            for Listed { file, digest, .. } in demands {
                if affected.get(&file).is_some_and(|digests| !digests.contains(&digest)) {
                    self.refuse(format!(
                        "{name} demands {file} by {digest}, which is no digest of what it holds, and {file} changes: \
                         build the site again"
                    ));
                }
            }
        }
        Ok(())
    }

    /// The last look: no text that goes out names what is renamed by its old name.
    fn old_names(&mut self) {
        let old: BTreeSet<&str> =
            self.plan.renamed.iter().filter_map(|(name, _)| self.token_of.get(name)).map(String::as_str).collect();
        let mut wrong = Vec::new();
        for (name, bytes) in &self.plan.rewritten {
            let Ok(text) = std::str::from_utf8(bytes) else { continue };
            wrong.extend(self.scanner.tokens(text).iter().find(|(_, token)| old.contains(token)).map(|(_, token)| {
                format!("{name} would still name a file by {token}, its old hash: this is a fault of outgrow's")
            }));
        }
        self.plan.refusals.extend(wrong);
    }
}
