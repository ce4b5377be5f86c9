//! Puts the objects: what nothing depends on first, the first page last. What a key holds is kept before it is
//! overwritten, and is looked at first, so that doing it again does nothing twice.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;

use super::archive::{Archive, Kind as EntryKind};
use super::keys::{Class, class, kept};
use super::live::{self, crc, is_ours};
use super::manifest::{Put, SiteChange};
use super::plan::{Content, Prepared, prepare};
use super::window::Window;
use crate::clients::objects::{Body, Headers, ObjectsWrite, Stored};
use crate::step::{Act, Fault, StepResult};
use crate::steps::tags;

/// Up to so many bytes a streamed file is taken into memory and put beside others.
const SMALL: u64 = 4 << 20;
/// From so many bytes on an upload has parts that a crash leaves behind.
const PARTED: u64 = 16 << 20;

pub(super) async fn apply(act: &Act, change: &SiteChange) -> StepResult<()> {
    ensure_bucket(act, change).await?;
    if change.puts.is_empty() {
        return Ok(());
    }
    let prepared = prepare(&act.look.site, act.look.old.as_ref()).await?;
    unmoved(change, &prepared)?;
    for put in change.puts.iter().filter(|put| put.size > PARTED) {
        act.reach.objects.abort_uploads(&change.bucket, &put.key).await?;
    }
    let present = live::listing(act.look.objects.as_ref(), &change.bucket).await?;
    let mut upload = Upload {
        shared: Arc::new(Shared {
            objects: Arc::clone(&act.reach.objects),
            bucket: change.bucket.clone(),
            run: act.look.run.clone(),
            epoch: act.epoch,
            headers: change.headers.clone(),
            present: present.into_keys().collect(),
        }),
        act,
        window: Window::new(),
        total: change.bytes(),
    };
    let (here, streamed): (Vec<&Put>, Vec<&Put>) = change.puts.iter().partition(|put| prepared.is_here(&put.key));
    upload.stream(&streamed, &prepared).await?;
    for group in [Class::Asset, Class::Other, Class::Page, Class::Index] {
        upload.window.barrier().await?;
        for put in here.iter().filter(|put| class(&put.key) == group) {
            if let Content::Here(body) = prepared.content(&put.key)? {
                upload.small((*put).clone(), body).await?;
            }
        }
    }
    upload.window.barrier().await?;
    upload.told();
    Ok(())
}

async fn ensure_bucket(act: &Act, change: &SiteChange) -> StepResult<()> {
    let state = act.look.objects.bucket(&change.bucket).await?;
    let drift =
        |found: &str| Fault::drifted(format!("the bucket {}", change.bucket), "as when the plan was made", found);
    match state {
        None if !change.create => Err(drift("gone")),
        Some(_) if !change.create => Ok(()),
        Some(state) if tags::is_ours(&act.look, &state.tags) && state.blocks_public => Ok(()),
        Some(state) if !state.tags.is_empty() && !tags::is_ours(&act.look, &state.tags) => {
            Err(drift(&format!("made by {}", tags::maker(&state.tags))))
        }
        Some(state)
            if state.tags.is_empty() && !live::listing(act.look.objects.as_ref(), &change.bucket).await?.is_empty() =>
        {
            Err(drift("made by somebody else, with objects in it"))
        }
        // Not there, or left half made by a crash.
        _ => {
            act.reach.objects.create_private_bucket(&change.bucket, &tags::of(&act.look)).await?;
            Ok(())
        }
    }
}

/// Refuses to put what is not what the plan saw.
fn unmoved(change: &SiteChange, prepared: &Prepared) -> StepResult<()> {
    for put in &change.puts {
        let found = prepared.items.get(&put.key).map(|item| item.found.crc.as_str());
        if found != Some(put.crc.as_str()) {
            return Err(Fault::drifted(
                format!("the file {} on the box", put.key),
                format!("checksum {} as in the plan", put.crc),
                found.map_or_else(|| "nothing".to_owned(), |crc| format!("checksum {crc}")),
            ));
        }
    }
    Ok(())
}

/// What every task needs.
struct Shared {
    objects: Arc<dyn ObjectsWrite>,
    bucket: String,
    run: String,
    epoch: u64,
    headers: Vec<(String, String)>,
    /// The keys that were there at the beginning: only those have to be looked at.
    present: BTreeSet<String>,
}

struct Upload<'a> {
    shared: Arc<Shared>,
    act: &'a Act,
    window: Window,
    total: u64,
}

impl Upload<'_> {
    fn told(&self) {
        self.act.progress("upload", self.window.done, self.total, true);
    }

    async fn small(&mut self, put: Put, body: Bytes) -> StepResult<()> {
        let shared = Arc::clone(&self.shared);
        self.window.add(put.size, async move { shared.put_bytes(&put, body).await }).await?;
        self.told();
        Ok(())
    }

    /// One more pass over the archive, for what is not in the spool. It names no other file, so it goes first.
    async fn stream(&mut self, puts: &[&Put], prepared: &Prepared) -> StepResult<()> {
        let mut wanted: BTreeMap<String, Vec<&Put>> = BTreeMap::new();
        for put in puts {
            if let Content::Archive(source) = prepared.content(&put.key)? {
                wanted.entry(source).or_default().push(put);
            }
        }
        if wanted.is_empty() {
            return Ok(());
        }
        let mut archive = Archive::open(&self.act.look.site, self.act.look.old.as_ref()).await?;
        while let Some(mut entry) = archive.next().await? {
            let (Ok(path), EntryKind::File(size)) = (&entry.path, &entry.kind) else { continue };
            let (size, path) = (*size, path.clone());
            let Some(puts) = wanted.remove(&path) else { continue };
            if size <= SMALL {
                let mut body = Vec::new();
                let read = tokio::io::AsyncReadExt::read_to_end(entry.reader(), &mut body).await;
                read.map_err(|e| archive.broken(&e))?;
                let body = Bytes::from(body);
                for put in puts {
                    self.small(put.clone(), body.clone()).await?;
                }
                continue;
            }
            // The first name gets the stream, the others a copy of it inside S3.
            let (first, others) = puts.split_first().ok_or_else(|| Fault::failed("a file without a key"))?;
            self.shared.put_stream(first, size, entry.reader()).await?;
            for put in others {
                self.shared.put_copy(put, &first.key).await?;
            }
            self.window.done += size * puts.len() as u64;
            self.told();
        }
        match wanted.keys().next() {
            None => Ok(()),
            Some(path) => Err(Fault::drifted(format!("the file {path} on the box"), "there, as in the plan", "gone")),
        }
    }
}

impl Shared {
    /// Looks at the key and keeps what it holds. `false`: it holds already what it should.
    async fn ready(&self, put: &Put) -> StepResult<bool> {
        let stored =
            if self.present.contains(&put.key) { self.objects.head(&self.bucket, &put.key).await? } else { None };
        match (&stored, &put.former) {
            (None, None) => Ok(true),
            (Some(stored), _) if is_ours(stored, &self.run) => Ok(crc(stored) != put.crc),
            (Some(stored), Some(former)) if crc(stored) == *former => {
                self.objects.copy(&self.bucket, &put.key, &kept(&self.run, &put.key), None).await?;
                Ok(true)
            }
            _ => Err(self.drift(put, stored.as_ref())),
        }
    }

    fn drift(&self, put: &Put, stored: Option<&Stored>) -> Fault {
        let say = |crc: Option<&str>| crc.map_or_else(|| "nothing".to_owned(), |crc| format!("checksum {crc}"));
        Fault::drifted(
            format!("{} in {}", put.key, self.bucket),
            say(put.former.as_deref()),
            say(stored.map(crc).as_deref()),
        )
    }

    fn headers(&self, put: &Put) -> Headers {
        let (content_type, cache_control) = self.headers.get(put.headers).cloned().unwrap_or_default();
        let metadata =
            [(live::RUN, self.run.clone()), (live::CRC, put.crc.clone()), (live::EPOCH, self.epoch.to_string())];
        let metadata = metadata.map(|(name, value)| (name.to_owned(), value)).into();
        Headers { content_type, cache_control, metadata }
    }

    async fn put_bytes(&self, put: &Put, body: Bytes) -> StepResult<()> {
        if !self.ready(put).await? {
            return Ok(());
        }
        let receipt = self.objects.put(&self.bucket, &put.key, Body::Bytes(body), &self.headers(put)).await?;
        confirmed(put, &receipt.crc64)
    }

    async fn put_stream(
        &self,
        put: &Put,
        size: u64,
        reader: &mut (dyn tokio::io::AsyncRead + Send + Unpin),
    ) -> StepResult<()> {
        if !self.ready(put).await? {
            return Ok(());
        }
        let body = Body::Stream(size, reader);
        let receipt = self.objects.put(&self.bucket, &put.key, body, &self.headers(put)).await?;
        confirmed(put, &receipt.crc64)
    }

    async fn put_copy(&self, put: &Put, from: &str) -> StepResult<()> {
        if self.ready(put).await? {
            self.objects.copy(&self.bucket, from, &put.key, Some(&self.headers(put))).await?;
        }
        Ok(())
    }
}

fn confirmed(put: &Put, crc: &str) -> StepResult<()> {
    if crc == put.crc {
        return Ok(());
    }
    Err(Fault::drifted(
        format!("the file {} on the box", put.key),
        format!("checksum {} as in the plan", put.crc),
        format!("checksum {crc}"),
    ))
}
