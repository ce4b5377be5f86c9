//! A request on its way to a target: which group, which target, the one retry that is safe, the errors.

use std::sync::Arc;

use http::request::Parts;
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Body as _;
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;

use super::account::Account;
use super::group::{Forward, Group};
use super::progress::Progress;
use super::reply::{Reply, Upload};
use super::table::Table;
use super::upstream::{NoAnswer, Sent, Upstream};
use super::{headers, own, sticky, tunnel};
use crate::rehearsal::edge::body::{Body, empty};
use crate::rehearsal::edge::listen::Peer;

/// Sends a request to a target of one of the route's groups and streams the answer back.
pub async fn forward(
    route: &Forward,
    mut parts: Parts,
    body: Incoming,
    peer: &Peer,
    table: &Table,
    mut account: Account,
) -> Response<Body> {
    let now = table.clock.now();
    let Some(group) = sticky::group(route, &parts.headers, now).or_else(|| route.pick()) else {
        return account.itself(own::error(StatusCode::SERVICE_UNAVAILABLE));
    };
    let Some(target) = sticky::target(group, &parts.headers, now).or_else(|| group.next()) else {
        return account.itself(own::error(StatusCode::SERVICE_UNAVAILABLE));
    };
    let upgrade = tunnel::protocol(&parts.headers);
    let client = upgrade.is_some().then(|| parts.extensions.remove::<OnUpgrade>()).flatten();
    headers::prepare(&mut parts, peer, table, target.address);
    if let (Some(protocol), Some(_)) = (upgrade, &client) {
        tunnel::keep(&mut parts.headers, protocol);
    }
    let progress = Arc::new(Progress::default());
    account.chosen(group, target, &parts.headers, &progress);
    match exchange(target, parts, body, table, &progress, client).await {
        Ok((mut response, fresh)) => {
            if fresh {
                account.connected();
            }
            sticky::remember(route, group, target, response.headers_mut(), now);
            account.answered(group, response)
        }
        Err(why) => {
            tracing::debug!(target = %target.address, %why, "the balancer answers for a target");
            refuse(&why, group, account)
        }
    }
}

/// The balancer's own answer where a target gave none.
fn refuse(why: &NoAnswer, group: &Group, account: Account) -> Response<Body> {
    if matches!(why, NoAnswer::NotConnected(_) | NoAnswer::ConnectTimeout) {
        account.not_connected(group);
    }
    account.itself(own::error(match why {
        NoAnswer::ConnectTimeout | NoAnswer::Timeout => StatusCode::GATEWAY_TIMEOUT,
        NoAnswer::SlowClient => StatusCode::REQUEST_TIMEOUT,
        NoAnswer::ClientGone => StatusCode::from_u16(460).unwrap_or(StatusCode::BAD_REQUEST),
        NoAnswer::NotConnected(_) | NoAnswer::Left | NoAnswer::Bad(_) => StatusCode::BAD_GATEWAY,
    }))
}

/// Sends the request, and once more on a new connection where the target had closed the used one before a byte of it was
/// written. What may have landed is not sent again, whatever its method: a target whose keep-alive is shorter than the
/// balancer's is seen, as on AWS, by 502 (law L6). Gives the answer, and whether a connection was made for it.
async fn exchange(
    target: &Arc<Upstream>,
    parts: Parts,
    body: Incoming,
    table: &Table,
    progress: &Arc<Progress>,
    client: Option<OnUpgrade>,
) -> Result<(Response<Body>, bool), NoAnswer> {
    let idle = table.settings.idle;
    let under_way = target.begin();
    let body = if body.is_end_stream() {
        progress.completed();
        empty()
    } else {
        Upload::new(body, progress.clone()).boxed_unsync()
    };
    let sending = async {
        match target.send(Request::from_parts(parts, body), false, idle).await {
            Ok(sent) => Ok(sent),
            Err(failed) => match failed.request {
                Some(request) if failed.reused => target.send(request, true, idle).await.map_err(|again| again.why),
                _ => Err(failed.why),
            },
        }
    };
    let sent = tokio::select! {
        sent = sending => sent,
        () = progress.standstill(idle) => {
            Err(if progress.is_complete() { NoAnswer::Timeout } else { NoAnswer::SlowClient })
        }
        () = target.left().cancelled() => Err(NoAnswer::Left),
    };
    let Sent { mut response, sender, fresh } =
        sent.map_err(|why| if progress.is_broken() { NoAnswer::ClientGone } else { why })?;
    let protocol = tunnel::protocol(response.headers());
    headers::without_hops(response.headers_mut());
    if !tunnel::agreed(response.status()) {
        let answered = response.map(|body| Reply::new(body, sender, target.clone(), idle, under_way).boxed_unsync());
        return Ok((answered, fresh));
    }
    let (Some(client), Some(protocol)) = (client, protocol) else {
        return Err(NoAnswer::Bad("it switched protocols unasked".to_owned()));
    };
    tunnel::open(client, hyper::upgrade::on(&mut response), target.clone(), idle, under_way);
    tunnel::keep(response.headers_mut(), protocol);
    Ok((response.map(|_| empty()), fresh))
}
