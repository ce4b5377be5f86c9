//! What stands in the way of the distribution, and what is good to know of one that is there.

use super::wanted;
use crate::clients::Kind;
use crate::clients::distributions::{Certificate, Settings};
use crate::clients::dns::Answer;
use crate::step::{Finding, Look, Severity, StepResult};
use crate::steps::cdn;

pub(super) async fn findings(look: &Look) -> StepResult<Vec<Finding>> {
    let all = look.distributions.all().await?;
    let own = cdn::among(look, all.clone());
    let mut found = Vec::new();
    for name in &look.site.names.pages {
        let others = all.iter().filter(|one| own.as_ref().is_none_or(|own| own.id != one.id));
        for other in others.filter(|one| one.aliases.contains(name)) {
            let what = format!("{name} is held by the distribution {} ({})", other.id, other.domain);
            let todo = "name that one as `aws.distribution`, or take the name off it first";
            found.push(Finding::new(Severity::Blocker, what, todo).law("C4"));
        }
        if own.is_none() {
            found.extend(elsewhere(look, name).await?);
        }
    }
    match (&own, look.site.aws.named_distribution()) {
        (Some(own), _) => {
            if let Some(live) = look.distributions.distribution(&own.id).await? {
                found.extend(conflicts(look, &own.id, &live.settings).await?);
                found.extend(of_one_that_is_there(look, &own.id, &live.settings));
            }
        }
        (None, Some(name)) => {
            let what = format!("there is no distribution {name} in this account");
            let todo = "correct `aws.distribution` in the site file, or write `new` for one that outgrow makes";
            found.push(Finding::new(Severity::Blocker, what, todo));
        }
        (None, None) => {
            let what = "a distribution costs nothing by itself, its requests and bytes do, and abuse can run them up";
            found.push(Finding::new(Severity::Note, what, "set a budget alarm in the AWS console").law("M1"));
        }
    }
    if !wanted::is_nginx(look).await? {
        let what = format!("{} holds no /etc/nginx/nginx.conf", look.site.old.web.container);
        let todo = "see whether the site needs a page for paths that are no file, and set it on the distribution";
        found.push(Finding::new(Severity::Warning, what, todo).law("C3"));
    }
    Ok(found)
}

/// A name that DNS leads to a distribution of somebody else, as far as the zone tells.
async fn elsewhere(look: &Look, name: &str) -> StepResult<Vec<Finding>> {
    let zone = match look.dns.zone(&look.site.names.zone).await {
        Ok(zone) => zone,
        // `certificate` and `dns-weights` tell of it.
        Err(error) if matches!(error.kind, Kind::NotFound | Kind::Conflict) => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let records = look.dns.records(&zone.id, name).await?;
    let targets = records.iter().flat_map(|record| match &record.answer {
        Answer::Values(values) => values.clone(),
        Answer::Alias { name, .. } => vec![name.clone()],
        Answer::Other(_) => Vec::new(),
    });
    let taken = targets.map(|to| to.trim_end_matches('.').to_ascii_lowercase());
    let taken: Vec<String> = taken.filter(|to| to.ends_with(".cloudfront.net")).collect();
    Ok(taken
        .into_iter()
        .map(|to| {
            let what = format!("{name} leads to {to}, which may hold the name");
            let todo = "take the name off that distribution, or name it as `aws.distribution` if it is yours";
            Finding::new(Severity::Warning, what, todo).law("C4")
        })
        .collect())
}

/// Law C4 over all accounts; AWS answers only for one with a certificate that covers the name.
async fn conflicts(look: &Look, id: &str, live: &Settings) -> StepResult<Vec<Finding>> {
    let mut found = Vec::new();
    let Certificate::Acm { arn, .. } = &live.certificate else { return Ok(found) };
    let certificate = look.certificates.certificate(arn).await?;
    for name in &look.site.names.pages {
        let covers = certificate.as_ref().is_some_and(|c| c.listed.covers_all(std::slice::from_ref(name)));
        if !covers || live.aliases.contains(name) {
            continue;
        }
        for conflict in look.distributions.conflicts(id, name).await?.iter().filter(|c| c.alias == *name) {
            let what = format!(
                "{name} is held by the distribution {} of the account {}",
                conflict.distribution, conflict.account
            );
            let todo = "take the name off it, or prove to AWS that it is yours (CloudFront guide: moving a name)";
            found.push(Finding::new(Severity::Blocker, what, todo).law("C4"));
        }
    }
    Ok(found)
}

fn of_one_that_is_there(look: &Look, id: &str, live: &Settings) -> Vec<Finding> {
    let mut found = Vec::new();
    let foreign: Vec<&str> =
        live.aliases.iter().filter(|name| !look.site.names.pages.contains(name)).map(String::as_str).collect();
    let serves_ours = wanted::origin_of(look, live).is_some_and(|origin| origin == live.default.origin);
    if !foreign.is_empty() && !serves_ours {
        let what =
            format!("the distribution {id} serves {} from elsewhere: it would serve these pages", foreign.join(", "));
        let todo = "write `distribution: new`, so that these names keep what they have";
        found.push(Finding::new(Severity::Blocker, what, todo));
    }
    if live.default.cache.is_none() {
        let what = format!("the distribution {id} caches by settings of its own, which may keep pages past their time");
        let todo = "give it the cache policy CachingOptimized, which honours the headers of the objects";
        found.push(Finding::new(Severity::Warning, what, todo).law("C5"));
    }
    if let Some(function) = &live.default.function {
        let what = format!("the function {function} sees the requests of the distribution {id}, and stays");
        let todo = "see that it gives folders their index page, or take it off and let outgrow put its own there";
        found.push(Finding::new(Severity::Note, what, todo).law("C3"));
    }
    found
}
