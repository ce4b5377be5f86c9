//! The port's settings into CloudFront's whole configuration: what the settings name is written, and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_cloudfront::types::{self as aws, DistributionConfig};
use aws_smithy_types::error::operation::BuildError;

use super::read::certificate;
use crate::clients::distributions::{Behavior, Certificate, ErrorPage, Origin, Settings};

/// ARNs of functions by their names.
pub(super) type Arns = BTreeMap<String, String>;

type Built<T> = Result<T, BuildError>;

/// The names of settings, for a message.
pub(super) fn names(settings: &Settings) -> String {
    settings.aliases.iter().cloned().collect::<Vec<_>>().join(", ")
}

fn count(of: usize) -> i32 {
    i32::try_from(of).unwrap_or(i32::MAX)
}

/// A new configuration.
pub(super) fn new(reference: &str, comment: &str, settings: &Settings, arns: &Arns) -> Built<DistributionConfig> {
    let mut config = DistributionConfig::builder()
        .caller_reference(reference)
        .comment(comment)
        .enabled(settings.enabled)
        .is_ipv6_enabled(true)
        .default_cache_behavior(fresh_default(&settings.default)?)
        .build()?;
    write(&mut config, settings, arns)?;
    Ok(config)
}

/// Sets what the settings name.
pub(super) fn write(config: &mut DistributionConfig, settings: &Settings, arns: &Arns) -> Built<()> {
    config.enabled = settings.enabled;
    config.aliases = Some(write_aliases(&settings.aliases)?);
    write_certificate(config, &settings.certificate);
    config.default_root_object = Some(settings.default_root.clone());
    config.http_version = Some(aws::HttpVersion::from(settings.http.as_str()));
    config.origins = Some(write_origins(config.origins.take(), &settings.origins)?);
    match &mut config.default_cache_behavior {
        Some(live) => write_default(live, &settings.default, arns)?,
        missing => {
            let mut fresh = fresh_default(&settings.default)?;
            write_default(&mut fresh, &settings.default, arns)?;
            *missing = Some(fresh);
        }
    }
    config.cache_behaviors = Some(write_paths(config.cache_behaviors.take(), &settings.paths, arns)?);
    config.custom_error_responses = Some(write_errors(&settings.error_pages)?);
    write_logs(config, settings.logs.as_ref());
    Ok(())
}

fn write_aliases(names: &BTreeSet<String>) -> Built<aws::Aliases> {
    let list = aws::Aliases::builder().quantity(count(names.len()));
    let items = (!names.is_empty()).then(|| names.iter().cloned().collect());
    list.set_items(items).build()
}

fn write_certificate(config: &mut DistributionConfig, wanted: &Certificate) {
    if certificate(config.viewer_certificate()) == *wanted {
        return;
    }
    let made = aws::ViewerCertificate::builder();
    config.viewer_certificate = Some(match wanted {
        Certificate::Own => made.cloud_front_default_certificate(true).build(),
        Certificate::Acm { arn, tls } => made
            .acm_certificate_arn(arn)
            .ssl_support_method(aws::SslSupportMethod::SniOnly)
            .minimum_protocol_version(aws::MinimumProtocolVersion::from(tls.as_str()))
            .build(),
        Certificate::Iam(id) => made
            .iam_certificate_id(id)
            .ssl_support_method(aws::SslSupportMethod::SniOnly)
            .minimum_protocol_version(aws::MinimumProtocolVersion::TlSv122021)
            .build(),
    });
}

fn write_logs(config: &mut DistributionConfig, wanted: Option<&(String, String)>) {
    let live = config.logging().filter(|logging| logging.enabled());
    if live.map(|logging| (logging.bucket(), logging.prefix())) == wanted.map(|(b, p)| (b.as_str(), p.as_str())) {
        return;
    }
    let (bucket, prefix) = wanted.map(|(b, p)| (b.as_str(), p.as_str())).unwrap_or_default();
    let logging = aws::LoggingConfig::builder().enabled(wanted.is_some()).include_cookies(false);
    config.logging = Some(logging.bucket(bucket).prefix(prefix).build());
}

fn write_origins(live: Option<aws::Origins>, wanted: &BTreeMap<String, Origin>) -> Built<aws::Origins> {
    let live = live.map(|live| live.items).unwrap_or_default();
    let mut items = Vec::new();
    for (id, origin) in wanted {
        let mut one = match live.iter().find(|one| one.id == *id) {
            Some(one) => one.clone(),
            None => fresh_origin(id, origin)?,
        };
        one.domain_name.clone_from(&origin.domain);
        one.origin_path = Some(origin.path.clone());
        if let Some(s3) = &mut one.s3_origin_config {
            s3.origin_access_identity = origin.identity.clone().unwrap_or_default();
        }
        one.origin_access_control_id = Some(origin.access.clone().unwrap_or_default());
        items.push(one);
    }
    aws::Origins::builder().quantity(count(items.len())).set_items(Some(items)).build()
}

fn fresh_origin(id: &str, origin: &Origin) -> Built<aws::Origin> {
    let one = aws::Origin::builder().id(id).domain_name(&origin.domain);
    if origin.bucket {
        // With an access control the old identity has to be there and empty (API: S3OriginConfig).
        return one.s3_origin_config(aws::S3OriginConfig::builder().origin_access_identity("").build()).build();
    }
    let tls = aws::OriginSslProtocols::builder().quantity(1).items(aws::SslProtocol::TlSv12).build()?;
    let server = aws::CustomOriginConfig::builder()
        .http_port(80)
        .https_port(443)
        .origin_protocol_policy(aws::OriginProtocolPolicy::HttpsOnly)
        .origin_ssl_protocols(tls)
        .build()?;
    one.custom_origin_config(server).build()
}

fn write_errors(pages: &BTreeMap<u16, ErrorPage>) -> Built<aws::CustomErrorResponses> {
    let items = pages.iter().map(|(status, page)| {
        let (path, answer) = match &page.page {
            Some((path, answer)) => (Some(path.clone()), Some(answer.to_string())),
            None => (None, None),
        };
        aws::CustomErrorResponse::builder()
            .error_code(i32::from(*status))
            .set_response_page_path(path)
            .set_response_code(answer)
            .error_caching_min_ttl(i64::from(page.kept))
            .build()
    });
    let items = items.collect::<Built<Vec<_>>>()?;
    let list = aws::CustomErrorResponses::builder().quantity(count(items.len()));
    list.set_items((!items.is_empty()).then_some(items)).build()
}

fn fresh_default(of: &Behavior) -> Built<aws::DefaultCacheBehavior> {
    let viewers = aws::ViewerProtocolPolicy::from(of.viewers.as_str());
    aws::DefaultCacheBehavior::builder().target_origin_id(&of.origin).viewer_protocol_policy(viewers).build()
}

fn write_methods(live: Option<aws::AllowedMethods>, wanted: &BTreeSet<String>) -> Built<Option<aws::AllowedMethods>> {
    let same = |live: &aws::AllowedMethods| {
        live.items().iter().map(|m| m.as_str().to_owned()).collect::<BTreeSet<_>>() == *wanted
    };
    if wanted.is_empty() || live.as_ref().is_some_and(same) {
        return Ok(live);
    }
    let methods = |names: &mut dyn Iterator<Item = &str>| names.map(aws::Method::from).collect::<Vec<_>>();
    let cached = methods(&mut ["GET", "HEAD"].into_iter());
    let cached = aws::CachedMethods::builder().quantity(count(cached.len())).set_items(Some(cached)).build()?;
    let items = methods(&mut wanted.iter().map(String::as_str));
    let list = aws::AllowedMethods::builder().quantity(count(items.len())).set_items(Some(items));
    list.cached_methods(cached).build().map(Some)
}

fn write_functions(
    live: Option<aws::FunctionAssociations>,
    wanted: Option<&str>,
    arns: &Arns,
) -> Built<Option<aws::FunctionAssociations>> {
    let live = live.map(|live| live.items.unwrap_or_default()).unwrap_or_default();
    let mut items: Vec<_> = live.into_iter().filter(|f| f.event_type != aws::EventType::ViewerRequest).collect();
    if let Some(name) = wanted {
        let arn = arns.get(name).map_or(name, String::as_str);
        let one = aws::FunctionAssociation::builder().function_arn(arn).event_type(aws::EventType::ViewerRequest);
        items.push(one.build()?);
    }
    let list = aws::FunctionAssociations::builder().quantity(count(items.len()));
    list.set_items((!items.is_empty()).then_some(items)).build().map(Some)
}

macro_rules! write_behavior {
    ($live:expr, $wanted:expr, $arns:expr) => {{
        let (live, wanted) = ($live, $wanted);
        live.target_origin_id.clone_from(&wanted.origin);
        live.viewer_protocol_policy = aws::ViewerProtocolPolicy::from(wanted.viewers.as_str());
        live.compress = Some(wanted.compress);
        live.allowed_methods = write_methods(live.allowed_methods.take(), &wanted.methods)?;
        if let Some(cache) = &wanted.cache {
            live.cache_policy_id = Some(cache.clone());
        }
        live.origin_request_policy_id.clone_from(&wanted.request);
        live.response_headers_policy_id.clone_from(&wanted.headers);
        let functions = live.function_associations.take();
        live.function_associations = write_functions(functions, wanted.function.as_deref(), $arns)?;
        Ok(())
    }};
}

fn write_default(live: &mut aws::DefaultCacheBehavior, wanted: &Behavior, arns: &Arns) -> Built<()> {
    write_behavior!(live, wanted, arns)
}

fn write_paths(
    live: Option<aws::CacheBehaviors>,
    wanted: &[(String, Behavior)],
    arns: &Arns,
) -> Built<aws::CacheBehaviors> {
    let live = live.map(|live| live.items.unwrap_or_default()).unwrap_or_default();
    let mut items = Vec::new();
    for (pattern, behavior) in wanted {
        let mut one = match live.iter().find(|one| one.path_pattern == *pattern) {
            Some(one) => one.clone(),
            None => aws::CacheBehavior::builder()
                .path_pattern(pattern)
                .target_origin_id(&behavior.origin)
                .viewer_protocol_policy(aws::ViewerProtocolPolicy::from(behavior.viewers.as_str()))
                .build()?,
        };
        let written: Built<()> = write_behavior!(&mut one, behavior, arns);
        written?;
        items.push(one);
    }
    let list = aws::CacheBehaviors::builder().quantity(count(items.len()));
    list.set_items((!items.is_empty()).then_some(items)).build()
}
