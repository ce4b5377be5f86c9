//! The plan of a site: rewrite the base, follow names and digests to a fixpoint, settle the new hashes.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bytes::Bytes;

use super::graph;
use super::scan::{self, Scanner};
use super::{SiteError, SitePlan, TextFiles};
use crate::rewrite::media;
use crate::rewrite::origin::{self, Bases, LARGEST_TEXT, Outcome};

/// A text file of the site that names others or changes itself.
#[derive(Default)]
struct Text {
    /// Content after the base was rewritten, if that changed it.
    based: Option<Bytes>,
    /// Hashes in it.
    tokens: BTreeSet<String>,
    /// Digests in it.
    integrities: BTreeSet<String>,
}

struct Site<'f> {
    files: &'f dyn TextFiles,
    scanner: Scanner,
    /// Files by the hash in their name.
    groups: BTreeMap<String, Vec<String>>,
    texts: BTreeMap<String, Text>,
    plan: SitePlan,
}

/// Rewrites the old base in all text files and carries the new names of hashed files through the site.
///
/// # Errors
/// [`SiteError::Read`] naming the file. What stands in the way of the rewriting is in the plan's `refusals`.
pub fn rewrite_site(files: &dyn TextFiles, bases: &Bases) -> Result<SitePlan, SiteError> {
    let names = files.names();
    let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for name in names.iter().filter(|n| !media::keeps_its_name(n)) {
        if let Some(token) = media::hash_part(name) {
            groups.entry(token.to_owned()).or_default().push(name.clone());
        }
    }
    let scanner = Scanner::new(groups.keys().cloned().collect());
    let mut site = Site { files, scanner, groups, texts: BTreeMap::new(), plan: SitePlan::default() };
    for name in names.iter().filter(|n| origin::has_text_name(n)) {
        site.look(name, bases)?;
    }
    let affected = site.affected()?;
    site.twins(&affected, &names);
    site.settle(&affected)?;
    Ok(site.plan)
}

impl Site<'_> {
    fn read(&self, name: &str) -> Result<Bytes, SiteError> {
        self.files.read(name).map_err(|source| SiteError::Read { name: name.to_owned(), source })
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
                self.plan.refusals.push(why);
                Vec::new()
            }
        };
        if !leftovers.is_empty() {
            self.plan.leftovers.insert(name.to_owned(), leftovers);
        }
        if let Ok(said) = std::str::from_utf8(&bytes) {
            text.tokens = self.scanner.tokens(said).into_iter().map(|(_, t)| t.to_owned()).collect();
            text.integrities = self.scanner.integrities(said);
        }
        if text.based.is_some() || !text.tokens.is_empty() || !text.integrities.is_empty() {
            self.texts.insert(name.to_owned(), text);
        }
        Ok(())
    }

    /// The files whose content changes, each with its old digests as far as some text holds them.
    fn affected(&mut self) -> Result<BTreeMap<String, BTreeSet<String>>, SiteError> {
        let held: BTreeSet<String> = self.texts.values().flat_map(|t| t.integrities.iter().cloned()).collect();
        let mut by_word: HashMap<&str, Vec<&str>> = HashMap::new();
        for (name, text) in &self.texts {
            for word in text.tokens.iter().chain(&text.integrities) {
                by_word.entry(word).or_default().push(name);
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
            if let Some(token) = token_of(&name, &self.groups)
                && seen_tokens.insert(token.to_owned())
            {
                words.push(token.to_owned());
            }
            for word in words {
                work.extend(by_word.get(word.as_str()).into_iter().flatten().map(|n| (*n).to_owned()));
            }
            affected.insert(name, digests);
        }
        Ok(affected)
    }

    /// A packed twin of a changed file would go on saying the old thing.
    fn twins(&mut self, affected: &BTreeMap<String, BTreeSet<String>>, names: &[String]) {
        let all: BTreeSet<&str> = names.iter().map(String::as_str).collect();
        for name in affected.keys() {
            for twin in ["gz", "br", "zst"].map(|e| format!("{name}.{e}")) {
                if all.contains(twin.as_str()) {
                    self.plan
                        .refusals
                        .push(format!("{twin} is a packed copy of {name}, which changes: remove it or build it again"));
                }
            }
        }
    }

    /// Gives every affected hash its successor and every affected file its content, dependencies first.
    fn settle(&mut self, affected: &BTreeMap<String, BTreeSet<String>>) -> Result<(), SiteError> {
        // a node is a hash with all its affected files, or a single file without one
        let mut nodes: Vec<(Option<String>, Vec<&str>)> = Vec::new();
        let mut node_of: HashMap<&str, usize> = HashMap::new();
        let mut node_of_token: HashMap<String, usize> = HashMap::new();
        let mut file_of_digest: HashMap<&str, &str> = HashMap::new();
        for (name, digests) in affected {
            file_of_digest.extend(digests.iter().map(|d| (d.as_str(), name.as_str())));
            let token = token_of(name, &self.groups).map(str::to_owned);
            let known = token.as_ref().and_then(|t| node_of_token.get(t).copied());
            let node = known.unwrap_or_else(|| {
                nodes.push((token.clone(), Vec::new()));
                nodes.len() - 1
            });
            node_of_token.extend(token.map(|t| (t, node)));
            nodes[node].1.push(name);
            node_of.insert(name, node);
        }
        let mut depends: Vec<Vec<usize>> = vec![Vec::new(); nodes.len()];
        for name in affected.keys() {
            let Some(text) = self.texts.get(name) else { continue };
            let node = node_of[name.as_str()];
            depends[node].extend(text.tokens.iter().filter_map(|t| node_of_token.get(t)).filter(|n| **n != node));
            depends[node].extend(text.integrities.iter().filter_map(|d| node_of.get(file_of_digest.get(d.as_str())?)));
        }

        let (mut tokens, mut digests) = (BTreeMap::new(), BTreeMap::new());
        for component in graph::components(&depends) {
            let members: Vec<&str> = component.iter().flat_map(|n| nodes[*n].1.iter().copied()).collect();
            for name in &members {
                let inside = self.texts.get(*name).and_then(|t| {
                    t.integrities.iter().filter_map(|d| file_of_digest.get(d.as_str())).find(|f| members.contains(f))
                });
                if let Some(other) = inside {
                    self.plan.refusals.push(format!("{name} holds an integrity digest of {other}, which names {name} in turn: no digest can be right"));
                }
            }
            // first with the hashes of the component as they were, for their successors; then with these
            let mut sum = Vec::new();
            for name in &members {
                let content = self.content(name, &tokens, &digests)?;
                sum.extend_from_slice(scan::digests(&content)[0].as_bytes());
            }
            for token in component.iter().filter_map(|n| nodes[*n].0.as_ref()) {
                let taken = |t: &str| self.groups.contains_key(t) || tokens.values().any(|v| v == t);
                match scan::fresh_token(token, &sum, taken) {
                    Some(new) => drop(tokens.insert(token.clone(), new)),
                    None => self
                        .plan
                        .refusals
                        .push(format!("no new hash of the form of {token} was found for {}", members[0])),
                }
            }
            for name in &members {
                let content = self.content(name, &tokens, &digests)?;
                let old = &affected[*name];
                digests.extend(old.iter().filter_map(|o| {
                    let new = scan::digests(&content).into_iter().find(|n| n[..6] == o[..6])?;
                    Some((o.clone(), new))
                }));
                self.plan.rewritten.insert(renamed(name, token_of(name, &self.groups), &tokens), content);
            }
        }
        for (token, names) in &self.groups {
            if tokens.contains_key(token) {
                let pair = |name: &String| (name.clone(), renamed(name, Some(token), &tokens));
                self.plan.renamed.extend(names.iter().map(pair));
            }
        }
        self.plan.renamed.sort();
        Ok(())
    }

    /// A file's content with the successors that are known so far.
    fn content(
        &self,
        name: &str,
        tokens: &BTreeMap<String, String>,
        digests: &BTreeMap<String, String>,
    ) -> Result<Bytes, SiteError> {
        let text = self.texts.get(name);
        let based = text.and_then(|t| t.based.clone());
        let names_changed = text.is_some_and(|t| {
            t.tokens.iter().any(|token| tokens.contains_key(token))
                || t.integrities.iter().any(|d| digests.contains_key(d))
        });
        let bytes = match based {
            Some(bytes) => bytes,
            None => self.read(name)?,
        };
        Ok(match std::str::from_utf8(&bytes) {
            Ok(text) if names_changed && text.len() <= 2 * LARGEST_TEXT => {
                self.scanner.replace(text, tokens, digests).into()
            }
            _ => bytes,
        })
    }
}

/// The hash of a name, if files are renamed by it.
fn token_of<'n>(name: &'n str, groups: &BTreeMap<String, Vec<String>>) -> Option<&'n str> {
    media::hash_part(name).filter(|t| groups.contains_key(*t) && !media::keeps_its_name(name))
}

fn renamed(name: &str, token: Option<&str>, tokens: &BTreeMap<String, String>) -> String {
    let Some((old, new)) = token.and_then(|t| Some((t, tokens.get(t)?))) else { return name.to_owned() };
    let folder = name.rfind('/').map_or(0, |i| i + 1);
    match name[folder..].rfind(old) {
        Some(at) => format!("{}{new}{}", &name[..folder + at], &name[folder + at + old.len()..]),
        None => name.to_owned(),
    }
}
