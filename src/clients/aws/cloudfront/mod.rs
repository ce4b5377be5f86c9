//! CloudFront. `read` and `write` translate between the port's settings and a whole configuration, `beside` is what a
//! distribution needs beside it, `switch` the calls of a release.

mod beside;
mod read;
mod switch;
mod write;

use async_trait::async_trait;
use aws_sdk_cloudfront::Client;
use aws_sdk_cloudfront::types::{self as aws, DistributionConfig};

use super::error::{explain, unless_missing};
use crate::clients::distributions::{
    Access, Conflict, Distribution, DistributionsRead, DistributionsWrite, Function, Listed, Settings,
};
use crate::clients::{ClientError, ClientResult, Kind};

/// The content delivery network.
pub(super) struct CloudFront {
    client: Client,
}

impl CloudFront {
    pub(super) fn new(client: Client) -> Self {
        Self { client }
    }

    /// A whole configuration with its version.
    async fn config(&self, id: &str) -> ClientResult<(DistributionConfig, String)> {
        let what = || format!("read the configuration of the distribution {id}");
        let answer = self
            .client
            .get_distribution_config()
            .id(id)
            .send()
            .await
            .map_err(|e| explain(what(), "cloudfront:GetDistributionConfig", e))?;
        let etag = answer.e_tag().unwrap_or_default().to_owned();
        let config = answer.distribution_config;
        config.map(|config| (config, etag)).ok_or_else(|| unanswered(what()))
    }

    async fn set(&self, id: &str, etag: &str, config: DistributionConfig) -> ClientResult<Distribution> {
        let what = || format!("change the distribution {id}");
        let answer = self
            .client
            .update_distribution()
            .id(id)
            .if_match(etag)
            .distribution_config(config)
            .send()
            .await
            .map_err(|e| explain(what(), "cloudfront:UpdateDistribution", e))?;
        let etag = answer.e_tag().unwrap_or_default().to_owned();
        answer.distribution().map(|found| whole(found, etag)).ok_or_else(|| unanswered(what()))
    }

    /// The ARNs of the functions that settings name. A configuration names functions by ARN, people by name.
    async fn arns(&self, settings: &Settings) -> ClientResult<write::Arns> {
        let mut arns = write::Arns::new();
        let behaviors = settings.paths.iter().map(|(_, behavior)| behavior).chain([&settings.default]);
        for name in behaviors.filter_map(|behavior| behavior.function.as_deref()) {
            if !arns.contains_key(name) {
                arns.insert(name.to_owned(), self.function_arn(name).await?);
            }
        }
        Ok(arns)
    }
}

/// What was sent may have taken effect, but the answer holds nothing.
fn unanswered(what: String) -> ClientError {
    ClientError::new(Kind::Unanswered, what, "the answer is empty")
}

fn refused(what: &str) -> impl Fn(aws_smithy_types::error::operation::BuildError) -> ClientError {
    move |error| ClientError::new(Kind::Refused, what, error.to_string())
}

fn aliases(of: Option<&aws::Aliases>) -> std::collections::BTreeSet<String> {
    of.map(aws::Aliases::items).unwrap_or_default().iter().map(|name| name.to_ascii_lowercase()).collect()
}

fn whole(of: &aws::Distribution, etag: String) -> Distribution {
    let config = of.distribution_config();
    Distribution {
        listed: Listed {
            id: of.id().to_owned(),
            arn: of.arn().to_owned(),
            domain: of.domain_name().to_ascii_lowercase(),
            aliases: aliases(config.and_then(DistributionConfig::aliases)),
            comment: config.map(DistributionConfig::comment).unwrap_or_default().to_owned(),
            enabled: config.is_some_and(DistributionConfig::enabled),
        },
        etag,
        deployed: of.status() == "Deployed",
        settings: read::read(config),
    }
}

fn tags_of(tags: &[(String, String)]) -> Result<aws::Tags, aws_smithy_types::error::operation::BuildError> {
    let tags = tags.iter().map(|(key, value)| aws::Tag::builder().key(key).value(value).build());
    Ok(aws::Tags::builder().set_items(Some(tags.collect::<Result<_, _>>()?)).build())
}

#[async_trait]
impl DistributionsRead for CloudFront {
    async fn all(&self) -> ClientResult<Vec<Listed>> {
        let mut pages = self.client.list_distributions().into_paginator().send();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|e| explain("list the distributions", "cloudfront:ListDistributions", e))?;
            let summaries = page.distribution_list.as_ref().map(aws::DistributionList::items).unwrap_or_default();
            found.extend(summaries.iter().map(|of| Listed {
                id: of.id().to_owned(),
                arn: of.arn().to_owned(),
                domain: of.domain_name().to_ascii_lowercase(),
                aliases: aliases(of.aliases()),
                comment: of.comment().to_owned(),
                enabled: of.enabled(),
            }));
        }
        Ok(found)
    }

    async fn distribution(&self, id: &str) -> ClientResult<Option<Distribution>> {
        let answer = self
            .client
            .get_distribution()
            .id(id)
            .send()
            .await
            .map_err(|e| explain(format!("look up the distribution {id}"), "cloudfront:GetDistribution", e));
        let Some(answer) = unless_missing(answer)? else { return Ok(None) };
        let etag = answer.e_tag().unwrap_or_default().to_owned();
        Ok(answer.distribution().map(|found| whole(found, etag)))
    }

    async fn tags(&self, arn: &str) -> ClientResult<Vec<(String, String)>> {
        let answer = self
            .client
            .list_tags_for_resource()
            .resource(arn)
            .send()
            .await
            .map_err(|e| explain(format!("read the tags of {arn}"), "cloudfront:ListTagsForResource", e))?;
        let tags = answer.tags().map(aws::Tags::items).unwrap_or_default().iter();
        Ok(tags.map(|tag| (tag.key().to_owned(), tag.value().unwrap_or_default().to_owned())).collect())
    }

    async fn conflicts(&self, id: &str, alias: &str) -> ClientResult<Vec<Conflict>> {
        let answer =
            self.client.list_conflicting_aliases().distribution_id(id).alias(alias).send().await.map_err(|e| {
                explain(format!("ask who else answers to {alias}"), "cloudfront:ListConflictingAliases", e)
            })?;
        let list = answer.conflicting_aliases_list();
        let items = list.map(aws::ConflictingAliasesList::items).unwrap_or_default().iter();
        let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
        Ok(items
            .map(|one| Conflict {
                alias: text(one.alias()).to_ascii_lowercase(),
                distribution: text(one.distribution_id()),
                account: text(one.account_id()),
            })
            .collect())
    }

    async fn access(&self, name: &str) -> ClientResult<Option<Access>> {
        self.access_of(name).await
    }

    async fn function(&self, name: &str) -> ClientResult<Option<Function>> {
        self.function_of(name).await
    }

    async fn invalidated(&self, id: &str, invalidation: &str) -> ClientResult<bool> {
        let answer = self.client.get_invalidation().distribution_id(id).id(invalidation).send().await.map_err(|e| {
            explain(format!("ask for the invalidation {invalidation}"), "cloudfront:GetInvalidation", e)
        })?;
        Ok(answer.invalidation().is_some_and(|found| found.status() == "Completed"))
    }
}

#[async_trait]
impl DistributionsWrite for CloudFront {
    async fn create(
        &self,
        reference: &str,
        comment: &str,
        settings: &Settings,
        tags: &[(String, String)],
    ) -> ClientResult<Distribution> {
        let what = || format!("make the distribution for {}", write::names(settings));
        let arns = self.arns(settings).await?;
        let config = write::new(reference, comment, settings, &arns).map_err(refused(&what()))?;
        let tags = tags_of(tags).map_err(refused(&what()))?;
        let both = aws::DistributionConfigWithTags::builder().distribution_config(config).tags(tags).build();
        let sent = self.client.create_distribution_with_tags().distribution_config_with_tags(both).send().await;
        let answer = sent.map_err(|e| explain(what(), "cloudfront:CreateDistribution", e))?;
        let etag = answer.e_tag().unwrap_or_default().to_owned();
        answer.distribution().map(|found| whole(found, etag)).ok_or_else(|| unanswered(what()))
    }

    async fn update(&self, id: &str, etag: &str, settings: &Settings) -> ClientResult<Distribution> {
        let what = format!("change the distribution {id}");
        let arns = self.arns(settings).await?;
        let (mut config, live) = self.config(id).await?;
        if live != etag {
            return Err(ClientError::new(Kind::Conflict, what, format!("its version is {live}, and not {etag}")));
        }
        write::write(&mut config, settings, &arns).map_err(refused(&what))?;
        self.set(id, &live, config).await
    }

    async fn delete(&self, id: &str, etag: &str) -> ClientResult<()> {
        let answer = self
            .client
            .delete_distribution()
            .id(id)
            .if_match(etag)
            .send()
            .await
            .map_err(|e| explain(format!("delete the distribution {id}"), "cloudfront:DeleteDistribution", e));
        unless_missing(answer).map(drop)
    }

    async fn switch_path(&self, id: &str, origin: &str, from: &str, to: &str) -> ClientResult<()> {
        self.switch(id, origin, from, to).await
    }

    async fn invalidate(&self, id: &str, reference: &str, paths: &[String]) -> ClientResult<String> {
        self.drop_paths(id, reference, paths).await
    }

    async fn create_access(&self, name: &str, description: &str) -> ClientResult<String> {
        self.make_access(name, description).await
    }

    async fn delete_access(&self, name: &str) -> ClientResult<()> {
        self.remove_access(name).await
    }

    async fn write_function(&self, name: &str, comment: &str, code: &str) -> ClientResult<()> {
        self.put_function(name, comment, code).await
    }

    async fn publish_function(&self, name: &str) -> ClientResult<()> {
        self.make_live(name).await
    }

    async fn delete_function(&self, name: &str) -> ClientResult<()> {
        self.remove_function(name).await
    }
}
