//! The EC2 query protocol: requests as in the query protocol, with its own frame for answers and errors.
//! Source: Smithy specification, AWS EC2 query protocol.

use super::{ApiError, Node};

/// The answer of an operation: its members stand beside the request's id.
pub fn answer(operation: &str, namespace: &str, result: Node, request: &str) -> String {
    let mut root = Node::new(&format!("{operation}Response")).put("requestId", request);
    root.children.extend(result.children);
    super::xml::write(&root, namespace)
}

/// An error as EC2 says it.
pub fn error(error: &ApiError, request: &str) -> String {
    let detail = Node::default().put("Code", error.code).put("Message", error.text());
    let root = Node::new("Response").list("Errors", "Error", [detail]).put("RequestID", request);
    super::xml::write(&root, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_and_errors_have_the_frame_of_ec2() {
        let out = answer("CreateVpc", "urn:x", Node::default().put("a", "1"), "r");
        assert!(
            out.ends_with(r#"<CreateVpcResponse xmlns="urn:x"><requestId>r</requestId><a>1</a></CreateVpcResponse>"#)
        );
        let refused = super::super::refuse("InvalidVpcID.NotFound", "gone");
        assert!(
            error(&refused, "r").contains("<Errors><Error><Code>InvalidVpcID.NotFound</Code><Message>gone</Message>")
        );
    }
}
