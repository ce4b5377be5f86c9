//! Packed twins of changed files are packed anew; what cannot be is refused.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bytes::Bytes;

use super::SiteError;
use super::packed::Packing;
use super::plan::Site;
use crate::rewrite::origin::{Bases, twin_of};

impl Site<'_> {
    /// The twins of affected files, with the content these have now. A twin that said something else before is refused:
    /// nobody knows which of the two visitors should get.
    pub(super) fn twins(
        &mut self,
        affected: &BTreeMap<String, BTreeSet<String>>,
        names: &[String],
    ) -> Result<(), SiteError> {
        let all: BTreeSet<&str> = names.iter().map(String::as_str).collect();
        let renamed: HashMap<String, String> = self.plan.renamed.iter().cloned().collect();
        let new_name = |name: &str| renamed.get(name).cloned().unwrap_or_else(|| name.to_owned());
        for name in affected.keys() {
            let twins = ["gz", "br", "zst"].map(|ending| format!("{name}.{ending}"));
            for twin in twins.iter().filter(|twin| all.contains(twin.as_str())) {
                let Some(packing) = Packing::of(twin) else {
                    self.refuse(format!(
                        "{twin} is a packed copy of {name}, which changes: remove it or build it again"
                    ));
                    continue;
                };
                let before = self.read(name)?;
                if !packing.open(&self.read(twin)?).is_ok_and(|text| text == before) {
                    self.refuse(format!("{twin} is not a packed copy of {name} as it is: remove it or build it again"));
                    continue;
                }
                let after = self.plan.rewritten.get(&new_name(name)).cloned().unwrap_or(before);
                match packing.pack(&after) {
                    Ok(packed) => drop(self.plan.rewritten.insert(new_name(twin), Bytes::from(packed))),
                    Err(error) => self.refuse(format!("{twin} could not be packed anew: {error}")),
                }
            }
        }
        Ok(())
    }

    /// A packed text without the text itself is not rewritten, so it may not name the old host.
    pub(super) fn packed_alone(&mut self, names: &[String], bases: &Bases) -> Result<(), SiteError> {
        let all: BTreeSet<&str> = names.iter().map(String::as_str).collect();
        let alone = names.iter().filter(|name| twin_of(name).is_some_and(|text| !all.contains(text)));
        for name in alone {
            let Some(packing) = Packing::of(name) else { continue };
            let packed = self.read(name)?;
            if packing.open(&packed).is_ok_and(|text| bases.are_named_in(&text)) {
                let host = bases.old_host();
                self.refuse(format!(
                    "{name} names {host} and is there in its packed form only: put the text beside it, or build it again"
                ));
            }
        }
        Ok(())
    }
}
