//! What stands in the way of the pages.

use super::plan::prepare;
use crate::clients::Kind;
use crate::step::{Fault, Finding, Look, Severity, StepResult};

/// Findings of one kind told one by one.
const TOLD: usize = 20;

pub(super) async fn findings(look: &Look) -> StepResult<Vec<Finding>> {
    let mut found = bucket(look).await?;
    let prepared = match prepare(&look.site, look.old.as_ref()).await {
        Ok(prepared) => prepared,
        Err(Fault::Failed { what, hint }) => {
            let todo = hint.unwrap_or_else(|| "correct `box.web` in the site file".to_owned());
            found.push(Finding::new(Severity::Blocker, what, todo));
            return Ok(found);
        }
        Err(other) => return Err(other),
    };
    let rewritten = &prepared.rewritten;
    let mut tell = |severity, todo: &str, all: Vec<String>| {
        let more = all.len().saturating_sub(TOLD);
        found.extend(all.into_iter().take(TOLD).map(|what| Finding::new(severity, what, todo)));
        if more > 0 {
            found.push(Finding::new(severity, format!("… and {more} more of these"), todo));
        }
    };
    tell(
        Severity::Blocker,
        "change the file on the box, or serve the API under the site's own name so that nothing has to be rewritten",
        rewritten.refusals.clone(),
    );
    tell(Severity::Warning, "see whether this place is used; it goes on naming the box", rewritten.leftovers.clone());
    let said = |all: &[(String, String)]| all.iter().map(|(path, why)| format!("{path} is left out: {why}")).collect();
    tell(Severity::Warning, "put it right on the box if visitors need it", said(&prepared.unfit));
    tell(Severity::Note, "nothing, if visitors do not need it", said(&prepared.kept_back));
    if !prepared.items.contains_key("index.html") {
        let what = "there is no index.html in the document root".to_owned();
        found.push(Finding::new(Severity::Warning, what, "see that `box.web.root` is the document root").law("C3"));
    }
    Ok(found)
}

/// Law C2.
async fn bucket(look: &Look) -> StepResult<Vec<Finding>> {
    let name = &look.site.aws.bucket;
    let state = match look.objects.bucket(name).await {
        Ok(state) => state,
        Err(error) if matches!(error.kind, Kind::Denied | Kind::Refused) => {
            let todo = error.hint.clone().unwrap_or_else(|| "choose another name for `aws.bucket`".to_owned());
            return Ok(vec![Finding::new(Severity::Blocker, error.to_string(), todo)]);
        }
        Err(error) => return Err(error.into()),
    };
    let mut found = Vec::new();
    if state.as_ref().is_some_and(|state| !state.blocks_public) {
        let what = format!("the bucket {name} does not block public access");
        found.push(Finding::new(Severity::Blocker, what, "turn on all four switches of Block Public Access").law("C2"));
    }
    let read = state.and_then(|state| state.policy).is_some_and(|policy| policy.contains("cloudfront.amazonaws.com"));
    // One that outgrow makes is let in when it is made.
    if let (false, Some(named)) = (read, look.site.aws.named_distribution()) {
        let what = format!("no policy lets the distribution {named} read the bucket {name}");
        let todo = "put the step distribution into the playbook: it sets the policy";
        found.push(Finding::new(Severity::Warning, what, todo).law("C2"));
    }
    Ok(found)
}
