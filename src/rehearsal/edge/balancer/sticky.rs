//! Target-group stickiness: the cookie that sends a client to the group it was sent to before.
//!
//! Law L2: where it is on, the cookie wins over the weights, and a rollback has to reckon with it.
//! Source: ALB user guide, "Target group stickiness". AWS encrypts the value; here it is a hash of the group's ARN.

use std::sync::Arc;

use http::{HeaderMap, HeaderValue, header};

use super::table::{Forward, Group};

/// The cookie, and its twin for cross-origin requests.
const COOKIE: &str = "AWSALBTG";

/// The group the client's cookie names, if the action still forwards to it.
pub fn group<'a>(forward: &'a Forward, headers: &HeaderMap) -> Option<&'a Arc<Group>> {
    forward.sticky?;
    let token = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == COOKIE || *name == "AWSALBTGCORS")
        .map(|(_, token)| token)?;
    forward.groups.iter().map(|(group, _)| group).find(|group| group.token == token)
}

/// Sets the cookie on an answer from `group`.
pub fn remember(forward: &Forward, group: &Group, headers: &mut HeaderMap) {
    let Some(seconds) = forward.sticky else { return };
    let token = &group.token;
    for cookie in [
        format!("{COOKIE}={token}; Max-Age={seconds}; Path=/"),
        format!("AWSALBTGCORS={token}; Max-Age={seconds}; Path=/; SameSite=None; Secure"),
    ] {
        if let Ok(value) = HeaderValue::try_from(cookie) {
            headers.append(header::SET_COOKIE, value);
        }
    }
}
