//! Tags of buckets and objects, and their limits. Source: S3 guide, "Categorizing your objects using tags".

use std::collections::BTreeMap;

use s3s::dto::Tag;
use s3s::{S3Error, S3ErrorCode, S3Result, s3_error};

/// Tags by key.
pub(super) type Tags = BTreeMap<String, String>;

/// The most tags an object has.
pub(super) const OF_OBJECT: usize = 10;
/// The most tags a bucket has.
pub(super) const OF_BUCKET: usize = 50;

/// Tags as they are kept; `most` is how many there may be.
pub(super) fn tags_in(given: Vec<Tag>, most: usize) -> S3Result<Tags> {
    let mut tags = Tags::new();
    for tag in given {
        let (Some(key), value) = (tag.key, tag.value.unwrap_or_default()) else {
            return Err(invalid("The TagKey you have provided is invalid"));
        };
        check(&key, &value)?;
        if tags.insert(key, value).is_some() {
            return Err(invalid("Cannot provide multiple Tags with the same key"));
        }
    }
    within(tags, most)
}

fn within(tags: Tags, most: usize) -> S3Result<Tags> {
    if tags.len() <= most {
        return Ok(tags);
    }
    let message = match most {
        OF_OBJECT => "Object tags cannot be greater than 10",
        _ => "Bucket tag count cannot be greater than 50",
    };
    let mut error = S3Error::with_message(S3ErrorCode::Custom("BadRequest".into()), message);
    error.set_status_code(http::StatusCode::BAD_REQUEST);
    Err(error)
}

fn invalid(message: &'static str) -> S3Error {
    S3Error::with_message(S3ErrorCode::InvalidTag, message)
}

fn check(key: &str, value: &str) -> S3Result<()> {
    let allowed = |text: &str| text.chars().all(|c| c.is_alphanumeric() || c.is_whitespace() || "+-=._:/@".contains(c));
    if key.is_empty() || !allowed(key) {
        return Err(invalid("The TagKey you have provided is invalid"));
    }
    if key.chars().count() > 128 {
        return Err(invalid("The TagKey you have provided is too long"));
    }
    if key.to_ascii_lowercase().starts_with("aws:") {
        return Err(invalid("System tags cannot be added/updated by requester"));
    }
    if !allowed(value) {
        return Err(invalid("The TagValue you have provided is invalid"));
    }
    if value.chars().count() > 256 {
        return Err(invalid("The TagValue you have provided is too long"));
    }
    Ok(())
}

/// `k=v&k=v` of the `x-amz-tagging` header.
pub(super) fn tags_of(header: Option<String>) -> S3Result<Tags> {
    let mut tags = Tags::new();
    for (key, value) in form_urlencoded::parse(header.unwrap_or_default().as_bytes()) {
        check(&key, &value)?;
        if tags.insert(key.into_owned(), value.into_owned()).is_some() {
            return Err(s3_error!(
                InvalidArgument,
                "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates."
            ));
        }
    }
    within(tags, OF_OBJECT)
}

/// Tags as they are described.
pub(super) fn tags_out(tags: &Tags) -> Vec<Tag> {
    tags.iter().map(|(k, v)| Tag { key: Some(k.clone()), value: Some(v.clone()) }).collect()
}
