//! CloudFront's whole configuration as the port's settings.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_cloudfront::types::{self as aws, DistributionConfig};

use crate::clients::distributions::{Behavior, Certificate, ErrorPage, Origin, Settings};

/// Nothing where the text is empty: AWS spells "none" so.
fn some(text: Option<&str>) -> Option<String> {
    text.filter(|text| !text.is_empty()).map(str::to_owned)
}

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

pub(super) fn certificate(of: Option<&aws::ViewerCertificate>) -> Certificate {
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
        identity: some(of.s3_origin_config().map(aws::S3OriginConfig::origin_access_identity)),
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
