//! Images that are on the box's engine only.

use futures::StreamExt;

use super::Copying;
use super::select::Original;
use crate::rehearsal::world::Result;

/// Streams the images that the local engine lacks from the box's, without a copy on disk; gives their names.
pub async fn bring(copying: &Copying<'_>, originals: &[Original]) -> Result<Vec<String>> {
    let (from, to) = (copying.from.host(), copying.to.host());
    let mut missing: Vec<String> = Vec::new();
    let ids = futures::stream::iter(originals.iter().map(|o| &o.container)).map(|container| {
        let to = to.clone();
        async move { to.has_image(&container.image_id).await.map(|there| (!there).then_some(container)) }
    });
    let found: Vec<_> = ids.buffered(4).collect().await;
    for container in found {
        if let Some(container) = container? {
            // By name, so that it has its name here as well; by id where it has none, or another image has it now.
            let named = container.image.contains("sha256:") || container.image.is_empty();
            missing.push(if named { container.image_id.clone() } else { container.image.clone() });
        }
    }
    // What a step would make a container of lies on the box as well. Where it does not, preflight says so.
    if let Some(pooler) = &copying.spec.site.old.database.pooler
        && to.image(&pooler.image).await?.is_none()
        && from.image(&pooler.image).await?.is_some()
    {
        missing.push(pooler.image.clone());
    }
    missing.sort();
    missing.dedup();
    if missing.is_empty() {
        return Ok(missing);
    }
    let doing = async { to.load_images(from.save_images(&missing).await?).await };
    copying.progress.part(&format!("brought {} over", missing.join(", ")), doing).await?;
    Ok(missing)
}
