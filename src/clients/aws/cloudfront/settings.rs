//! The port's settings and CloudFront's whole configuration, into each other. Writing touches what the settings name
//! and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_cloudfront::types::{self as aws, DistributionConfig};
use aws_smithy_types::error::operation::BuildError;

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

/// Nothing where the text is empty: AWS spells "none" so.
fn some(text: Option<&str>) -> Option<String> {
    text.filter(|text| !text.is_empty()).map(str::to_owned)
}

// --- reading ---

pub(super) fn read(config: Option<&DistributionConfig>) -> Settings {
    let Some(config) = config else { return empty() };
    let origins = config.origins().map(aws::Origins::items).unwrap_or_default();
    let paths = config.cache_behaviors().map(aws::CacheBehaviors::items).unwrap_or_default();
    let errors = config.custom_error_responses().map(aws::CustomErrorResponses::items).unwrap_or_default();
    Settings {
        enabled: config.enabled(),
        aliases: super::aliases(config.aliases()),
        certificate: certificate(config.viewer_certificate()),
        default_root: config.default_root_object().unwrap_or_default().to_owned(),
        http: config.http_version().map_or("http2", aws::HttpVersion::as_str).to_owned(),
        origins: origins.iter().map(|origin| (origin.id().to_owned(), read_origin(origin))).collect(),
        default: config.default_cache_behavior().map_or_else(behavior, read_default),
        paths: paths.iter().map(|path| (path.path_pattern().to_owned(), read_path(path))).collect(),
        error_pages: errors.iter().filter_map(read_error).collect(),
        logs: config
            .logging()
            .filter(|logging| logging.enabled())
            .map(|logging| (logging.bucket().to_owned(), logging.prefix().to_owned())),
    }
}

fn empty() -> Settings {
    Settings {
        enabled: false,
        aliases: BTreeSet::new(),
        certificate: Certificate::Own,
        default_root: String::new(),
        http: String::new(),
        origins: BTreeMap::new(),
        default: behavior(),
        paths: Vec::new(),
        error_pages: BTreeMap::new(),
        logs: None,
    }
}

fn behavior() -> Behavior {
    Behavior {
        origin: String::new(),
        viewers: String::new(),
        compress: false,
        methods: BTreeSet::new(),
        cache: None,
        request: None,
        headers: None,
        function: None,
    }
}

fn certificate(of: Option<&aws::ViewerCertificate>) -> Certificate {
    let acm = of.and_then(|of| some(of.acm_certificate_arn()));
    let iam = of.and_then(|of| some(of.iam_certificate_id()));
    let tls = of.and_then(aws::ViewerCertificate::minimum_protocol_version);
    match (acm, iam) {
        (Some(arn), _) => Certificate::Acm { arn, tls: tls.map_or("TLSv1", |tls| tls.as_str()).to_owned() },
        (None, Some(id)) => Certificate::Iam(id),
        (None, None) => Certificate::Own,
    }
}

fn read_origin(of: &aws::Origin) -> Origin {
    Origin {
        domain: of.domain_name().to_owned(),
        path: of.origin_path().unwrap_or_default().to_owned(),
        access: some(of.origin_access_control_id()),
        bucket: of.s3_origin_config().is_some(),
    }
}

fn read_error(of: &aws::CustomErrorResponse) -> Option<(u16, ErrorPage)> {
    let status = some(of.response_code()).and_then(|status| status.parse().ok());
    let page = some(of.response_page_path()).zip(status);
    let kept = of.error_caching_min_ttl().and_then(|ttl| u32::try_from(ttl).ok()).unwrap_or(10);
    Some((u16::try_from(of.error_code()).ok()?, ErrorPage { page, kept }))
}

/// The two kinds of behaviours have the same members, in types of their own.
macro_rules! read_behavior {
    ($of:expr) => {{
        let of = $of;
        let methods = of.allowed_methods().map(aws::AllowedMethods::items).unwrap_or_default();
        let functions = of.function_associations().map(aws::FunctionAssociations::items).unwrap_or_default();
        let viewer = functions.iter().find(|f| f.event_type() == &aws::EventType::ViewerRequest);
        Behavior {
            origin: of.target_origin_id().to_owned(),
            viewers: of.viewer_protocol_policy().as_str().to_owned(),
            compress: of.compress().unwrap_or(false),
            methods: methods.iter().map(|method| method.as_str().to_owned()).collect(),
            cache: some(of.cache_policy_id()),
            request: some(of.origin_request_policy_id()),
            headers: some(of.response_headers_policy_id()),
            function: viewer.map(|f| name_of(f.function_arn()).to_owned()),
        }
    }};
}

fn read_default(of: &aws::DefaultCacheBehavior) -> Behavior {
    read_behavior!(of)
}

fn read_path(of: &aws::CacheBehavior) -> Behavior {
    read_behavior!(of)
}

fn name_of(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

// --- writing ---

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
