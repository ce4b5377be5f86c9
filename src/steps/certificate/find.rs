//! Which certificate this run asked for.

use std::collections::BTreeSet;

use aws_lc_rs::digest;

use super::CertificateChange;
use crate::clients::certificates::Listed;
use crate::step::{Look, StepResult};
use crate::steps::tags;

/// The one with these names and this run's tags, whatever has become of it.
pub(super) async fn ours(look: &Look, change: &CertificateChange) -> StepResult<Option<Listed>> {
    // AWS keeps no order of names.
    let wanted: BTreeSet<&String> = change.names.iter().collect();
    for one in look.certificates.all().await? {
        if one.names.iter().collect::<BTreeSet<_>>() == wanted
            && tags::is_ours(look, &look.certificates.tags(&one.arn).await?)
        {
            return Ok(Some(one));
        }
    }
    Ok(None)
}

/// With the same token ACM makes no second certificate within an hour, should an answer get lost.
pub(super) fn token(look: &Look, change: &CertificateChange) -> String {
    let text = format!("{} {}", look.run, change.names.join(" "));
    let mut token = hex::encode(digest::digest(&digest::SHA256, text.as_bytes()));
    token.truncate(32);
    token
}
