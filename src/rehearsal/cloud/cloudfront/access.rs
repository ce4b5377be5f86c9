//! Origin access controls: the identities private buckets are read with.

use super::super::super::state::{AccessControl, OriginKind, State};
use super::super::wire::operation::Output;
use super::super::wire::{ApiError, Node, refuse};
use super::super::{Cloud, fresh};
use super::{body, created, distributions, gone, if_match, invalid, page, version};

const CONFIG: &str = "OriginAccessControlConfig";
/// Source: CloudFront guide, cloudfront-limits, "Origin access controls per account".
const MOST: usize = 100;

fn read(input: &Node) -> Result<AccessControl, ApiError> {
    let input = body(input, CONFIG)?;
    let need = |name: &str, allowed: &[&str]| {
        let value = input.get(name).unwrap_or_default();
        if value.is_empty() || !(allowed.is_empty() || allowed.contains(&value)) {
            return Err(invalid(format!("The parameter {name} is missing or not valid: {value}")));
        }
        Ok(value.to_owned())
    };
    let name = need("Name", &[])?;
    if name.chars().count() > 64 {
        return Err(invalid("The parameter Name is too long: at most 64 characters.".into()));
    }
    need("SigningProtocol", &["sigv4"])?;
    Ok(AccessControl {
        etag: version(),
        name,
        description: input.get("Description").unwrap_or_default().to_owned(),
        signing: need("SigningBehavior", &["never", "always", "no-override"])?,
        origin_type: need("OriginAccessControlOriginType", &["s3", "mediastore", "mediapackagev2", "lambda"])?,
    })
}

fn config(control: &AccessControl) -> Node {
    Node::new(CONFIG)
        .put("Name", &control.name)
        .put("Description", &control.description)
        .put("SigningProtocol", "sigv4")
        .put("SigningBehavior", &control.signing)
        .put("OriginAccessControlOriginType", &control.origin_type)
}

fn describe(id: &str, control: &AccessControl) -> Node {
    Node::new("OriginAccessControl").put("Id", id).with(config(control))
}

fn find<'a>(state: &'a State, input: &'a Node) -> Result<(&'a str, &'a AccessControl), ApiError> {
    let id = input.get("Id").unwrap_or_default();
    let missing =
        || refuse("NoSuchOriginAccessControl", "The specified origin access control does not exist.").status(404);
    state.cdn.access_controls.get(id).map(|control| (id, control)).ok_or_else(missing)
}

fn name_is_free(state: &State, name: &str, own: &str) -> Result<(), ApiError> {
    if state.cdn.access_controls.iter().any(|(id, c)| c.name == name && id != own) {
        let message = "An origin access control with this name already exists.";
        return Err(refuse("OriginAccessControlAlreadyExists", message).status(409));
    }
    Ok(())
}

pub(super) fn create(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let control = read(input)?;
    cloud.change(|state| {
        name_is_free(state, &control.name, "")?;
        if state.cdn.access_controls.len() >= MOST {
            let message = "The number of origin access controls in your account exceeds the maximum allowed.";
            return Err(refuse("TooManyOriginAccessControls", message));
        }
        let id = new(state, control.clone());
        Ok(created(describe(&id, &control), &control.etag, &format!("origin-access-control/{id}")))
    })
}

/// Enters a control; gives its id.
pub(super) fn new(state: &mut State, control: AccessControl) -> String {
    let id = format!("E{}", fresh()[..13].to_uppercase());
    state.cdn.access_controls.insert(id.clone(), control);
    id
}

pub(super) fn get(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let state = cloud.shared().lock();
    let (id, control) = find(&state, input)?;
    Ok(Output::from(describe(id, control)).header("etag", &control.etag))
}

pub(super) fn get_config(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let state = cloud.shared().lock();
    let (_, control) = find(&state, input)?;
    Ok(Output::from(config(control)).header("etag", &control.etag))
}

pub(super) fn update(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let control = read(input)?;
    cloud.change(|state| {
        let (id, before) = find(state, input)?;
        if_match(input, &before.etag)?;
        name_is_free(state, &control.name, id)?;
        let output = Output::from(describe(id, &control)).header("etag", &control.etag);
        state.cdn.access_controls.insert(id.to_owned(), control);
        distributions::read_again(state);
        Ok(output)
    })
}

pub(super) fn list(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let state = cloud.shared().lock();
    let summary = |(id, control): (&String, &AccessControl)| {
        let mut node = Node::new("OriginAccessControlSummary").put("Id", id);
        node.children.extend(config(control).children);
        (id.clone(), node)
    };
    let all = state.cdn.access_controls.iter().map(summary).collect();
    Ok(page(input, "OriginAccessControlList", "OriginAccessControlSummary", all, true)?.into())
}

pub(super) fn delete(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    cloud.change(|state| {
        let (id, control) = find(state, input)?;
        if_match(input, &control.etag)?;
        let mut origins = state.distributions.values().flat_map(|d| d.config.origins.values());
        if origins.any(|o| matches!(&o.kind, OriginKind::Bucket { access: Some(a), .. } if a == id)) {
            let message = "Cannot delete the origin access control because it's in use by one or more distributions.";
            return Err(refuse("OriginAccessControlInUse", message).status(409));
        }
        let id = id.to_owned();
        state.cdn.access_controls.remove(&id);
        Ok(gone())
    })
}
