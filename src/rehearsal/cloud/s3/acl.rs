//! Access control lists: given as a canned name, as headers or in full; kept, described, and judged.
//!
//! Source: S3 guide, "Access control list (ACL) overview" and "Controlling ownership of objects and disabling ACLs".

use s3s::dto::{AccessControlPolicy, Grant, Grantee, Owner, Permission, Type};
use s3s::{S3Error, S3ErrorCode, S3Result, s3_error};
use serde::{Deserialize, Serialize};

/// The canonical user id of the rehearsal's account.
pub(super) const OWNER: &str = "0000000000000000000000000000000000000000000000000000006f75746772";

const GROUPS: &str = "http://acs.amazonaws.com/groups/";

/// To whom a permission is granted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Who {
    /// The account.
    Owner,
    /// Anybody.
    Everyone,
    /// Anybody with an AWS account.
    Authenticated,
    /// S3's own log delivery.
    Logs,
    /// Another account's canonical id.
    Other(String),
}

/// An access control list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Acl(Vec<(Who, String)>);

impl Default for Acl {
    fn default() -> Self {
        Self(vec![(Who::Owner, "FULL_CONTROL".to_owned())])
    }
}

/// An ACL as a request brings it, not read yet.
#[derive(Default)]
pub(super) struct Given {
    pub canned: Option<String>,
    /// Permission and header value, such as `uri="…", id="…"`.
    pub grants: Vec<(&'static str, String)>,
    pub policy: Option<AccessControlPolicy>,
}

/// Takes what a request says of an ACL out of its input; objects have no `x-amz-grant-write`.
macro_rules! given_acl {
    ($input:expr $(, $write:ident)?) => {
        $crate::rehearsal::cloud::s3::acl::Given {
            canned: $input.acl.take().map(|acl| acl.as_str().to_owned()),
            grants: [
                ("FULL_CONTROL", $input.grant_full_control.take()),
                ("READ", $input.grant_read.take()),
                $( ("WRITE", $input.$write.take()), )?
                ("READ_ACP", $input.grant_read_acp.take()),
                ("WRITE_ACP", $input.grant_write_acp.take()),
            ]
            .into_iter()
            .filter_map(|(permission, value)| Some((permission, value?)))
            .collect(),
            policy: None,
        }
    };
}
pub(super) use given_acl;

impl Given {
    /// The list, if the request brought one.
    pub(super) fn read(self) -> S3Result<Option<Acl>> {
        if self.canned.is_some() && !self.grants.is_empty() {
            return Err(s3_error!(InvalidRequest, "Specifying both Canned ACLs and Header Grants is not allowed"));
        }
        if let Some(policy) = self.policy {
            if self.canned.is_some() || !self.grants.is_empty() {
                return Err(s3_error!(UnexpectedContent, "This request does not support content"));
            }
            let grants = policy.grants.unwrap_or_default();
            return grants.into_iter().map(granted).collect::<S3Result<_>>().map(Acl).map(Some);
        }
        if let Some(canned) = self.canned {
            return Acl::canned(&canned).map(Some);
        }
        if self.grants.is_empty() {
            return Ok(None);
        }
        let mut grants = Vec::new();
        for (permission, value) in self.grants {
            for grantee in value.split(',') {
                grants.push((grantee_of(grantee.trim())?, permission.to_owned()));
            }
        }
        Ok(Some(Acl(grants)))
    }
}

fn invalid() -> S3Error {
    s3_error!(InvalidArgument, "Invalid id")
}

/// A grantee of a header, such as `uri="http://…"`.
fn grantee_of(text: &str) -> S3Result<Who> {
    let (kind, value) = text.split_once('=').ok_or_else(invalid)?;
    let value = value.trim().trim_matches('"');
    match kind.trim().to_ascii_lowercase().as_str() {
        "uri" => group(value),
        "id" => user(value),
        _ => Err(s3_error!(NotImplemented, "the rehearsal cloud knows grantees by id and uri only")),
    }
}

fn user(id: &str) -> S3Result<Who> {
    match id {
        OWNER => Ok(Who::Owner),
        id if id.len() == 64 && id.bytes().all(|b| b.is_ascii_hexdigit()) => Ok(Who::Other(id.to_owned())),
        _ => Err(invalid()),
    }
}

fn group(uri: &str) -> S3Result<Who> {
    match uri.strip_prefix(GROUPS) {
        Some("global/AllUsers") => Ok(Who::Everyone),
        Some("global/AuthenticatedUsers") => Ok(Who::Authenticated),
        Some("s3/LogDelivery") => Ok(Who::Logs),
        _ => Err(s3_error!(InvalidArgument, "Invalid group uri")),
    }
}

fn granted(grant: Grant) -> S3Result<(Who, String)> {
    let malformed = || {
        let message = "The XML you provided was not well-formed or did not validate against our published schema";
        S3Error::with_message(S3ErrorCode::MalformedACLError, message)
    };
    let (grantee, permission) = grant.grantee.zip(grant.permission).ok_or_else(malformed)?;
    if !["FULL_CONTROL", "READ", "WRITE", "READ_ACP", "WRITE_ACP"].contains(&permission.as_str()) {
        return Err(malformed());
    }
    let who = match (grantee.uri, grantee.id) {
        (Some(uri), _) => group(&uri)?,
        (_, Some(id)) => user(&id)?,
        _ => return Err(malformed()),
    };
    Ok((who, permission.as_str().to_owned()))
}

impl Acl {
    fn canned(name: &str) -> S3Result<Self> {
        let more: &[(Who, &str)] = match name {
            "private" | "bucket-owner-read" | "bucket-owner-full-control" | "aws-exec-read" => &[],
            "public-read" => &[(Who::Everyone, "READ")],
            "public-read-write" => &[(Who::Everyone, "READ"), (Who::Everyone, "WRITE")],
            "authenticated-read" => &[(Who::Authenticated, "READ")],
            "log-delivery-write" => &[(Who::Logs, "WRITE"), (Who::Logs, "READ_ACP")],
            _ => return Err(s3_error!(InvalidArgument, "The canned ACL '{}' is not one that S3 knows", name)),
        };
        let mut acl = Self::default();
        acl.0.extend(more.iter().map(|(who, permission)| (who.clone(), (*permission).to_owned())));
        Ok(acl)
    }

    /// Whether it grants anything to anybody at all; for S3 that is anybody with an account, too.
    pub(super) fn is_public(&self) -> bool {
        self.0.iter().any(|(who, _)| matches!(who, Who::Everyone | Who::Authenticated))
    }

    /// Whether nobody but the owner has a permission, and the owner all of them.
    pub(super) fn is_owners(&self) -> bool {
        *self == Self::default()
    }

    /// Whether it lets somebody unknown do this; `on_object` is whether it is an object's list or its bucket's.
    pub(super) fn lets_anybody(&self, action: &str, on_object: bool) -> bool {
        let wanted = match (action, on_object) {
            ("s3:ListBucket" | "s3:ListBucketVersions" | "s3:ListBucketMultipartUploads", false)
            | ("s3:GetObject" | "s3:GetObjectVersion", true) => "READ",
            ("s3:PutObject" | "s3:DeleteObject", false) => "WRITE",
            ("s3:GetBucketAcl", false) | ("s3:GetObjectAcl" | "s3:GetObjectVersionAcl", true) => "READ_ACP",
            ("s3:PutBucketAcl", false) | ("s3:PutObjectAcl" | "s3:PutObjectVersionAcl", true) => "WRITE_ACP",
            _ => return false,
        };
        self.0
            .iter()
            .any(|(who, permission)| *who == Who::Everyone && (permission == wanted || permission == "FULL_CONTROL"))
    }

    /// As `GetBucketAcl` and `GetObjectAcl` answer it.
    pub(super) fn described(&self) -> Vec<Grant> {
        let grantee = |who: &Who| match who {
            Who::Owner => by_id(OWNER),
            Who::Other(id) => by_id(id),
            Who::Everyone => by_uri("global/AllUsers"),
            Who::Authenticated => by_uri("global/AuthenticatedUsers"),
            Who::Logs => by_uri("s3/LogDelivery"),
        };
        let grant = |(who, permission): &(Who, String)| Grant {
            grantee: Some(grantee(who)),
            permission: Some(Permission::from(permission.clone())),
        };
        self.0.iter().map(grant).collect()
    }
}

fn by_id(id: &str) -> Grantee {
    Grantee {
        display_name: None,
        email_address: None,
        id: Some(id.to_owned()),
        type_: Type::from_static(Type::CANONICAL_USER),
        uri: None,
    }
}

fn by_uri(group: &str) -> Grantee {
    Grantee {
        display_name: None,
        email_address: None,
        id: None,
        type_: Type::from_static(Type::GROUP),
        uri: Some(format!("{GROUPS}{group}")),
    }
}

/// The account, as the owner of what it holds.
pub(super) fn owner() -> Owner {
    Owner { display_name: None, id: Some(OWNER.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_and_canned_names_say_the_same() {
        let grants = vec![
            ("FULL_CONTROL", format!("id=\"{OWNER}\"")),
            ("READ", "uri=\"http://acs.amazonaws.com/groups/global/AllUsers\"".to_owned()),
        ];
        let by_header = Given { grants, ..Given::default() }.read().unwrap().unwrap();
        let by_name = Given { canned: Some("public-read".into()), ..Given::default() }.read().unwrap().unwrap();
        assert_eq!(by_header, by_name);
        assert!(by_name.is_public() && by_name.lets_anybody("s3:GetObject", true));
        assert!(!by_name.lets_anybody("s3:PutObject", false));
        assert!(Given::default().read().unwrap().is_none());
        assert!(Given { canned: Some("mine".into()), ..Given::default() }.read().is_err());
    }
}
