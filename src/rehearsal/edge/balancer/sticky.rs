//! Stickiness: the cookies that send a client to the group, and to the target, it was sent to before.
//!
//! Law L2: where it is on for groups, the cookie wins over the weights, and a rollback has to reckon with it.
//! A cookie that names a target which was deregistered, is draining or unhealthy is not followed: another is chosen, and
//! the cookie set anew. Source: ALB user guide, "Sticky sessions" and "Target group stickiness". AWS encrypts the values;
//! here they are a hash and the moment they expire, on the rehearsal's clock.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::{HeaderMap, HeaderValue, header};

use super::group::{Forward, Group};
use super::upstream::Upstream;

/// A cookie, and its twin for cross-origin requests.
type Names = [&'static str; 2];

/// Of a target group.
const GROUP: Names = ["AWSALBTG", "AWSALBTGCORS"];
/// Of a target, for a time.
const TARGET: Names = ["AWSALB", "AWSALBCORS"];
/// Of a target, for as long as the application's cookie.
const APPLICATION: Names = ["AWSALBAPP-0", ""];

/// The group the client's cookie names, if the action still forwards to it.
pub fn group<'a>(forward: &'a Forward, headers: &HeaderMap, now: SystemTime) -> Option<&'a Arc<Group>> {
    forward.sticky?;
    let token = sent(headers, GROUP, now)?;
    forward.groups.iter().map(|(group, _)| group).find(|group| group.token == token)
}

/// The target of `group` the client's cookie names, if it takes requests.
pub fn target<'a>(group: &'a Group, headers: &HeaderMap, now: SystemTime) -> Option<&'a Arc<Upstream>> {
    let token = match &group.stickiness.as_ref()?.app_cookie {
        None => sent(headers, TARGET, now)?,
        Some(name) => {
            cookies(headers).find(|(cookie, _)| cookie == name)?;
            sent(headers, APPLICATION, now)?
        }
    };
    group.target(token)
}

/// Sets the cookies on an answer of `target`, one of `group`.
pub fn remember(forward: &Forward, group: &Group, target: &Upstream, headers: &mut HeaderMap, now: SystemTime) {
    if let Some(seconds) = forward.sticky {
        set(headers, GROUP, &group.token, now + Duration::from_secs(seconds.into()));
    }
    let Some(stickiness) = &group.stickiness else { return };
    let until = now + stickiness.lasts;
    match &stickiness.app_cookie {
        None => set(headers, TARGET, &target.token, until),
        // followed only once the application has set its own
        Some(name) if sets(headers, name) => set(headers, APPLICATION, &target.token, until),
        Some(_) => {}
    }
}

/// The token a client's cookie carries, unless its time is over.
fn sent(headers: &HeaderMap, names: Names, now: SystemTime) -> Option<&str> {
    let (_, value) = cookies(headers).find(|(name, _)| names.contains(name))?;
    let (token, until) = value.split_once('.')?;
    let until = UNIX_EPOCH + Duration::from_secs(u64::from_str_radix(until, 16).ok()?);
    (until > now).then_some(token)
}

fn cookies(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
}

/// Whether an answer sets the cookie of that name.
fn sets(headers: &HeaderMap, name: &str) -> bool {
    let set = headers.get_all(header::SET_COOKIE).iter().filter_map(|value| value.to_str().ok());
    set.filter_map(|value| value.split_once('=')).any(|(cookie, _)| cookie.trim() == name)
}

fn set(headers: &mut HeaderMap, [plain, cors]: Names, token: &str, until: SystemTime) {
    let seconds = until.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let expires = i64::try_from(seconds).ok().and_then(|s| jiff::Timestamp::from_second(s).ok()).unwrap_or_default();
    let rest = format!("{token}.{seconds:x}; Expires={}; Path=/", expires.strftime("%a, %d %b %Y %H:%M:%S GMT"));
    let mut append = |cookie: String| {
        if let Ok(value) = HeaderValue::try_from(cookie) {
            headers.append(header::SET_COOKIE, value);
        }
    };
    append(format!("{plain}={rest}"));
    if !cors.is_empty() {
        append(format!("{cors}={rest}; SameSite=None; Secure"));
    }
}
