//! The answers a balancer gives by itself: redirects, fixed responses and errors.

use http::request::Parts;
use http::{HeaderValue, Response, StatusCode, header};

use super::conditions;
use super::table::Table;
use crate::rehearsal::edge::body::{Body, answer, full};
use crate::rehearsal::state::Action;

/// A redirect or a fixed response. A forward is not the balancer's own: it is answered with 500.
pub fn respond(action: &Action, request: &Parts, table: &Table) -> Response<Body> {
    match action {
        Action::Redirect { protocol, host, port, path, query, status } => {
            let location = location(request, table, [protocol, host, port, path, query]);
            let Ok(location) = HeaderValue::try_from(location) else { return error(StatusCode::BAD_REQUEST) };
            let mut response = error(StatusCode::from_u16(*status).unwrap_or(StatusCode::FOUND));
            response.headers_mut().insert(header::LOCATION, location);
            response
        }
        Action::Fixed { status, content_type, body } => {
            let mut response = Response::new(full(body.clone()));
            *response.status_mut() = StatusCode::from_u16(*status).unwrap_or(StatusCode::OK);
            if let Ok(kind) = HeaderValue::try_from(content_type) {
                response.headers_mut().insert(header::CONTENT_TYPE, kind);
            }
            signed(response)
        }
        Action::Forward { .. } => error(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

/// A page about a status, as an Application Load Balancer writes it for errors and redirects.
pub fn error(status: StatusCode) -> Response<Body> {
    let title = match status {
        StatusCode::SERVICE_UNAVAILABLE => "503 Service Temporarily Unavailable".to_owned(),
        StatusCode::GATEWAY_TIMEOUT => "504 Gateway Time-out".to_owned(),
        StatusCode::REQUEST_TIMEOUT => "408 Request Time-out".to_owned(),
        other => other.to_string(),
    };
    let page = format!(
        "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n</body>\r\n</html>\r\n"
    );
    signed(answer(status, "text/html", page))
}

fn signed(mut response: Response<Body>) -> Response<Body> {
    response.headers_mut().insert(header::SERVER, HeaderValue::from_static("awselb/2.0"));
    response
}

/// Fills in `#{protocol}`, `#{host}`, `#{port}`, `#{path}` and `#{query}`.
/// Source: Elastic Load Balancing API reference, `RedirectActionConfig`.
fn location(request: &Parts, table: &Table, [protocol, host, port, path, query]: [&String; 5]) -> String {
    let scheme = if table.https { "https" } else { "http" };
    let fill = |template: &str| {
        template
            .replace("#{protocol}", scheme)
            .replace("#{host}", conditions::host(request).unwrap_or_default())
            .replace("#{port}", &table.port.to_string())
            .replace("#{path}", request.uri.path().strip_prefix('/').unwrap_or_default())
            .replace("#{query}", request.uri.query().unwrap_or_default())
    };
    let (protocol, host, port) = (fill(protocol).to_lowercase(), fill(host), fill(port));
    let (path, query) = (fill(path), fill(query));
    let question = if query.is_empty() { "" } else { "?" };
    format!("{protocol}://{host}:{port}{path}{question}{query}")
}
