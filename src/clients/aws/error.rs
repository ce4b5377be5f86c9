//! What AWS answers when it says no, told by what the caller must do about it.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::display::DisplayErrorContext;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use crate::clients::{ClientError, Kind};

/// Translates a failed call. `what` is what was tried, `action` the IAM action it needs.
#[allow(clippy::needless_pass_by_value)] // it is what `map_err` gives
pub(super) fn explain<E>(what: impl Into<String>, action: &str, error: SdkError<E, HttpResponse>) -> ClientError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let what = what.into();
    match &error {
        SdkError::ServiceError(service) => {
            let status = service.raw().status().as_u16();
            let meta = service.err().meta();
            let id = meta.extra("aws_request_id").or_else(|| request_id(service.raw()));
            answered(what, action, status, meta.code(), meta.message(), id)
        }
        // An answer came that the SDK could not read: a proxy's page, or a body that broke off.
        SdkError::ResponseError(response) => {
            let status = response.raw().status().as_u16();
            let kind = match status {
                403 => Kind::Denied,
                300..=499 => Kind::Refused,
                _ => Kind::Unanswered,
            };
            let why = format!("status {status}, and the answer could not be read: {}", chain(&error));
            hinted(ClientError::new(kind, what, why), action)
        }
        SdkError::ConstructionFailure(_) => ClientError::new(Kind::Refused, what, chain(&error)),
        _ => {
            let why = chain(&error);
            if why.contains("credential") {
                return ClientError::new(Kind::Denied, what, why)
                    .hint("no AWS credentials were found: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run `aws sso login`");
            }
            ClientError::new(Kind::Unanswered, what, why)
        }
    }
}

/// The judgement, free of the SDK's types.
pub(super) fn answered(
    what: String,
    action: &str,
    status: u16,
    code: Option<&str>,
    message: Option<&str>,
    id: Option<&str>,
) -> ClientError {
    let kind = kind_of(status, code, message.unwrap_or_default());
    let mut why = match (code, message.filter(|m| !m.is_empty())) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(code), None) => format!("{code} (status {status})"),
        (None, Some(message)) => format!("status {status}: {message}"),
        (None, None) => format!("status {status}"),
    };
    if let Some(id) = id {
        why = format!("{why} (request {id})");
    }
    hinted(ClientError::new(kind, what, why), action)
}

/// What an error code means for the caller. A status without a code is all that a HEAD gives.
fn kind_of(status: u16, code: Option<&str>, message: &str) -> Kind {
    let Some(code) = code else {
        return match status {
            404 => Kind::NotFound,
            401 | 403 => Kind::Denied,
            409 | 412 => Kind::Conflict,
            429 | 503 => Kind::Throttled,
            500.. => Kind::Unanswered,
            _ => Kind::Refused,
        };
    };
    match code {
        "Throttling"
        | "ThrottlingException"
        | "Throttled"
        | "ThrottledException"
        | "RequestThrottled"
        | "RequestThrottledException"
        // Law C6: so many invalidations are under way that no more are taken until some are done.
        | "TooManyInvalidationsInProgress"
        | "RequestLimitExceeded"
        | "TooManyRequestsException"
        | "SlowDown"
        | "PriorRequestNotComplete"
        | "BandwidthLimitExceeded" => Kind::Throttled,
        "AccessDenied"
        | "AccessDeniedException"
        | "UnauthorizedOperation"
        | "AuthFailure"
        | "Forbidden"
        | "InvalidAccessKeyId"
        | "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "SignatureDoesNotMatch"
        | "MissingAuthenticationToken"
        | "ExpiredToken"
        | "ExpiredTokenException"
        | "RequestExpired"
        | "RequestTimeTooSkewed"
        | "AllAccessDisabled"
        | "OptInRequired" => Kind::Denied,
        // Of a batch that is wrong in itself nothing helps; one that lost a compare-and-swap is a conflict (law R2).
        "InvalidChangeBatch" if lost_swap(message) => Kind::Conflict,
        "PreconditionFailed"
        | "ConditionalRequestConflict"
        | "OperationAborted"
        | "BucketAlreadyOwnedByYou"
        | "ResourceInUseException"
        | "InvalidIfMatchVersion"
        | "DistributionNotDisabled"
        | "BucketNotEmpty"
        | "Conflict" => Kind::Conflict,
        _ if code.starts_with("Duplicate") || code.ends_with("AlreadyExists") => Kind::Conflict,
        _ if code.ends_with("InUse") => Kind::Conflict,
        _ if code.starts_with("NoSuch") || code.contains("NotFound") => Kind::NotFound,
        _ if status >= 500 => Kind::Unanswered,
        _ => Kind::Refused,
    }
}

/// Whether Route 53's message says that the present values are not those a batch named.
pub(super) fn lost_swap(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    message.contains("tried to delete") || message.contains("already exists")
}

fn hinted(error: ClientError, action: &str) -> ClientError {
    match error.kind {
        Kind::Denied => error.hint(format!("allow {action} for these credentials, or use others")),
        _ => error,
    }
}

/// The request's id, from the headers or from the body of an XML answer.
fn request_id(raw: &HttpResponse) -> Option<&str> {
    let in_body = || {
        let body = std::str::from_utf8(raw.body().bytes()?).ok()?;
        Some(body.split_once("<RequestId>")?.1.split_once("</RequestId>")?.0)
    };
    ["x-amzn-requestid", "x-amz-request-id"].iter().find_map(|name| raw.headers().get(name)).or_else(in_body)
}

fn chain(error: &(impl std::error::Error + Send + Sync)) -> String {
    // The context ends with a dump of the whole error; the causes stand before it.
    let text = DisplayErrorContext(error).to_string();
    text.split(" (").next().unwrap_or(&text).to_owned()
}

/// Lets `NotFound` through as `None`.
pub(super) fn unless_missing<T>(result: Result<T, ClientError>) -> Result<Option<T>, ClientError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind == Kind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_told_apart_by_what_to_do() {
        let cases = [
            (400, Some("Throttling"), "", Kind::Throttled),
            (503, Some("SlowDown"), "", Kind::Throttled),
            (400, Some("PriorRequestNotComplete"), "", Kind::Throttled),
            (403, Some("AccessDenied"), "", Kind::Denied),
            (403, None, "", Kind::Denied),
            (404, None, "", Kind::NotFound),
            (404, Some("NoSuchKey"), "", Kind::NotFound),
            (400, Some("LoadBalancerNotFound"), "", Kind::NotFound),
            (404, Some("DBInstanceNotFound"), "", Kind::NotFound),
            (412, Some("PreconditionFailed"), "", Kind::Conflict),
            (400, Some("DuplicateTargetGroupName"), "", Kind::Conflict),
            (400, Some("PriorityInUse"), "", Kind::Conflict),
            (400, Some("ResourceInUse"), "", Kind::Conflict),
            (409, Some("CNAMEAlreadyExists"), "", Kind::Conflict),
            (409, Some("DistributionNotDisabled"), "", Kind::Conflict),
            (409, Some("FunctionInUse"), "", Kind::Conflict),
            (400, Some("ResourceInUseException"), "", Kind::Conflict),
            (400, Some("TooManyInvalidationsInProgress"), "", Kind::Throttled),
            (404, Some("NoSuchDistribution"), "", Kind::NotFound),
            (
                400,
                Some("InvalidChangeBatch"),
                "Tried to delete resource record set x but it was not found",
                Kind::Conflict,
            ),
            (400, Some("InvalidChangeBatch"), "Value 256 is not a weight", Kind::Refused),
            (400, Some("ValidationError"), "", Kind::Refused),
            (500, Some("InternalError"), "", Kind::Unanswered),
            (502, None, "", Kind::Unanswered),
        ];
        for (status, code, message, kind) in cases {
            assert_eq!(kind_of(status, code, message), kind, "{status} {code:?} {message}");
        }
    }

    #[test]
    fn the_message_carries_code_text_and_request_and_the_hint_the_action() {
        let error = answered(
            "list zones".into(),
            "route53:ListHostedZones",
            403,
            Some("AccessDenied"),
            Some("no"),
            Some("r-1"),
        );
        assert_eq!(error.to_string(), "list zones: AccessDenied: no (request r-1)");
        assert!(error.hint.is_some_and(|hint| hint.contains("route53:ListHostedZones")));
    }
}
