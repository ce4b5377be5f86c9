//! `outgrow schema`: the JSON schema of site files and playbooks, out of the code that reads them.

use super::args::{Schema, SchemaOf};
use crate::playbook::Playbook;
use crate::site::Site;

/// The schema as JSON text.
pub fn schema(args: &Schema) -> String {
    let (schema, title) = match args.of {
        SchemaOf::Site => (schemars::schema_for!(Site), "outgrow site file"),
        SchemaOf::Playbook => (schemars::schema_for!(Playbook), "outgrow playbook"),
    };
    let mut schema = schema;
    schema.insert("title".to_owned(), title.into());
    // Only maps, strings and numbers are in a schema, so it can always be written.
    serde_json::to_string_pretty(&schema).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schemas_are_held() {
        insta::assert_snapshot!("site", schema(&Schema { of: SchemaOf::Site }));
        insta::assert_snapshot!("playbook", schema(&Schema { of: SchemaOf::Playbook }));
    }
}
