//! What keeps Amazon from issuing a certificate, told before one is asked for, and in words once it has failed.

use crate::clients::Kind;
use crate::clients::dns::Answer;
use crate::step::{Finding, Look, Severity, StepResult};

/// Names of Amazon in a CAA record. Source: ACM guide, CAA records.
const AMAZON: [&str; 4] = ["amazon.com", "amazontrust.com", "awstrust.com", "amazonaws.com"];
/// Names a certificate may have without asking AWS for more. Source: ACM guide, Quotas.
const NAMES: usize = 10;
/// The longest first name: it becomes the common name (RFC 5280).
const LONGEST: usize = 64;

pub(super) async fn findings(look: &Look) -> StepResult<Vec<Finding>> {
    let (pages, zone) = (&look.site.names.pages, &look.site.names.zone);
    let mut found = Vec::new();
    if pages.len() > NAMES {
        let what = format!("a certificate for {} names needs a higher quota than the usual {NAMES}", pages.len());
        let todo = "ask AWS for it (ACM in us-east-1, domain names per certificate), or use a wildcard of your own";
        found.push(Finding::new(Severity::Warning, what, todo).law("C1"));
    }
    if let Some(first) = pages.first().filter(|name| name.len() > LONGEST) {
        let what = format!("{first} is too long to be a certificate's first name");
        found.push(Finding::new(Severity::Blocker, what, "name a shorter one first under `names.pages`").law("C1"));
    }
    let id = match look.dns.zone(zone).await {
        Ok(zone) => zone.id,
        Err(error) if matches!(error.kind, Kind::NotFound | Kind::Conflict) => {
            let todo = error.hint.clone().unwrap_or_else(|| "correct `names.zone` in the site file".to_owned());
            found.push(Finding::new(Severity::Blocker, error.to_string(), todo).law("R9"));
            return Ok(found);
        }
        Err(error) => return Err(error.into()),
    };
    for name in pages {
        if let Some(at) = forbidden(look, &id, zone, name).await? {
            let what = format!("the CAA record of {at} does not let Amazon issue a certificate for {name}");
            let todo = format!("add `0 issue \"amazon.com\"` to the CAA record of {at}");
            found.push(Finding::new(Severity::Blocker, what, todo).law("C1"));
        }
    }
    Ok(found)
}

/// The name whose CAA record keeps Amazon out: the nearest one above counts (RFC 8659).
async fn forbidden(look: &Look, id: &str, zone: &str, name: &str) -> StepResult<Option<String>> {
    let wild = name.starts_with("*.");
    let mut at = name.trim_start_matches("*.").to_ascii_lowercase();
    loop {
        let records = look.dns.records(id, &at).await?;
        if let Some(caa) = records.iter().find(|record| record.kind == "CAA") {
            let Answer::Values(values) = &caa.answer else { return Ok(None) };
            return Ok((!lets_amazon(values, wild)).then_some(at));
        }
        match at.split_once('.') {
            Some((_, parent)) if at != zone => at = parent.to_owned(),
            _ => return Ok(None),
        }
    }
}

/// Whether a set of CAA values (`0 issue "amazon.com"`) lets Amazon issue.
fn lets_amazon(values: &[String], wild: bool) -> bool {
    let of = |tag: &str| -> Vec<String> {
        let tagged = values.iter().filter_map(|value| {
            let (_, rest) = value.split_once(' ')?;
            let (own, issuer) = rest.trim_start().split_once(' ')?;
            let issuer = issuer.trim().trim_matches('"').split(';').next().unwrap_or_default().trim();
            own.eq_ignore_ascii_case(tag).then(|| issuer.to_ascii_lowercase())
        });
        tagged.collect()
    };
    let (plain, for_wild) = (of("issue"), of("issuewild"));
    let issuers = if wild && !for_wild.is_empty() { for_wild } else { plain };
    issuers.is_empty() || issuers.iter().any(|issuer| AMAZON.contains(&issuer.as_str()))
}

/// Why ACM did not issue, in words. Source: ACM guide, certificate request fails.
pub(super) fn lost(why: &str, names: &[String]) -> String {
    let todo = match why {
        _ if why.contains("CAA") => "a CAA record of the zone names other authorities: add `0 issue \"amazon.com\"`",
        _ if why.contains("TIMED_OUT") => {
            "the names were not proven within 72 hours: see that the registrar delegates to this zone (law R9)"
        }
        _ if why.contains("DOMAIN_NOT_ALLOWED") => "the name is Amazon's own or on a list of fraud; ask AWS support",
        _ if why.contains("NO_AVAILABLE_CONTACTS") || why.contains("ADDITIONAL_VERIFICATION") => {
            "Amazon wants to know more about the name; open a case with AWS support"
        }
        _ => "see the certificate in the console (ACM, us-east-1)",
    };
    format!("Amazon did not issue the certificate for {}: {why}; {todo}", names.join(", "))
}

/// What to look at where it takes too long.
pub(super) fn late(look: &Look, open: &[&str]) -> String {
    if open.is_empty() {
        return "all names are proven, so look at the AWS health page".to_owned();
    }
    format!(
        "it has not found the record of {}, which is in the zone {}; see that the registrar delegates to this zone's \
         own name servers (law R9)",
        open.join(", "),
        look.site.names.zone
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amazon_may_issue_where_no_record_names_only_others() {
        let lets = |values: &[&str], wild| {
            let values: Vec<String> = values.iter().map(|v| (*v).to_owned()).collect();
            lets_amazon(&values, wild)
        };
        assert!(lets(&["0 iodef \"mailto:a@shop.test\""], false));
        assert!(lets(&["0 issue \"letsencrypt.org\"", "0 issue \"amazon.com; x=y\""], false));
        assert!(!lets(&["0 issue \"letsencrypt.org\""], false) && !lets(&["0 issue \";\""], false));
        let wild = ["0 issue \"letsencrypt.org\"", "0 issuewild \"amazontrust.com\""];
        assert!(lets(&wild, true) && !lets(&wild, false));
        assert!(!lets(&["0 issue \"amazon.com\"", "0 issuewild \";\""], true));
    }
}
