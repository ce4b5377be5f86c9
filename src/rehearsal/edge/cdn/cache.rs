//! What the edges have at hand: bounded, the least used goes first.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use bytes::Bytes;
use http::HeaderMap;

/// Bytes of all distributions' caches together: the whole cloud stays below 150 MB.
const MOST: usize = 24 << 20;
/// What larger bodies than this are is never kept: they stream through.
pub const LARGEST: usize = 1 << 20;
/// What an entry takes beside its body.
const OVERHEAD: usize = 1 << 10;

/// An answer that is kept.
#[derive(Debug, Clone)]
pub struct Stored {
    /// Status.
    pub status: u16,
    /// The origin's headers, without those of its connection.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
    /// When the origin answered, on the rehearsal's clock.
    pub since: SystemTime,
    /// Until when it may be shown without asking.
    pub fresh_until: SystemTime,
    /// The path and query it is invalidated by.
    pub path: String,
    /// Whether it stands for an origin's error, even if it is shown with another status.
    pub error: bool,
}

/// The cache; all fronts share one.
#[derive(Debug, Default)]
pub struct Cache {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    entries: HashMap<Arc<str>, (Arc<Stored>, u64)>,
    by_use: BTreeMap<u64, Arc<str>>,
    uses: u64,
    bytes: usize,
}

impl Cache {
    /// What is kept under a key.
    pub fn get(&self, key: &str) -> Option<Arc<Stored>> {
        let mut inner = self.lock();
        inner.uses += 1;
        let now = inner.uses;
        let (name, (stored, used)) = inner.entries.get_key_value(key)?;
        let (name, stored, used) = (name.clone(), stored.clone(), *used);
        inner.by_use.remove(&used);
        inner.by_use.insert(now, name.clone());
        inner.entries.insert(name, (stored.clone(), now));
        Some(stored)
    }

    /// Keeps an answer, if it is small enough.
    pub fn put(&self, key: &str, stored: Stored) {
        if stored.body.len() > LARGEST {
            return;
        }
        let mut inner = self.lock();
        inner.drop_one(key);
        inner.uses += 1;
        let (now, name) = (inner.uses, Arc::<str>::from(key));
        inner.bytes += size(&name, &stored);
        inner.by_use.insert(now, name.clone());
        inner.entries.insert(name, (Arc::new(stored), now));
        while inner.bytes > MOST
            && let Some((_, oldest)) = inner.by_use.first_key_value()
        {
            let oldest = oldest.clone();
            inner.drop_one(&oldest);
        }
    }

    /// Forgets what is kept under a key.
    pub fn forget(&self, key: &str) {
        self.lock().drop_one(key);
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn drop_one(&mut self, key: &str) {
        if let Some((name, (stored, used))) = self.entries.remove_entry(key) {
            self.by_use.remove(&used);
            self.bytes -= size(&name, &stored);
        }
    }
}

fn size(key: &str, stored: &Stored) -> usize {
    let headers: usize = stored.headers.iter().map(|(n, v)| n.as_str().len() + v.len()).sum();
    2 * key.len() + stored.path.len() + headers + stored.body.len() + OVERHEAD
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(bytes: usize) -> Stored {
        Stored {
            status: 200,
            headers: HeaderMap::new(),
            body: vec![0; bytes].into(),
            since: SystemTime::UNIX_EPOCH,
            fresh_until: SystemTime::UNIX_EPOCH,
            path: "/".into(),
            error: false,
        }
    }

    #[test]
    fn the_least_used_goes_first_and_the_whole_is_bounded() {
        let cache = Cache::default();
        cache.put("first", stored(LARGEST));
        for i in 0..40 {
            cache.put(&format!("other {i}"), stored(LARGEST));
            assert!(cache.get("first").is_some(), "it is in use");
        }
        assert!(cache.get("other 0").is_none() && cache.get("other 39").is_some());
        assert!(cache.lock().bytes <= MOST);
        cache.put("too large", stored(LARGEST + 1));
        assert!(cache.get("too large").is_none());
        cache.forget("first");
        assert!(cache.get("first").is_none());
    }
}
