//! Where the site's distribution and its certificate are. Both are found by name, alias and comment each time they are
//! needed: what a run makes in one step, the next one finds as it would find what others made.

use std::collections::BTreeSet;
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::clients::Kind;
use crate::clients::certificates::{Listed as Certificate, Status};
use crate::clients::distributions::Listed;
use crate::step::{Act, Look, StepResult};

/// What a path of an invalidation is encoded for, beside what is no ASCII. An asterisk would be a wildcard.
const UNSAFE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Characters a comment may have. Source: CloudFront API reference, `DistributionConfig`.
const LONGEST: usize = 128;

/// What a distribution that outgrow makes for the site is called by.
pub fn comment(look: &Look) -> String {
    let whole = format!("outgrow: pages of {} in {}", look.site.site, look.site.names.zone);
    whole.chars().take(LONGEST).collect()
}

/// The site's distribution: the one that the site file names by domain name or id, else the one that outgrow made for
/// it; `None` if there is none yet.
pub async fn distribution(look: &Look) -> StepResult<Option<Listed>> {
    Ok(among(look, look.distributions.all().await?))
}

/// The same among these.
pub fn among(look: &Look, all: Vec<Listed>) -> Option<Listed> {
    if let Some(name) = look.site.aws.named_distribution() {
        let name = name.trim_end_matches('.');
        return all.into_iter().find(|one| one.id == name || one.domain.eq_ignore_ascii_case(name));
    }
    let comment = comment(look);
    all.into_iter().find(|one| one.comment == comment)
}

/// Whether a distribution answers to every name of the pages.
pub fn answers(look: &Look, distribution: &Listed) -> bool {
    let has = |name: &String| distribution.aliases.contains(&name.to_ascii_lowercase());
    distribution.enabled && look.site.names.pages.iter().all(has)
}

/// The issued certificate that covers every name of the pages; the closest fit where there are several.
pub async fn certificate(look: &Look) -> StepResult<Option<Certificate>> {
    let pages = &look.site.names.pages;
    let mut fit = look.certificates.all().await?;
    fit.retain(|one| one.status == Status::Issued && one.covers_all(pages));
    // The same one whenever it is asked, whatever order AWS lists them in.
    fit.sort_by(|a, b| (a.names.len(), &a.arn).cmp(&(b.names.len(), &b.arn)));
    Ok(fit.into_iter().next())
}

/// Paths one invalidation takes. Source: CloudFront guide, cloudfront-limits, "Invalidations" (law C6).
const PATHS: usize = 3000;
/// Between two looks whether the edges have dropped what they were told to.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// How often that is looked at: five minutes in all. Much longer is for nobody to wait for.
const LOOKS: u32 = 60;

/// Has the edges drop what they may hold of these keys, and of no others, where the site's distribution is there and
/// answers. `reference` names the occasion: the same one again is the same request. It never fails for good: what an edge
/// holds goes out of date by itself.
pub async fn forget(act: &Act, keys: &[&str], reference: &str) -> StepResult<()> {
    if keys.is_empty() {
        return Ok(());
    }
    let Some(found) = distribution(&act.look).await?.filter(|found| found.enabled) else { return Ok(()) };
    let paths = paths(keys);
    let reference = format!("{}-{reference}", act.look.run);
    match act.reach.distributions.invalidate(&found.id, &reference, &paths).await {
        Ok(invalidation) => dropped(act, &found.id, &invalidation).await,
        Err(error) if matches!(error.kind, Kind::Unanswered | Kind::Throttled) => Err(error.into()),
        Err(error) => {
            act.note(format!("{error}; edges may show the pages from before until they go out of date"));
            Ok(())
        }
    }
}

async fn dropped(act: &Act, id: &str, invalidation: &str) -> StepResult<()> {
    for _ in 0..LOOKS {
        if act.look.distributions.invalidated(id, invalidation).await? {
            return Ok(());
        }
        act.look.clock.sleep(LOOK_AGAIN).await;
    }
    act.note(format!("the edges have not dropped everything after five minutes ({invalidation} of {id}); it goes on"));
    Ok(())
}

/// The paths under which visitors, and the function behind them, ask for these keys.
fn paths(keys: &[&str]) -> Vec<String> {
    let mut paths = BTreeSet::new();
    for key in keys {
        let path = format!("/{}", utf8_percent_encode(key, UNSAFE));
        // A folder is asked for by its own name.
        if let Some(folder) = path.strip_suffix("index.html").filter(|folder| folder.ends_with('/')) {
            paths.insert(folder.to_owned());
        }
        paths.insert(path);
    }
    if paths.len() > PATHS { vec!["/*".to_owned()] } else { paths.into_iter().collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clients::fake::Stage;
    use crate::step::Clock;

    #[test]
    fn a_key_is_forgotten_under_every_path_it_is_asked_for_by() {
        assert_eq!(paths(&["index.html", "a/index.html"]), ["/", "/a/", "/a/index.html", "/index.html"]);
        assert_eq!(paths(&["사진/a b+*.png"]), ["/%EC%82%AC%EC%A7%84/a%20b%2B%2A.png"]);
        let many: Vec<String> = (0..=PATHS).map(|n| format!("{n}.html")).collect();
        assert_eq!(paths(&many.iter().map(String::as_str).collect::<Vec<_>>()), ["/*"]);
    }

    #[tokio::test]
    async fn edges_are_told_once_and_only_where_there_are_any() {
        let stage = Stage::new();
        for _ in 0..2 {
            forget(&stage.act(), &["index.html"], "back").await.unwrap();
        }
        forget(&stage.act(), &[], "nothing").await.unwrap();
        assert_eq!(stage.distributions.invalidations("D111"), [["/".to_owned(), "/index.html".to_owned()]]);
        stage.distributions.clear();
        let (calls, now) = (stage.fuse.calls(), stage.clock.now());
        forget(&stage.act(), &["index.html"], "there").await.unwrap();
        assert_eq!((stage.fuse.calls(), stage.clock.now()), (calls, now));
    }
}
