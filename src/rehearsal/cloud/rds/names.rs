//! The names and passwords RDS takes. Source: RDS API, `CreateDBInstance`, `CreateDBParameterGroup`, `CreateDBSubnetGroup`.

use super::super::super::state::ACCOUNT;
use super::super::Cloud;
use super::super::wire::{ApiError, Node};
use super::page::{invalid, need};

/// Words PostgreSQL on RDS keeps for itself.
const RESERVED: &[&str] = &[
    "admin",
    "all",
    "analyse",
    "analyze",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "authorization",
    "between",
    "binary",
    "both",
    "case",
    "cast",
    "check",
    "collate",
    "column",
    "constraint",
    "create",
    "cross",
    "db",
    "default",
    "deferrable",
    "desc",
    "distinct",
    "do",
    "else",
    "end",
    "except",
    "false",
    "for",
    "foreign",
    "from",
    "full",
    "grant",
    "group",
    "having",
    "in",
    "inner",
    "intersect",
    "into",
    "is",
    "join",
    "leading",
    "left",
    "like",
    "limit",
    "localtime",
    "natural",
    "new",
    "not",
    "null",
    "off",
    "offset",
    "old",
    "on",
    "only",
    "or",
    "order",
    "outer",
    "overlaps",
    "placing",
    "primary",
    "public",
    "rdsadmin",
    "rdsrepladmin",
    "references",
    "replication",
    "right",
    "select",
    "similar",
    "some",
    "table",
    "template0",
    "template1",
    "then",
    "to",
    "trailing",
    "true",
    "union",
    "unique",
    "user",
    "using",
    "verbose",
    "when",
    "where",
];

/// The ARN of something of RDS.
pub fn arn(cloud: &Cloud, kind: &str, name: &str) -> String {
    format!("arn:aws:rds:{}:{ACCOUNT}:{kind}:{name}", cloud.settings().region)
}

/// Letters, digits and hyphens, a letter first, no hyphen last or doubled; in lower case, as RDS keeps it.
pub fn identifier(input: &Node, parameter: &str, longest: usize) -> Result<String, ApiError> {
    let given = need(input, parameter)?;
    // Where an identifier names something that is there, its ARN does as well.
    let id = given.rsplit(':').next().unwrap_or(given).to_ascii_lowercase();
    if id.len() <= longest && is_plain(&id) {
        return Ok(id);
    }
    Err(invalid(format!(
        "The parameter {parameter} is not a valid identifier. Identifiers must begin with a letter; must contain only \
         ASCII letters, digits, and hyphens; and must not end with a hyphen or contain two consecutive hyphens."
    )))
}

fn is_plain(id: &str) -> bool {
    id.starts_with(|c: char| c.is_ascii_lowercase())
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && !id.ends_with('-')
        && !id.contains("--")
}

/// A subnet group's name: letters, digits, spaces, hyphens, periods and underscores, at most 255; not `default`.
pub fn subnet_group(input: &Node) -> Result<String, ApiError> {
    let name = need(input, "DBSubnetGroupName")?.to_ascii_lowercase();
    let fits = name.len() <= 255
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b" -._".contains(&b))
        && name.starts_with(|c: char| c.is_ascii_alphabetic());
    if !fits {
        return Err(invalid(
            "The parameter DBSubnetGroupName is not a valid identifier. It must begin with a letter and contain no more \
             than 255 letters, numbers, periods, underscores, spaces, or hyphens.",
        ));
    }
    Ok(name)
}

/// The master user's name.
pub fn master(input: &Node) -> Result<String, ApiError> {
    let Some(name) = input.get("MasterUsername") else {
        return Err(invalid("The parameter MasterUsername must be provided and must not be blank."));
    };
    let lower = name.to_ascii_lowercase();
    if RESERVED.contains(&lower.as_str()) || lower.starts_with("pg_") || lower.starts_with("rds_") {
        let message = format!("MasterUsername {name} cannot be used as it is a reserved word used by the engine");
        return Err(invalid(message));
    }
    if is_word(name, 63) && name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return Ok(name.to_owned());
    }
    Err(invalid(
        "The parameter MasterUsername is not valid: it must be 1 to 63 letters, numbers, or underscores, and begin with a \
         letter.",
    ))
}

/// The name of the database made with an instance.
pub fn database(input: &Node) -> Result<Option<String>, ApiError> {
    let Some(name) = input.get("DBName") else { return Ok(None) };
    if RESERVED.contains(&name.to_ascii_lowercase().as_str()) {
        return Err(invalid(format!("DBName {name} cannot be used. It is a reserved word for this engine")));
    }
    if is_word(name, 63) && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        return Ok(Some(name.to_owned()));
    }
    Err(invalid(
        "DBName must begin with a letter and contain only alphanumeric characters and underscores, at most 63.",
    ))
}

fn is_word(text: &str, longest: usize) -> bool {
    (1..=longest).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// The master user's password.
pub fn password(password: &str) -> Result<(), ApiError> {
    let wrong = |why: &str| Err(invalid(format!("The parameter MasterUserPassword is not a valid password{why}")));
    match password.len() {
        0..8 => wrong(" because it is shorter than 8 characters."),
        129.. => wrong(" because it is longer than 128 characters."),
        _ if password.bytes().any(|b| !b.is_ascii_graphic() || b"/@\"".contains(&b)) => {
            wrong(". Only printable ASCII characters besides '/', '@', '\"', ' ' may be used.")
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_those_rds_takes() {
        for good in ["12345678", "correct-horse", &"x".repeat(128)] {
            assert!(password(good).is_ok(), "{good}");
        }
        for bad in ["1234567", "with space", "with/slash", "with@sign", "with\"quote", "käse-käse", &"x".repeat(129)]
        {
            assert!(password(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn names_are_those_rds_takes() {
        let given = |parameter: &str, name: &str| Node::default().put(parameter, name);
        for (good, name) in
            [(true, "shop"), (true, "postgres"), (false, "admin"), (false, "pg_x"), (false, "1a"), (false, "a-b")]
        {
            assert_eq!(master(&given("MasterUsername", name)).is_ok(), good, "{name}");
        }
        for (good, name) in [(true, "a-1"), (false, "1a"), (false, "a-"), (false, "a--b"), (false, "a_b")] {
            assert_eq!(identifier(&given("X", name), "X", 63).is_ok(), good, "{name}");
        }
        assert!(database(&given("DBName", "shop_1")).is_ok() && database(&given("DBName", "db")).is_err());
    }
}
