//! The website endpoint of a bucket: index and error documents, redirects. It knows no signatures and no TLS.
//!
//! Source: S3 guide, "Hosting a static website using Amazon S3".

use std::net::SocketAddr;

use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use percent_encoding::percent_decode_str;
use s3s::dto::{GetObjectInput, Protocol, Redirect, RoutingRule, WebsiteConfiguration};
use s3s::{Body, S3Error, S3Result};

use super::caller::{Caller, Head};
use super::store::no_bucket;
use super::{ObjectMeta, Objects, host};

/// The bucket whose website a request is for.
pub(super) fn asked<B>(request: &Request<B>) -> Option<String> {
    let name = request.headers().get(header::HOST)?.to_str().ok()?;
    host::website(name).map(str::to_owned)
}

/// Answers a request for a website.
pub(super) async fn answer<B>(objects: &Objects, bucket: &str, request: &Request<B>) -> Response<Body> {
    let head = Head {
        headers: request.headers(),
        query: request.uri().query(),
        from: request.extensions().get::<SocketAddr>().copied(),
        secure: false,
    };
    let site = Site {
        objects,
        bucket,
        caller: Caller::new(None, &head),
        host: request.headers().get(header::HOST).and_then(|h| h.to_str().ok()).unwrap_or_default(),
        only_head: request.method() == Method::HEAD,
    };
    if request.method() != Method::GET && !site.only_head {
        return site.plain(
            StatusCode::METHOD_NOT_ALLOWED,
            "MethodNotAllowed",
            "The specified method is not allowed against this resource.",
        );
    }
    let config = objects.config(bucket).and_then(|config| config.need::<WebsiteConfiguration>());
    match config {
        Ok(config) => site.serve(&config, request.uri().path()).await,
        Err(error) => site.error(&if objects.has(bucket).is_ok() { error } else { no_bucket() }),
    }
}

struct Site<'a> {
    objects: &'a Objects,
    bucket: &'a str,
    caller: Caller,
    host: &'a str,
    only_head: bool,
}

impl Site<'_> {
    async fn serve(&self, config: &WebsiteConfiguration, path: &str) -> Response<Body> {
        let decoded = percent_decode_str(path).decode_utf8_lossy();
        let key = decoded.strip_prefix('/').unwrap_or(&decoded);
        if let Some(all) = &config.redirect_all_requests_to {
            let scheme = all.protocol.as_ref().map_or("http", Protocol::as_str);
            return redirect(StatusCode::MOVED_PERMANENTLY, &format!("{scheme}://{}{path}", all.host_name));
        }
        let rules = config.routing_rules.as_deref().unwrap_or_default();
        if let Some(rule) = rules.iter().find(|rule| applies(rule, key, None)) {
            return self.routed(rule, key);
        }
        let index = config.index_document.as_ref().map_or("index.html", |index| index.suffix.as_str());
        let wanted = if key.is_empty() || key.ends_with('/') { format!("{key}{index}") } else { key.to_owned() };
        let error = match self.read(&wanted, StatusCode::OK).await {
            Ok(response) => return response,
            Err(error) => error,
        };
        // A folder asked for without its slash is sent to it, if it has an index.
        let folder = format!("{key}/{index}");
        if !key.is_empty() && !key.ends_with('/') && self.objects.meta(self.bucket, &folder).is_some() {
            return redirect(StatusCode::FOUND, &format!("{path}/"));
        }
        let status = error.status_code().unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if let Some(rule) = rules.iter().find(|rule| applies(rule, key, Some(status))) {
            return self.routed(rule, key);
        }
        if let Some(document) = &config.error_document
            && let Ok(response) = self.read(&document.key, status).await
        {
            return response;
        }
        self.error(&error)
    }

    /// An object, if anybody may read it.
    async fn read(&self, key: &str, status: StatusCode) -> S3Result<Response<Body>> {
        self.caller.may(self.objects, "s3:GetObject", self.bucket, Some(key))?;
        let input = GetObjectInput { bucket: self.bucket.to_owned(), key: key.to_owned(), ..Default::default() };
        let meta = self.objects.need(self.bucket, key, None);
        let meta = meta.map_err(|error| self.caller.told(self.objects, self.bucket, error))?;
        if let Some(elsewhere) = &meta.redirect {
            return Ok(redirect(StatusCode::MOVED_PERMANENTLY, elsewhere));
        }
        let output = super::read::get(self.objects, input, &self.caller).await?;
        let mut response = Response::new(match output.body {
            Some(body) if !self.only_head => Body::from(body),
            _ => Body::empty(),
        });
        *response.status_mut() = status;
        describe(response.headers_mut(), &meta);
        Ok(response)
    }

    fn routed(&self, rule: &RoutingRule, key: &str) -> Response<Body> {
        let Redirect { host_name, http_redirect_code, protocol, replace_key_prefix_with, replace_key_with } =
            &rule.redirect;
        let prefix = rule.condition.as_ref().and_then(|c| c.key_prefix_equals.as_deref()).unwrap_or_default();
        let to = match (replace_key_with, replace_key_prefix_with) {
            (Some(key), _) => key.clone(),
            (None, Some(new)) => format!("{new}{}", key.strip_prefix(prefix).unwrap_or(key)),
            (None, None) => key.to_owned(),
        };
        let scheme = protocol.as_ref().map_or("http", Protocol::as_str);
        let code = http_redirect_code.as_deref().and_then(|code| code.parse().ok());
        let status = code.unwrap_or(StatusCode::MOVED_PERMANENTLY);
        redirect(status, &format!("{scheme}://{}/{to}", host_name.as_deref().unwrap_or(self.host)))
    }

    fn error(&self, error: &S3Error) -> Response<Body> {
        let status = error.status_code().unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        self.plain(status, error.code().as_str(), error.message().unwrap_or_default())
    }

    fn plain(&self, status: StatusCode, code: &str, message: &str) -> Response<Body> {
        let title = format!("{} {}", status.as_u16(), status.canonical_reason().unwrap_or_default());
        let page = format!(
            "<html>\n<head><title>{title}</title></head>\n<body>\n<h1>{title}</h1>\n<ul>\n<li>Code: {code}</li>\n<li>Message: \
             {message}</li>\n</ul>\n<hr/>\n</body>\n</html>\n"
        );
        let mut response = Response::new(if self.only_head { Body::empty() } else { Body::from(page) });
        *response.status_mut() = status;
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        response
    }
}

/// Whether a rule speaks of this key, or of this error; before the object is looked for there is none.
fn applies(rule: &RoutingRule, key: &str, error: Option<StatusCode>) -> bool {
    let condition = rule.condition.as_ref();
    let prefix = condition.and_then(|c| c.key_prefix_equals.as_deref()).unwrap_or_default();
    let code = condition.and_then(|c| c.http_error_code_returned_equals.as_deref());
    key.starts_with(prefix) && code.and_then(|code| code.parse().ok()) == error
}

fn redirect(status: StatusCode, to: &str) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    if let Ok(to) = HeaderValue::try_from(to) {
        response.headers_mut().insert(header::LOCATION, to);
    }
    response
}

fn describe(headers: &mut http::HeaderMap, meta: &ObjectMeta) {
    let of = &meta.headers;
    let values = [
        (header::CONTENT_TYPE, Some(of.content_type.clone().unwrap_or_else(|| "binary/octet-stream".to_owned()))),
        (header::CACHE_CONTROL, of.cache_control.clone()),
        (header::CONTENT_ENCODING, of.content_encoding.clone()),
        (header::CONTENT_LENGTH, Some(meta.size.to_string())),
        (header::ETAG, Some(format!("\"{}\"", meta.etag))),
    ];
    for (name, value) in values {
        if let Some(Ok(value)) = value.map(HeaderValue::try_from) {
            headers.insert(name, value);
        }
    }
}
