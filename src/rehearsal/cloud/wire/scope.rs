//! Who signed a request, for which service: the `SigV4` credential scope tells the services of one address apart.

use http::HeaderMap;

/// The credential of a signed request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// Access key id.
    pub key: String,
    /// Region.
    pub region: String,
    /// The service's signing name, such as `route53`.
    pub service: String,
}

impl Scope {
    /// Reads `AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/aws4_request, …`, or the same from a presigned query.
    pub fn of(headers: &HeaderMap, query: Option<&str>) -> Option<Self> {
        let credential = match headers.get(http::header::AUTHORIZATION) {
            Some(value) => {
                let value = value.to_str().ok()?.strip_prefix("AWS4-HMAC-SHA256")?;
                let field = value.split(',').find_map(|part| part.trim().strip_prefix("Credential="))?;
                field.to_owned()
            }
            None => form_urlencoded::parse(query?.as_bytes()).find(|(k, _)| k == "X-Amz-Credential")?.1.into_owned(),
        };
        let mut parts = credential.rsplit('/');
        if parts.next()? != "aws4_request" {
            return None;
        }
        let (service, region, _date) = (parts.next()?, parts.next()?, parts.next()?);
        Some(Self { service: service.into(), region: region.into(), key: parts.next()?.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scope_is_read_from_the_header() {
        let mut headers = HeaderMap::new();
        let value = "AWS4-HMAC-SHA256 Credential=outgrow/20260101/us-east-1/route53/aws4_request, SignedHeaders=host, Signature=0";
        headers.insert("authorization", value.parse().unwrap());
        let scope = Scope::of(&headers, None).unwrap();
        assert_eq!((scope.key.as_str(), scope.service.as_str()), ("outgrow", "route53"));
        headers.insert("authorization", "Basic eDp5".parse().unwrap());
        assert_eq!(Scope::of(&headers, None), None);
    }
}
