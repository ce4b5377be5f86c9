//! Functions. Their code is kept as it is given; what a distribution may run is only what outgrow itself writes.

use std::sync::Arc;
use std::time::SystemTime;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::super::super::state::{ACCOUNT, Function, FunctionStage, State};
use super::super::Cloud;
use super::super::wire::operation::Output;
use super::super::wire::{ApiError, Node, refuse};
use super::{body, cannot, created, distributions, gone, if_match, invalid, page, version};
use crate::clients::viewer_function;

/// Bytes of code. Source: CloudFront guide, cloudfront-limits, "Maximum function size".
const MOST_CODE: usize = 10_240;

fn arn(name: &str) -> String {
    format!("arn:aws:cloudfront::{ACCOUNT}:function/{name}")
}

/// A stage out of the configuration and code of a request.
fn stage(input: &Node, now: SystemTime) -> Result<FunctionStage, ApiError> {
    let missing = |name: &str| invalid(format!("The parameter {name} is required."));
    let config = input.child("FunctionConfig").ok_or_else(|| missing("FunctionConfig"))?;
    if config.child("KeyValueStoreAssociations").is_some_and(|k| k.items("Items").next().is_some()) {
        return Err(cannot("has no key value stores"));
    }
    let runtime = config.get("Runtime").unwrap_or_default();
    if !["cloudfront-js-1.0", "cloudfront-js-2.0"].contains(&runtime) {
        return Err(invalid(format!("The parameter Runtime has no value {runtime}.")));
    }
    let code = input.get("FunctionCode").ok_or_else(|| missing("FunctionCode"))?;
    let code = STANDARD.decode(code.trim()).ok().and_then(|code| String::from_utf8(code).ok());
    let code = code.ok_or_else(|| invalid("The parameter FunctionCode is not UTF-8 text in base64.".into()))?;
    if code.len() > MOST_CODE {
        let message = "The function is too large. The maximum size is 10 KB.";
        return Err(refuse("FunctionSizeLimitExceeded", message).status(413));
    }
    if !code.contains("handler") {
        return Err(invalid("The function code has no function named handler.".into()));
    }
    Ok(FunctionStage {
        etag: version(),
        changed: now,
        comment: config.get("Comment").unwrap_or_default().to_owned(),
        runtime: runtime.to_owned(),
        code: code.into(),
    })
}

fn find<'a>(state: &'a State, input: &'a Node) -> Result<(&'a str, &'a Function), ApiError> {
    let name = input.get("Name").unwrap_or_default();
    let missing = || refuse("NoSuchFunctionExists", "The function does not exist.").status(404);
    state.cdn.functions.get(name).map(|function| (name, function)).ok_or_else(missing)
}

fn at_stage<'a>(function: &'a Function, input: &Node) -> Result<(&'static str, &'a FunctionStage), ApiError> {
    match input.get("Stage") {
        None | Some("DEVELOPMENT") => Ok(("DEVELOPMENT", &function.development)),
        Some("LIVE") => {
            let missing = || refuse("NoSuchFunctionExists", "The function was never published.").status(404);
            function.live.as_ref().map(|live| ("LIVE", live)).ok_or_else(missing)
        }
        Some(other) => Err(invalid(format!("The parameter Stage has no value {other}."))),
    }
}

fn summary(name: &str, function: &Function, (stage, at): (&str, &FunctionStage), runs: bool) -> Node {
    let published = function.live.as_ref().is_some_and(|live| live.code == at.code && live.comment == at.comment);
    let status = match (stage == "LIVE" || published, runs) {
        (true, true) => "DEPLOYED",
        (true, false) => "UNASSOCIATED",
        (false, _) => "UNPUBLISHED",
    };
    Node::new("FunctionSummary")
        .put("Name", name)
        .put("Status", status)
        .with(Node::new("FunctionConfig").put("Comment", &at.comment).put("Runtime", &at.runtime))
        .with(
            Node::new("FunctionMetadata")
                .put("FunctionARN", arn(name))
                .put("Stage", stage)
                .put("CreatedTime", function.created)
                .put("LastModifiedTime", at.changed),
        )
}

pub(super) fn create(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let input = body(input, "CreateFunctionRequest")?;
    let name = input.get("Name").unwrap_or_default().to_owned();
    let letters = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() || name.len() > 64 || !name.chars().all(letters) {
        return Err(invalid(format!("The parameter Name is not valid: {name}")));
    }
    let now = cloud.shared().clock.now();
    let development = stage(input, now)?;
    cloud.change(|state| {
        if state.cdn.functions.contains_key(&name) {
            let message = "A function with the same name already exists in this Amazon Web Services account.";
            return Err(refuse("FunctionAlreadyExists", message).status(409));
        }
        let function = Function { created: now, development, live: None };
        let node = summary(&name, &function, ("DEVELOPMENT", &function.development), false);
        let output = created(node, &function.development.etag, &format!("function/{}", arn(&name)));
        state.cdn.functions.insert(name, function);
        Ok(output)
    })
}

pub(super) fn describe(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let state = cloud.shared().lock();
    let (name, function) = find(&state, input)?;
    let at = at_stage(function, input)?;
    Ok(Output::from(summary(name, function, at, in_use(&state, name))).header("etag", &at.1.etag))
}

pub(super) fn get(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let state = cloud.shared().lock();
    let (_, function) = find(&state, input)?;
    let (_, at) = at_stage(function, input)?;
    let code = at.code.as_bytes().to_vec();
    Ok(Output::raw("application/octet-stream", code).header("etag", &at.etag))
}

pub(super) fn list(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let state = cloud.shared().lock();
    let items = state.cdn.functions.iter().filter_map(|(name, function)| {
        let at = at_stage(function, input).ok()?;
        Some((name.clone(), summary(name, function, at, in_use(&state, name))))
    });
    Ok(page(input, "FunctionList", "FunctionSummary", items.collect(), false)?.into())
}

pub(super) fn update(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let development = stage(body(input, "UpdateFunctionRequest")?, cloud.shared().clock.now())?;
    cloud.change(|state| {
        let (name, function) = find(state, input)?;
        if_match(input, &function.development.etag)?;
        let function = Function { development, ..function.clone() };
        let etag = function.development.etag.clone();
        let node = summary(name, &function, ("DEVELOPMENT", &function.development), in_use(state, name));
        state.cdn.functions.insert(name.to_owned(), function);
        // The API reference spells this header so; both are sent.
        Ok(Output::from(node).header("etag", &etag).header("ettag", &etag))
    })
}

pub(super) fn publish(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let now = cloud.shared().clock.now();
    cloud.change(|state| {
        let (name, function) = find(state, input)?;
        if_match(input, &function.development.etag)?;
        if in_use(state, name) {
            runnable(name, &function.development.code)?;
        }
        let live = FunctionStage { changed: now, ..function.development.clone() };
        let function = Function { live: Some(live.clone()), ..function.clone() };
        let node = summary(name, &function, ("LIVE", &live), in_use(state, name));
        state.cdn.functions.insert(name.to_owned(), function);
        distributions::read_again(state);
        Ok(node.into())
    })
}

pub(super) fn delete(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    cloud.change(|state| {
        let (name, function) = find(state, input)?;
        if_match(input, &function.development.etag)?;
        if in_use(state, name) {
            let message = "Cannot delete the function because it's attached to one or more cache behaviors.";
            return Err(refuse("FunctionInUse", message).status(409));
        }
        let name = name.to_owned();
        state.cdn.functions.remove(&name);
        Ok(gone())
    })
}

pub(super) fn test(_: &Cloud, _: &Node) -> Result<Output, ApiError> {
    Err(cannot("has no JavaScript engine to test a function with"))
}

fn in_use(state: &State, name: &str) -> bool {
    let named = format!("<FunctionARN>{}</FunctionARN>", arn(name));
    state.distributions.values().any(|d| d.shown.contains(&named))
}

/// Whether the edges can do what a function does: they have no JavaScript engine.
fn runnable(name: &str, code: &str) -> Result<(), ApiError> {
    let why = || {
        let what = "runs only viewer functions as outgrow writes them (clients/viewer_function)";
        cannot(&format!("{what}, and {name} is none: it could not be rehearsed"))
    };
    viewer_function::Rules::read(code).map(|_| ()).ok_or_else(why)
}

/// The published code of the viewer-request function a behaviour names.
pub(super) fn associated(state: &State, behavior: &Node) -> Result<Option<Arc<str>>, ApiError> {
    let mut code = None;
    let given = behavior.child("FunctionAssociations");
    for node in given.into_iter().flat_map(|a| a.items("Items")) {
        let (named, event) = (node.get("FunctionARN").unwrap_or_default(), node.get("EventType").unwrap_or_default());
        let wrong = |why: &str| refuse("InvalidFunctionAssociation", format!("{why}: {named} at {event}"));
        match event {
            "viewer-request" if code.is_none() => {}
            "viewer-request" => return Err(wrong("A behavior takes one function for each event type")),
            "viewer-response" => return Err(cannot("runs no functions on responses; take a response headers policy")),
            _ => {
                return Err(wrong(
                    "A CloudFront function can be associated to viewer-request and viewer-response only",
                ));
            }
        }
        let name = named.strip_prefix(&arn("")).unwrap_or_default();
        let live = state.cdn.functions.get(name).and_then(|f| f.live.as_ref());
        let live = live.ok_or_else(|| wrong("The function ARN doesn't exist or isn't published to LIVE"))?;
        runnable(name, &live.code)?;
        code = Some(live.code.clone());
    }
    Ok(code)
}
