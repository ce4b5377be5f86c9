//! What a distribution needs beside itself: origin access controls and functions.

use aws_sdk_cloudfront::primitives::Blob;
use aws_sdk_cloudfront::types::{self as aws};

use super::super::error::{explain, unless_missing};
use super::{CloudFront, refused, unanswered};
use crate::clients::distributions::{Access, Function};
use crate::clients::{ClientError, ClientResult, Kind};

/// The language of the functions that `clients/viewer_function` writes.
const RUNTIME: aws::FunctionRuntime = aws::FunctionRuntime::CloudfrontJs20;

impl CloudFront {
    pub(super) async fn access_of(&self, name: &str) -> ClientResult<Option<Access>> {
        let what = || format!("look for the origin access control {name}");
        let mut marker = None;
        loop {
            let sent = self.client.list_origin_access_controls().set_marker(marker.take()).send().await;
            let page = sent.map_err(|e| explain(what(), "cloudfront:ListOriginAccessControls", e))?;
            let Some(list) = page.origin_access_control_list() else { return Ok(None) };
            if let Some(found) = list.items().iter().find(|found| found.name() == name) {
                return Ok(Some(Access {
                    id: found.id().to_owned(),
                    name: name.to_owned(),
                    description: found.description().to_owned(),
                }));
            }
            match list.next_marker().filter(|next| list.is_truncated() && !next.is_empty()) {
                Some(next) => marker = Some(next.to_owned()),
                None => return Ok(None),
            }
        }
    }

    pub(super) async fn make_access(&self, name: &str, description: &str) -> ClientResult<String> {
        let what = || format!("make the origin access control {name}");
        let config = aws::OriginAccessControlConfig::builder()
            .name(name)
            .description(description)
            .signing_protocol(aws::OriginAccessControlSigningProtocols::Sigv4)
            .signing_behavior(aws::OriginAccessControlSigningBehaviors::Always)
            .origin_access_control_origin_type(aws::OriginAccessControlOriginTypes::S3)
            .build()
            .map_err(refused(&what()))?;
        let sent = self.client.create_origin_access_control().origin_access_control_config(config).send().await;
        let answer = sent.map_err(|e| explain(what(), "cloudfront:CreateOriginAccessControl", e))?;
        answer.origin_access_control().map(|made| made.id().to_owned()).ok_or_else(|| unanswered(what()))
    }

    pub(super) async fn remove_access(&self, name: &str) -> ClientResult<()> {
        let what = || format!("delete the origin access control {name}");
        let Some(found) = self.access_of(name).await? else { return Ok(()) };
        let read = self.client.get_origin_access_control().id(&found.id).send().await;
        let read = read.map_err(|e| explain(what(), "cloudfront:GetOriginAccessControl", e));
        let Some(read) = unless_missing(read)? else { return Ok(()) };
        let etag = read.e_tag().unwrap_or_default();
        let sent = self.client.delete_origin_access_control().id(&found.id).if_match(etag).send().await;
        let answer = sent.map_err(|e| explain(what(), "cloudfront:DeleteOriginAccessControl", e));
        unless_missing(answer).map(drop)
    }

    pub(super) async fn function_of(&self, name: &str) -> ClientResult<Option<Function>> {
        let Some((comment, _)) = self.described(name).await? else { return Ok(None) };
        let Some(draft) = self.code(name, aws::FunctionStage::Development).await? else { return Ok(None) };
        let live = self.code(name, aws::FunctionStage::Live).await?;
        Ok(Some(Function { comment, draft, live }))
    }

    async fn code(&self, name: &str, stage: aws::FunctionStage) -> ClientResult<Option<String>> {
        let sent = self.client.get_function().name(name).stage(stage).send().await;
        let answer = sent.map_err(|e| explain(format!("read the function {name}"), "cloudfront:GetFunction", e));
        let code = unless_missing(answer)?.and_then(|answer| answer.function_code);
        Ok(code.map(|code| String::from_utf8_lossy(code.as_ref()).into_owned()))
    }

    /// A function's comment and the version of its draft.
    async fn described(&self, name: &str) -> ClientResult<Option<(String, String)>> {
        let sent = self.client.describe_function().name(name).stage(aws::FunctionStage::Development).send().await;
        let answer =
            sent.map_err(|e| explain(format!("look up the function {name}"), "cloudfront:DescribeFunction", e));
        Ok(unless_missing(answer)?.map(|answer| {
            let config = answer.function_summary().and_then(aws::FunctionSummary::function_config);
            let comment = config.map(aws::FunctionConfig::comment).unwrap_or_default().to_owned();
            (comment, answer.e_tag().unwrap_or_default().to_owned())
        }))
    }

    /// The ARN of a published function.
    pub(super) async fn function_arn(&self, name: &str) -> ClientResult<String> {
        let what = || format!("look up the function {name}");
        let sent = self.client.describe_function().name(name).stage(aws::FunctionStage::Live).send().await;
        let answer = sent.map_err(|e| explain(what(), "cloudfront:DescribeFunction", e))?;
        let meta = answer.function_summary().and_then(aws::FunctionSummary::function_metadata);
        meta.map(|meta| meta.function_arn().to_owned()).ok_or_else(|| unanswered(what()))
    }

    pub(super) async fn put_function(&self, name: &str, comment: &str, code: &str) -> ClientResult<()> {
        let what = || format!("write the function {name}");
        let config =
            aws::FunctionConfig::builder().comment(comment).runtime(RUNTIME).build().map_err(refused(&what()))?;
        let code = Blob::new(code.as_bytes());
        let Some((_, etag)) = self.described(name).await? else {
            let sent = self.client.create_function().name(name).function_config(config).function_code(code).send();
            return sent.await.map(drop).map_err(|e| explain(what(), "cloudfront:CreateFunction", e));
        };
        let sent = self.client.update_function().name(name).if_match(etag).function_config(config).function_code(code);
        sent.send().await.map(drop).map_err(|e| explain(what(), "cloudfront:UpdateFunction", e))
    }

    pub(super) async fn make_live(&self, name: &str) -> ClientResult<()> {
        let what = || format!("publish the function {name}");
        let missing = || ClientError::new(Kind::NotFound, what(), "there is none");
        let (_, etag) = self.described(name).await?.ok_or_else(missing)?;
        let sent = self.client.publish_function().name(name).if_match(etag).send().await;
        sent.map(drop).map_err(|e| explain(what(), "cloudfront:PublishFunction", e))
    }

    pub(super) async fn remove_function(&self, name: &str) -> ClientResult<()> {
        let Some((_, etag)) = self.described(name).await? else { return Ok(()) };
        let sent = self.client.delete_function().name(name).if_match(etag).send().await;
        let answer = sent.map_err(|e| explain(format!("delete the function {name}"), "cloudfront:DeleteFunction", e));
        unless_missing(answer).map(drop)
    }
}
