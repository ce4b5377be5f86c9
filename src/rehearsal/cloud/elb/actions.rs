//! What a listener does with a request, out of and onto the wire.

use std::collections::BTreeSet;

use super::super::super::state::{Action, State};
use super::super::law::Law;
use super::super::wire::{ApiError, Node, refuse};
use super::{facts, forwards_to, users_of};

/// The most target groups of one forward action.
const MOST_GROUPS: usize = 5;

/// Whose action it is: the listener's, or a rule's of it.
pub(super) struct Side<'a> {
    /// The balancer's ARN.
    pub balancer: &'a str,
    /// The listener's protocol.
    pub protocol: &'a str,
    /// The listener's port.
    pub port: u16,
}

/// Reads the one action in a list such as `Actions`.
pub(super) fn read(state: &State, side: &Side, input: &Node, list: &str) -> Result<Action, ApiError> {
    let mut actions = input.items(list);
    if let Some(kind) =
        input.items(list).filter_map(|a| a.get("Type")).find(|t| t.contains('-') && *t != "fixed-response")
    {
        let why = format!("the rehearsal cloud has no '{kind}' action");
        return Err(refuse("InvalidLoadBalancerAction", why));
    }
    let (Some(action), None) = (actions.next(), actions.next()) else {
        return Err(refuse(
            "InvalidLoadBalancerAction",
            "exactly one forward, redirect or fixed-response action is needed",
        ));
    };
    match action.need("Type")? {
        "forward" => forward(state, side.balancer, action),
        "redirect" => redirect(side, action.child("RedirectConfig")),
        "fixed-response" => fixed(action.child("FixedResponseConfig")),
        other => Err(refuse(
            "ValidationError",
            format!(
                "Action type '{other}' must be one of '[redirect, fixed-response, forward, authenticate-oidc, authenticate-cognito, jwt-validation]'"
            ),
        )),
    }
}

fn forward(state: &State, balancer: &str, action: &Node) -> Result<Action, ApiError> {
    let config = action.child("ForwardConfig");
    let mut groups = Vec::new();
    for tuple in config.iter().flat_map(|c| c.items("TargetGroups")) {
        let arn = tuple.need("TargetGroupArn")?;
        let weight = match tuple.get("Weight") {
            None => 1,
            Some(text) => text.parse::<u16>().ok().filter(|w| *w <= 999).ok_or_else(|| {
                let message = format!("The weight '{text}' of target group '{arn}' must be between 0 and 999");
                refuse("ValidationError", message).by(Law::L2)
            })?,
        };
        groups.push((arn.to_owned(), weight));
    }
    match action.get("TargetGroupArn") {
        Some(arn) if groups.is_empty() => groups.push((arn.to_owned(), 1)),
        Some(arn) if groups.len() != 1 || groups[0].0 != arn => {
            let message =
                "The target group ARN and the forward config of an action must name the same one target group";
            return Err(refuse("InvalidLoadBalancerAction", message));
        }
        _ => {}
    }
    if groups.len() > MOST_GROUPS {
        let message = format!("You have {} target groups in one action, and the limit is {MOST_GROUPS}", groups.len());
        return Err(refuse("TooManyTargetGroups", message).by(Law::L2));
    }
    if groups.is_empty() {
        return Err(refuse("InvalidLoadBalancerAction", "A forward action needs a target group"));
    }
    let names: BTreeSet<_> = groups.iter().map(|(arn, _)| arn).collect();
    if names.len() < groups.len() {
        return Err(refuse("ValidationError", "A target group stands twice in one forward action"));
    }
    for (arn, _) in &groups {
        if !state.target_groups.contains_key(arn) {
            return Err(refuse("TargetGroupNotFound", format!("Target groups '{arn}' not found")));
        }
        let (vpc, own) = (facts::text(state, balancer, "vpc"), facts::text(state, arn, "vpc"));
        if vpc != own {
            let message = format!("The target group '{arn}' is not in the VPC '{vpc}' of the load balancer");
            return Err(refuse("InvalidConfigurationRequest", message));
        }
        if users_of(state, arn).any(|user| user != balancer) {
            let message =
                format!("The following target groups cannot be associated with more than one load balancer: {arn}");
            return Err(refuse("TargetGroupAssociationLimit", message));
        }
    }
    let sticky = config.and_then(|c| c.child("TargetGroupStickinessConfig"));
    let sticky = match sticky.filter(|s| s.get("Enabled") == Some("true")) {
        None => None,
        Some(sticky) => match sticky.number::<u32>("DurationSeconds")? {
            Some(seconds @ 1..=604_800) => Some(seconds),
            _ => {
                return Err(refuse("ValidationError", "The stickiness duration must be between 1 and 604800 seconds")
                    .by(Law::L2));
            }
        },
    };
    Ok(Action::Forward { groups, sticky })
}

fn redirect(side: &Side, config: Option<&Node>) -> Result<Action, ApiError> {
    let config = config.ok_or_else(|| refuse("InvalidLoadBalancerAction", "A redirect action needs its config"))?;
    let or = |name: &str, default: &str| config.get(name).unwrap_or(default).to_owned();
    let wrong = |what: &str, value: &str, must: &str| {
        Err(refuse("ValidationError", format!("The {what} '{value}' of a redirect must {must}")))
    };
    let status = match config.need("StatusCode")? {
        "HTTP_301" => 301,
        "HTTP_302" => 302,
        other => return wrong("status code", other, "be HTTP_301 or HTTP_302"),
    };
    let (protocol, host, port) = (or("Protocol", "#{protocol}"), or("Host", "#{host}"), or("Port", "#{port}"));
    let path = or("Path", "/#{path}");
    // An empty query is one that is dropped.
    let query = config.child("Query").map_or_else(|| "#{query}".to_owned(), |query| query.text.clone());
    if !matches!(protocol.as_str(), "HTTP" | "HTTPS" | "#{protocol}") {
        return wrong("protocol", &protocol, "be HTTP, HTTPS or #{protocol}");
    }
    if port != "#{port}" && !port.parse::<u16>().is_ok_and(|p| p > 0) {
        return wrong("port", &port, "be between 1 and 65535, or #{port}");
    }
    if !path.starts_with('/') || path.chars().count() > 128 {
        return wrong("path", &path, "begin with '/' and have at most 128 characters");
    }
    if host.chars().count() > 128 {
        return wrong("host", &host, "have at most 128 characters");
    }
    if query.starts_with('?') || query.chars().count() > 128 {
        return wrong("query", &query, "have at most 128 characters and no leading '?'");
    }
    if side.protocol == "HTTPS" && protocol == "HTTP" {
        let message = "The redirect configuration is not valid because HTTPS cannot be redirected to HTTP.";
        return Err(refuse("InvalidLoadBalancerAction", message));
    }
    let same_protocol = protocol == "#{protocol}" || protocol == side.protocol;
    let same_port = port == "#{port}" || port == side.port.to_string();
    let same_query = query == "#{query}";
    if same_protocol && same_port && host == "#{host}" && path == "/#{path}" && same_query {
        let message = "The redirect configuration is not valid because it creates a loop.";
        return Err(refuse("InvalidLoadBalancerAction", message));
    }
    Ok(Action::Redirect { protocol, host, port, path, query, status })
}

/// What a fixed response may be (`ELBv2` API: `FixedResponseActionConfig`).
const CONTENT_TYPES: [&str; 5] = ["text/plain", "text/css", "text/html", "application/javascript", "application/json"];

fn fixed(config: Option<&Node>) -> Result<Action, ApiError> {
    let config =
        config.ok_or_else(|| refuse("InvalidLoadBalancerAction", "A fixed-response action needs its config"))?;
    let code = config.need("StatusCode")?;
    let status = code.parse::<u16>().ok().filter(|s| matches!(s, 200..=299 | 400..=599));
    let status =
        status.ok_or_else(|| refuse("ValidationError", format!("The status code '{code}' must be 2XX, 4XX or 5XX")))?;
    let body = config.get("MessageBody").unwrap_or_default().to_owned();
    if body.chars().count() > 1024 {
        return Err(refuse("ValidationError", "The message body of a fixed response has at most 1024 characters"));
    }
    let content_type = config.get("ContentType").unwrap_or("text/plain");
    if !CONTENT_TYPES.contains(&content_type) {
        let words = CONTENT_TYPES.join(", ");
        let message = format!("The content type '{content_type}' of a fixed response must be one of '[{words}]'");
        return Err(refuse("ValidationError", message));
    }
    Ok(Action::Fixed { status, content_type: content_type.to_owned(), body })
}

/// An action as it is described.
pub(super) fn node(action: &Action) -> Node {
    match action {
        Action::Forward { groups, sticky } => {
            let only = if groups.len() == 1 { forwards_to(action).next() } else { None };
            let tuples = groups.iter().map(|(arn, w)| Node::default().put("TargetGroupArn", arn).put("Weight", w));
            let stickiness = Node::new("TargetGroupStickinessConfig").put("Enabled", sticky.is_some());
            let stickiness = stickiness.put_some("DurationSeconds", *sticky);
            let config = Node::new("ForwardConfig").list("TargetGroups", "member", tuples).with(stickiness);
            Node::default().put("Type", "forward").put_some("TargetGroupArn", only).with(config)
        }
        Action::Redirect { protocol, host, port, path, query, status } => Node::default().put("Type", "redirect").with(
            Node::new("RedirectConfig")
                .put("Protocol", protocol)
                .put("Host", host)
                .put("Port", port)
                .put("Path", path)
                .put("Query", query)
                .put("StatusCode", format!("HTTP_{status}")),
        ),
        Action::Fixed { status, content_type, body } => Node::default().put("Type", "fixed-response").with(
            Node::new("FixedResponseConfig")
                .put("StatusCode", status)
                .put("ContentType", content_type)
                .put("MessageBody", body),
        ),
    }
}
