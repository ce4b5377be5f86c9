//! What the distribution should do: from the site file, and from the rules of the box's own web server.

use std::collections::{BTreeMap, BTreeSet};

use super::same::MADE;
use crate::clients::Kind;
use crate::clients::distributions::{Behavior, Certificate, ErrorPage, Origin, Settings};
use crate::clients::viewer_function::Rules;
use crate::rewrite::nginx::{self, Pages};
use crate::step::{Fault, Look, StepResult};
use crate::steps::targets::proxy;

/// The ids of policies that AWS manages, the same in every account. Source: CloudFront guide,
/// using-managed-cache-policies, using-managed-origin-request-policies, using-managed-response-headers-policies.
const CACHING_OPTIMIZED: &str = "658327ea-f89d-4fab-a63d-7e88639e58f6";
const CACHING_DISABLED: &str = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad";
const ALL_BUT_HOST: &str = "b689b0a8-53d0-40ab-baf2-68738e2966ac";
const SECURITY_HEADERS: &str = "67f7725c-6f97-4210-82d7-5512b31e9d03";

/// The least TLS of a distribution that outgrow sets.
const TLS: &str = "TLSv1.2_2021";
/// Those that are too old.
const OLD_TLS: [&str; 4] = ["SSLv3", "TLSv1", "TLSv1_2016", "TLSv1.1_2016"];
/// Seconds an error is kept: a file that goes up a moment after it was asked for is seen soon.
const KEPT: u32 = 10;
/// The id of the origin that is the bucket.
const PAGES: &str = "outgrow-pages";
/// The id of the origin that is the API.
const API: &str = "outgrow-api";

/// What the box's web server does with paths that are no file.
pub(super) async fn rules_of_box(look: &Look) -> StepResult<Pages> {
    match proxy::tree(look, &look.site.old.web.container).await {
        Ok(tree) => Ok(tree.map(|tree| nginx::pages(&tree)).unwrap_or_default()),
        // A web server that is no nginx says nothing that could be read; `check` tells of it.
        Err(Fault::Failed { .. }) => Ok(Pages::default()),
        Err(other) => Err(other),
    }
}

/// Whether the box's web server is an nginx whose rules can be read.
pub(super) async fn is_nginx(look: &Look) -> StepResult<bool> {
    match look.old.read_file(&look.site.old.web.container, "/etc/nginx/nginx.conf").await {
        Ok(_) => Ok(true),
        Err(error) if matches!(error.kind, Kind::NotFound | Kind::Refused) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// A distribution to be made, and what its function does.
pub(super) fn new(look: &Look, certificate: Option<String>, pages: &Pages) -> (Settings, Option<Rules>) {
    let aws = &look.site.aws;
    let mut settings = Settings {
        enabled: true,
        aliases: names(look),
        certificate: shown(certificate),
        default_root: pages.index().to_owned(),
        http: "http2and3".into(),
        origins: BTreeMap::from([(PAGES.to_owned(), bucket(look))]),
        default: Behavior {
            origin: PAGES.into(),
            viewers: "redirect-to-https".into(),
            compress: true,
            methods: methods(&["GET", "HEAD"]),
            cache: Some(CACHING_OPTIMIZED.into()),
            request: None,
            headers: aws.pages.security_headers.then(|| SECURITY_HEADERS.to_owned()),
            function: Some(super::own_name(look)),
        },
        paths: Vec::new(),
        error_pages: BTreeMap::new(),
        logs: None,
    };
    beside(look, &mut settings, pages);
    (settings, Some(rules(look, pages)))
}

/// A distribution that is there, set right with as little as that takes.
pub(super) async fn adopted(
    look: &Look,
    live: &Settings,
    certificate: Option<String>,
    pages: &Pages,
) -> StepResult<(Settings, Option<Rules>)> {
    let mut settings = live.clone();
    settings.enabled = true;
    settings.aliases.extend(names(look));
    if !covered(look, live).await? {
        settings.certificate = shown(certificate);
    }
    if let Certificate::Acm { tls, .. } = &mut settings.certificate
        && OLD_TLS.contains(&tls.as_str())
    {
        TLS.clone_into(tls);
    }
    if settings.default_root.is_empty() {
        pages.index().clone_into(&mut settings.default_root);
    }
    "http2and3".clone_into(&mut settings.http);
    let id = origin_of(look, live).unwrap_or_else(|| PAGES.to_owned());
    let origin = settings.origins.entry(id.clone()).or_insert_with(|| bucket(look));
    if origin.access.is_none() {
        // One that is read with an older identity is let in by an access control instead.
        (origin.access, origin.identity) = (Some(MADE.to_owned()), None);
    }
    settings.default.origin = id;
    if settings.default.viewers == "allow-all" {
        "redirect-to-https".clone_into(&mut settings.default.viewers);
    }
    settings.default.compress = true;
    if settings.default.headers.is_none() && look.site.aws.pages.security_headers {
        settings.default.headers = Some(SECURITY_HEADERS.into());
    }
    let rules = live.default.function.is_none().then(|| rules(look, pages));
    if rules.is_some() {
        settings.default.function = Some(super::own_name(look));
    }
    beside(look, &mut settings, pages);
    Ok((settings, rules))
}

/// Error pages, the API's paths and logs, where they are not set already.
fn beside(look: &Look, settings: &mut Settings, pages: &Pages) {
    let own = &look.site.aws.pages;
    if let (false, Some(api)) = (own.api_paths.is_empty(), look.site.names.api.first()) {
        let server =
            || Origin { domain: api.clone(), path: String::new(), access: None, identity: None, bucket: false };
        settings.origins.entry(API.to_owned()).or_insert_with(server);
        for path in &own.api_paths {
            if settings.paths.iter().all(|(taken, _)| taken != path) {
                settings.paths.push((path.clone(), to_api()));
            }
        }
    }
    // Error pages are those of the whole distribution: with paths of the API on it they would take the place of the
    // API's own errors. The function sends visitors to the application then.
    if own.api_paths.is_empty() {
        let page = match (&pages.fallback, &pages.not_found) {
            (Some(page), _) => Some((page.clone(), 200)),
            (None, Some(page)) => Some((page.clone(), 404)),
            (None, None) => None,
        };
        if let Some(page) = page {
            // Law C3: a key that is not there answers 403.
            for status in [403, 404] {
                let page = ErrorPage { page: Some(page.clone()), kept: KEPT };
                settings.error_pages.entry(status).or_insert(page);
            }
        }
    }
    if let (None, Some(bucket)) = (&settings.logs, &own.log_bucket) {
        settings.logs = Some((format!("{bucket}.s3.amazonaws.com"), format!("{}/", look.site.site)));
    }
}

fn to_api() -> Behavior {
    Behavior {
        origin: API.into(),
        viewers: "https-only".into(),
        compress: false,
        methods: methods(&["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"]),
        cache: Some(CACHING_DISABLED.into()),
        // Without the visitor's Host: the API answers to its own name, and has a certificate for it.
        request: Some(ALL_BUT_HOST.into()),
        headers: None,
        function: None,
    }
}

fn methods(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn names(look: &Look) -> BTreeSet<String> {
    look.site.names.pages.iter().map(|name| name.to_ascii_lowercase()).collect()
}

fn shown(certificate: Option<String>) -> Certificate {
    Certificate::Acm { arn: certificate.unwrap_or_else(|| MADE.to_owned()), tls: TLS.into() }
}

/// The bucket as an origin: by its REST endpoint, as an access control needs (law C2).
fn bucket(look: &Look) -> Origin {
    let aws = &look.site.aws;
    let domain = format!("{}.s3.{}.amazonaws.com", aws.bucket, aws.region);
    Origin { domain, path: String::new(), access: Some(MADE.into()), identity: None, bucket: true }
}

/// The id of the origin that is the site's bucket.
pub(super) fn origin_of(look: &Look, settings: &Settings) -> Option<String> {
    let name = format!("{}.s3", look.site.aws.bucket);
    let is = |origin: &Origin| {
        origin.bucket && origin.domain.strip_prefix(&name).is_some_and(|rest| rest.starts_with(['.', '-']))
    };
    settings.origins.iter().find(|(_, origin)| is(origin)).map(|(id, _)| id.clone())
}

/// What a function has to do: folders get their index page, which a bucket does not give them (law C3).
fn rules(look: &Look, pages: &Pages) -> Rules {
    let fallback = pages.fallback.clone().filter(|_| !look.site.aws.pages.api_paths.is_empty());
    Rules { index: Some(pages.index().to_owned()), fallback, ..Rules::default() }
}

/// Whether the certificate it shows covers every name.
async fn covered(look: &Look, live: &Settings) -> StepResult<bool> {
    Ok(match &live.certificate {
        Certificate::Own => false,
        // What an IAM certificate covers cannot be seen here; CloudFront refuses names that it does not.
        Certificate::Iam(_) => true,
        Certificate::Acm { arn, .. } => {
            let found = look.certificates.certificate(arn).await?;
            found.is_some_and(|found| found.listed.covers_all(&look.site.names.pages))
        }
    })
}
