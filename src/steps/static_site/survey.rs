//! One pass over the archive: every file's size, checksum and headers; texts into the spool; links resolved.

use std::collections::BTreeMap;

use tokio::io::AsyncReadExt;

use super::archive::{Archive, Entry, Kind};
use super::keys::obstacle;
use super::rewriting::{Watch, headers, is_text, leak};
use super::spool::Spool;
use crate::clients::hosts::HostRead;
use crate::clients::objects::Crc64;
use crate::site::Site;
use crate::step::StepResult;

/// What a file's kind is judged by.
const HEAD: usize = 4 << 10;
/// How much is read at once.
const PIECE: usize = 256 << 10;
/// Links may lead to links so often.
const DEEPEST: usize = 40;

/// A file as the box has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// Where its content stands in the archive: its own path, or that of a link's target.
    pub source: String,
    /// Bytes.
    pub size: u64,
    /// CRC64NVME.
    pub crc: String,
    /// Content-Type and Cache-Control.
    pub headers: (String, String),
}

/// What the document root holds.
pub(super) struct Survey {
    /// Files by path.
    pub files: BTreeMap<String, Found>,
    /// The texts.
    pub spool: Spool,
    /// What stays behind, and why: meant so, such as keys and dumps.
    pub kept_back: Vec<(String, String)>,
    /// What cannot go up, and why.
    pub unfit: Vec<(String, String)>,
    /// Texts too large to be rewritten that name the old host.
    pub too_large: Vec<String>,
}

/// Streams the document root once.
pub(super) async fn survey(site: &Site, old: &dyn HostRead) -> StepResult<Survey> {
    let mut archive = Archive::open(site, old).await?;
    let mut survey = Survey {
        files: BTreeMap::new(),
        spool: Spool::new()?,
        kept_back: Vec::new(),
        unfit: Vec::new(),
        too_large: Vec::new(),
    };
    let mut links = BTreeMap::new();
    while let Some(mut entry) = archive.next().await? {
        let path = match &entry.path {
            Ok(path) => path.clone(),
            Err((shown, why)) => {
                survey.unfit.push((shown.clone(), (*why).to_owned()));
                continue;
            }
        };
        match entry.kind.clone() {
            Kind::Folder => {}
            Kind::Special => survey.unfit.push((path, "it is a device, a pipe or a socket".to_owned())),
            Kind::Link(Some(target)) => {
                links.insert(path, target);
            }
            Kind::Link(None) => survey.unfit.push((path, "it is a link that leaves the document root".to_owned())),
            Kind::File(bytes) => survey.take(site, &archive, &mut entry, &path, bytes).await?,
        }
    }
    survey.follow(&links);
    let names = survey.files.keys().cloned().collect();
    survey.spool.set_names(names);
    Ok(survey)
}

impl Survey {
    async fn take(
        &mut self,
        site: &Site,
        archive: &Archive,
        entry: &mut Entry,
        path: &str,
        bytes: u64,
    ) -> StepResult<()> {
        if let Some(why) = obstacle(path) {
            self.unfit.push((path.to_owned(), why.to_owned()));
            return Ok(());
        }
        let mut watch = Watch::over(site, path, bytes)?;
        let mut text = is_text(path, bytes).then(Vec::new);
        let mut crc = Crc64::default();
        let mut head = Vec::new();
        let mut piece = vec![0; usize::try_from(bytes).unwrap_or(PIECE).clamp(1, PIECE)];
        loop {
            let n = entry.reader().read(&mut piece).await.map_err(|e| archive.broken(&e))?;
            if n == 0 {
                break;
            }
            let piece = &piece[..n];
            crc.update(piece);
            head.extend_from_slice(&piece[..n.min(HEAD - head.len().min(HEAD))]);
            if let Some(text) = &mut text {
                text.extend_from_slice(piece);
            }
            if let Some(watch) = &mut watch {
                watch.look(piece);
            }
        }
        if let Some(why) = leak(path, &head) {
            self.kept_back.push((path.to_owned(), why.to_owned()));
            return Ok(());
        }
        if watch.is_some_and(|watch| watch.seen) {
            self.too_large.push(path.to_owned());
        }
        if let Some(text) = text {
            self.spool.add(path, &text)?;
        }
        let found = Found { source: path.to_owned(), size: bytes, crc: crc.base64(), headers: headers(path, &head) };
        self.files.insert(path.to_owned(), found);
        Ok(())
    }

    /// Gives every link the content of what it leads to; a linked folder brings all that is in it.
    fn follow(&mut self, links: &BTreeMap<String, String>) {
        let real = self.files.clone();
        for (path, target) in links {
            let Some(end) = settled(target, links) else {
                self.unfit.push((path.clone(), "it is a link that leads in a circle".to_owned()));
                continue;
            };
            let folder = format!("{end}/");
            let inside: Vec<(String, &Found)> = match real.get(&end) {
                Some(found) => vec![(path.clone(), found)],
                None => real
                    .range(folder.clone()..)
                    .take_while(|(below, _)| below.starts_with(&folder))
                    .map(|(below, found)| (format!("{path}/{}", &below[folder.len()..]), found))
                    .collect(),
            };
            if inside.is_empty() {
                self.unfit.push((path.clone(), format!("it is a link to {target}, which does not go up")));
            }
            for (path, found) in inside {
                if let Some(why) = obstacle(&path) {
                    self.unfit.push((path, why.to_owned()));
                    continue;
                }
                self.spool.alias(&path, &found.source);
                let (by_name, cache) = headers(&path, &[]);
                // What the content told about the type holds for the link too, unless its name says otherwise.
                let alike = by_name == headers(&found.source, &[]).0;
                let kind = if alike { found.headers.0.clone() } else { by_name };
                self.files.insert(path, Found { headers: (kind, cache), ..found.clone() });
            }
        }
    }
}

/// The end of a chain of links, also where a folder on the way is one; `None` if there is none.
fn settled(target: &str, links: &BTreeMap<String, String>) -> Option<String> {
    let mut at = target.to_owned();
    for _ in 0..DEEPEST {
        let through = at.match_indices('/').map(|(end, _)| end).chain([at.len()]);
        let link = through.into_iter().find_map(|end| links.get(&at[..end]).map(|to| (end, to)));
        match link {
            None => return Some(at),
            Some((end, to)) => at = format!("{to}{}", &at[end..]),
        }
    }
    None
}
