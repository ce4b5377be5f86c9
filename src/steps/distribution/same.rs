//! Settings against settings, and in words.

use crate::clients::distributions::{Behavior, Certificate, Settings};

/// Stands for what the run itself makes and learns the id of only then.
pub(super) const MADE: &str = "made by this run";

/// Where live settings are not those that were wanted; `None` if they are. What the run made fits whatever it became.
pub(super) fn differs(live: &Settings, wanted: &Settings) -> Option<String> {
    let wanted = filled(wanted, live);
    if *live == wanted {
        return None;
    }
    let (live, wanted) = (say(live), say(&wanted));
    let more = live.iter().find(|line| !wanted.contains(line));
    let less = wanted.iter().find(|line| !live.contains(line));
    Some(match (more, less) {
        (Some(more), Some(less)) => format!("{more}, and {less} was set"),
        (Some(more), None) => more.clone(),
        (None, Some(less)) => format!("{less} is missing"),
        (None, None) => "an order or a number".to_owned(),
    })
}

/// The wanted settings with what live ones have in the places of what the run makes.
fn filled(wanted: &Settings, live: &Settings) -> Settings {
    let mut filled = wanted.clone();
    if let (Certificate::Acm { arn, .. }, Certificate::Acm { arn: made, .. }) =
        (&mut filled.certificate, &live.certificate)
        && arn == MADE
    {
        arn.clone_from(made);
    }
    for (id, origin) in &mut filled.origins {
        let made = live.origins.get(id).and_then(|origin| origin.access.clone());
        if origin.access.as_deref() == Some(MADE) && made.is_some() {
            origin.access = made;
        }
    }
    filled
}

/// Whether anything in it is yet to be made.
pub(super) fn needs_access(settings: &Settings) -> bool {
    settings.origins.values().any(|origin| origin.access.as_deref() == Some(MADE))
}

/// Settings as lines.
pub(super) fn say(settings: &Settings) -> Vec<String> {
    let mut lines: Vec<String> = settings.aliases.iter().map(|name| format!("answers to {name}")).collect();
    if !settings.enabled {
        lines.push("is disabled".to_owned());
    }
    lines.push(match &settings.certificate {
        Certificate::Own => "shows CloudFront's own certificate".to_owned(),
        Certificate::Iam(id) => format!("shows the IAM certificate {id}"),
        Certificate::Acm { arn, tls } if arn == MADE => format!("shows the certificate of this run, {tls} at least"),
        Certificate::Acm { arn, tls } => format!("shows {arn}, {tls} at least"),
    });
    lines.push(format!("speaks {}", settings.http));
    if !settings.default_root.is_empty() {
        lines.push(format!("/ is /{}", settings.default_root));
    }
    for (id, origin) in &settings.origins {
        let access = match origin.access.as_deref() {
            Some(MADE) => ", read with an access control of this run".to_owned(),
            Some(access) => format!(", read with the access control {access}"),
            None => origin.identity.as_ref().map(|id| format!(", read with the identity {id}")).unwrap_or_default(),
        };
        lines.push(format!("{id} is {}{}{access}", origin.domain, origin.path));
    }
    lines.extend(say_behavior("all other paths", &settings.default));
    for (path, behavior) in &settings.paths {
        lines.extend(say_behavior(path, behavior));
    }
    for (status, page) in &settings.error_pages {
        let shown = match &page.page {
            Some((path, answer)) => format!("{status} shows {path} with {answer}"),
            None => format!("{status} shows the origin's own page"),
        };
        lines.push(format!("{shown}, kept for {} s", page.kept));
    }
    if let Some((bucket, prefix)) = &settings.logs {
        lines.push(format!("logs go to {bucket}/{prefix}"));
    }
    lines
}

fn say_behavior(path: &str, behavior: &Behavior) -> Vec<String> {
    let methods = behavior.methods.iter().cloned().collect::<Vec<_>>().join(" ");
    let mut lines = vec![
        format!("{path}: to {} ({methods})", behavior.origin),
        format!("{path}: {}{}", behavior.viewers, if behavior.compress { ", compressed" } else { "" }),
    ];
    let policies =
        [("cache", &behavior.cache), ("origin request", &behavior.request), ("response headers", &behavior.headers)];
    for (kind, id) in policies {
        lines.extend(id.as_ref().map(|id| format!("{path}: {kind} policy {}", policy(id))));
    }
    lines.extend(behavior.function.as_ref().map(|name| format!("{path}: the function {name} sees requests first")));
    lines
}

/// A policy by the name that AWS gives it.
fn policy(id: &str) -> &str {
    match id {
        "658327ea-f89d-4fab-a63d-7e88639e58f6" => "CachingOptimized",
        "4135ea2d-6df8-44a3-9df3-4b5a84be39ad" => "CachingDisabled",
        "b689b0a8-53d0-40ab-baf2-68738e2966ac" => "AllViewerExceptHostHeader",
        "67f7725c-6f97-4210-82d7-5512b31e9d03" => "SecurityHeadersPolicy",
        other => other,
    }
}
