//! The new hashes: every affected file gets its content, what it names first.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bytes::Bytes;

use super::plan::Site;
use super::{SiteError, graph, precache, scan};
use crate::rewrite::origin::LARGEST_TEXT;

/// What is known of the new site so far: new by old.
#[derive(Default)]
struct Known {
    tokens: BTreeMap<String, String>,
    digests: BTreeMap<String, String>,
    /// The MD5 of each settled file's content, by its old path.
    revisions: BTreeMap<String, String>,
}

impl Site<'_> {
    /// Gives every affected hash its successor and every affected file its content, dependencies first.
    pub(super) fn settle(&mut self, affected: &BTreeMap<String, BTreeSet<String>>) -> Result<(), SiteError> {
        // a node is a hash with all its affected files, or a single file without one
        let mut nodes: Vec<(Option<String>, Vec<&str>)> = Vec::new();
        let mut node_of: HashMap<&str, usize> = HashMap::new();
        let mut node_of_token: HashMap<String, usize> = HashMap::new();
        let mut file_of_digest: HashMap<&str, &str> = HashMap::new();
        for (name, digests) in affected {
            file_of_digest.extend(digests.iter().map(|d| (d.as_str(), name.as_str())));
            let token = self.token_of.get(name).cloned();
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
            depends[node].extend(text.revised.iter().filter_map(|file| node_of.get(file.as_str())));
        }
        let mut known = Known::default();
        for component in graph::components(&depends) {
            let members: Vec<&str> = component.iter().flat_map(|n| nodes[*n].1.iter().copied()).collect();
            for name in &members {
                let inside = self.texts.get(*name).and_then(|t| {
                    let digests = t.integrities.iter().filter_map(|d| file_of_digest.get(d.as_str()).copied());
                    digests.chain(t.revised.iter().map(String::as_str)).find(|f| members.contains(f))
                });
                if let Some(other) = inside {
                    self.plan.refusals.push(format!("{name} holds an integrity digest of {other}, which names {name} in turn: no digest can be right"));
                }
            }
            // first with the hashes of the component as they were, for their successors; then with these
            let mut sum = Vec::new();
            for name in &members {
                let content = self.content(name, &known)?;
                sum.extend_from_slice(scan::digests(&content)[0].as_bytes());
            }
            for token in component.iter().filter_map(|n| nodes[*n].0.as_ref()) {
                let taken = |t: &str| self.groups.contains_key(t) || known.tokens.values().any(|v| v == t);
                match scan::fresh_token(token, &sum, taken) {
                    Some(new) => drop(known.tokens.insert(token.clone(), new)),
                    None => self
                        .plan
                        .refusals
                        .push(format!("no new hash of the form of {token} was found for {}", members[0])),
                }
            }
            for name in &members {
                let content = self.content(name, &known)?;
                let (old, new) = (scan::digests(&self.read(name)?), scan::digests(&content));
                let held = old.into_iter().zip(new).filter(|(old, _)| affected[*name].contains(old));
                known.digests.extend(held);
                known.revisions.insert((*name).to_owned(), scan::md5(&content));
                self.plan.rewritten.insert(self.renamed(name, &known.tokens), content);
            }
        }
        let mut renamed = Vec::new();
        for (token, names) in &self.groups {
            if known.tokens.contains_key(token) {
                let pairs = names.iter().map(|name| (name.clone(), self.renamed(name, &known.tokens)));
                renamed.extend(pairs);
            }
        }
        renamed.sort();
        self.plan.renamed = renamed;
        Ok(())
    }

    /// A file's content with the successors that are known so far.
    fn content(&self, name: &str, known: &Known) -> Result<Bytes, SiteError> {
        let text = self.texts.get(name);
        let based = text.and_then(|t| t.based.clone());
        let changes = text.is_some_and(|t| {
            t.based.is_some()
                || t.tokens.iter().any(|token| known.tokens.contains_key(token))
                || t.integrities.iter().any(|d| known.digests.contains_key(d))
                || t.revised.iter().any(|file| known.revisions.contains_key(file))
        });
        let bytes = match based {
            Some(bytes) => bytes,
            None => self.read(name)?,
        };
        let Ok(said) = std::str::from_utf8(&bytes) else { return Ok(bytes) };
        if !changes || said.len() > 2 * LARGEST_TEXT {
            return Ok(bytes);
        }
        let pairs = self.lists.pairs(name, said).into_iter().filter_map(|listed| {
            let md5 = known.revisions.get(&listed.file)?;
            // A revision that is no digest of the content only has to be another one.
            let is_digest = known.digests.contains_key(&listed.digest);
            (!is_digest).then(|| (listed.at.0, listed.at.1, md5.clone()))
        });
        let replaced = self.scanner.replace(said, &known.tokens, &known.digests, pairs.collect());
        Ok(self.allowed(name, replaced)?.into())
    }

    /// The text with its policy's digests of its own inline scripts and styles as these are now.
    fn allowed(&self, name: &str, text: String) -> Result<String, SiteError> {
        let Some(held) = self.texts.get(name).map(|t| &t.integrities).filter(|held| !held.is_empty()) else {
            return Ok(text);
        };
        if !text.contains("<script") && !text.contains("<style") {
            return Ok(text);
        }
        let before = self.read(name)?;
        let before = String::from_utf8_lossy(&before);
        let mut digests = BTreeMap::new();
        for (old, new) in precache::inline(&before).into_iter().zip(precache::inline(&text)) {
            if old != new {
                let pairs = scan::integrity(old.as_bytes()).into_iter().zip(scan::integrity(new.as_bytes()));
                digests.extend(pairs.filter(|(old, _)| held.contains(old)));
            }
        }
        if digests.is_empty() {
            return Ok(text);
        }
        Ok(self.scanner.replace(&text, &BTreeMap::new(), &digests, Vec::new()))
    }

    /// A file's new path.
    pub(super) fn renamed(&self, name: &str, tokens: &BTreeMap<String, String>) -> String {
        let Some((old, new)) = self.token_of.get(name).and_then(|t| Some((t, tokens.get(t)?))) else {
            return name.to_owned();
        };
        // A folder named by the build, or the hash in the file's own name.
        if let Some(at) = name.split('/').position(|part| part == old) {
            let part = |(n, part)| if n == at { new.as_str() } else { part };
            return name.split('/').enumerate().map(part).collect::<Vec<_>>().join("/");
        }
        let folder = name.rfind('/').map_or(0, |i| i + 1);
        match name[folder..].rfind(old.as_str()) {
            Some(at) => format!("{}{new}{}", &name[..folder + at], &name[folder + at + old.len()..]),
            None => name.to_owned(),
        }
    }
}
