//! Functions: written, published, associated.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::*;

fn code(request: &str, code: &str) -> Node {
    Node::new(request)
        .put("Name", "pages")
        .with(Node::new("FunctionConfig").put("Comment", "").put("Runtime", "cloudfront-js-2.0"))
        .put("FunctionCode", STANDARD.encode(code))
}

fn associated(here: &Here) -> Node {
    let access = here.access_control(&fresh());
    let mut given = config(&access);
    let association = Node::new("FunctionAssociation")
        .put("FunctionARN", "arn:aws:cloudfront::000000000000:function/pages")
        .put("EventType", "viewer-request");
    set(&mut given, "DefaultCacheBehavior", counted("FunctionAssociations", "FunctionAssociation", [association]));
    given
}

#[test]
fn a_function_is_published_before_it_is_run() {
    let here = Here::new();
    let rules = Rules { index: Some("index.html".into()), ..Rules::default() };
    let name = Node::default().put("Name", "pages");
    let live = name.clone().put("Stage", "LIVE");
    let made = here.ask("CreateFunction", &code("CreateFunctionRequest", &rules.render())).unwrap();
    assert_eq!((made.status, made.node.get("Status")), (201, Some("UNPUBLISHED")));
    assert_eq!(here.code("CreateFunction", &code("CreateFunctionRequest", "handler")), "FunctionAlreadyExists");
    assert_eq!(here.code("DescribeFunction", &live), "NoSuchFunctionExists");
    assert_eq!(here.code("CreateDistribution", &associated(&here)), "InvalidFunctionAssociation", "not published yet");
    let etag = here.etag("DescribeFunction", &name);
    here.does("PublishFunction", &name.clone().put("IfMatch", &etag));
    let got = here.ask("GetFunction", &live).unwrap();
    assert_eq!(got.raw.unwrap().1, rules.render().into_bytes());
    here.distribution(&associated(&here));
    assert_eq!(here.code("DeleteFunction", &name.clone().put("IfMatch", &etag)), "FunctionInUse");

    // what it runs cannot be replaced by what it cannot run
    let other = code("UpdateFunctionRequest", "function handler(event) { return event.request; }");
    here.does("UpdateFunction", &other.put("IfMatch", &etag));
    assert_eq!(here.code("PublishFunction", &name.clone().put("IfMatch", &etag)), "PreconditionFailed");
    let etag = here.etag("DescribeFunction", &name);
    assert_eq!(here.code("PublishFunction", &name.clone().put("IfMatch", etag)), "UnsupportedOperation");
    let running = here.cloud.shared().lock().distributions.values().find_map(|d| d.config.default.function.clone());
    assert_eq!(running.as_deref(), Some(rules.render().as_str()));
}

#[test]
fn a_function_nobody_can_run_here_is_refused_where_it_would_run() {
    let here = Here::new();
    let name = Node::default().put("Name", "pages");
    let own = "function handler(event) { event.request.uri = '/x'; return event.request; }";
    here.does("CreateFunction", &code("CreateFunctionRequest", own));
    let etag = here.etag("DescribeFunction", &name);
    here.does("PublishFunction", &name.clone().put("IfMatch", &etag));
    let refused = here.ask("CreateDistribution", &associated(&here)).err().unwrap();
    assert_eq!(refused.code, "UnsupportedOperation");
    assert!(refused.message.contains("runs only viewer functions as outgrow writes them"), "{refused}");
    assert_eq!(here.code("TestFunction", &name), "UnsupportedOperation");
    assert_eq!(here.ask("DeleteFunction", &name.put("IfMatch", etag)).unwrap().status, 204);
}
