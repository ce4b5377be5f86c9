//! Looks at the box: the containers that run, and the nginx configuration inside those that have one.

use std::collections::BTreeMap;

use futures::StreamExt as _;
use tokio::io::AsyncReadExt as _;
use tokio_util::io::StreamReader;

use crate::clients::ClientResult;
use crate::clients::hosts::{Bytestream, Container, HostRead};
use crate::rewrite::nginx::{self, Server};

/// A configuration file longer than this is none.
const LONGEST: u64 = 256 << 10;
/// More files than this are not read.
const MOST: usize = 500;

/// A running container, and what its nginx serves, if it has one.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Its definition.
    pub container: Container,
    /// The servers of its nginx.
    pub servers: Vec<Server>,
    /// Why its nginx configuration could not be read, if it has one that could not.
    pub unread: Option<String>,
}

/// Everything that runs on the box. Values of environment variables stay in memory.
pub async fn observe(host: &dyn HostRead) -> ClientResult<Vec<Seen>> {
    let mut all = Vec::new();
    for container in host.containers().await?.into_iter().filter(|container| container.running) {
        let (servers, unread) = match host.read(&container.id, "/etc/nginx").await {
            // Most containers have no nginx: that is no trouble.
            Err(_) => (Vec::new(), None),
            Ok(stream) => match files(stream).await {
                Ok(files) => servers(&files),
                Err(error) => (Vec::new(), Some(error.to_string())),
            },
        };
        all.push(Seen { container, servers, unread });
    }
    all.sort_by(|a, b| a.container.name.cmp(&b.container.name));
    Ok(all)
}

fn servers(files: &BTreeMap<String, String>) -> (Vec<Server>, Option<String>) {
    let main = "/etc/nginx/nginx.conf";
    let Some(text) = files.get(main) else { return (Vec::new(), None) };
    match nginx::load(main, text, &|pattern| nginx::matching(files, pattern)) {
        Ok(tree) => (nginx::servers(&tree), None),
        Err(error) => (Vec::new(), Some(error.to_string())),
    }
}

/// The text files of a tar stream of `/etc/nginx`, by absolute path. Links (`sites-enabled`) are followed.
async fn files(stream: Bytestream) -> std::io::Result<BTreeMap<String, String>> {
    let mut archive = tokio_tar::Archive::new(StreamReader::new(stream));
    let mut entries = archive.entries()?;
    let mut files = BTreeMap::new();
    let mut links = Vec::new();
    while let Some(entry) = entries.next().await {
        let mut entry = entry?;
        let path = format!("/etc/{}", entry.path()?.display());
        let kind = entry.header().entry_type();
        if kind.is_symlink() {
            if let Some(to) = entry.link_name()? {
                links.push((path, to.display().to_string()));
            }
        } else if kind.is_file() && entry.header().size()? <= LONGEST && files.len() < MOST {
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).await?;
            if let Ok(text) = String::from_utf8(bytes) {
                files.insert(path, text);
            }
        }
    }
    for (path, to) in links {
        if let Some(text) = files.get(&resolve(&path, &to)).cloned() {
            files.insert(path, text);
        }
    }
    Ok(files)
}

/// Where a link at `path` leads.
fn resolve(path: &str, to: &str) -> String {
    let mut parts: Vec<&str> =
        if to.starts_with('/') { Vec::new() } else { path.split('/').filter(|part| !part.is_empty()).collect() };
    if !to.starts_with('/') {
        parts.pop();
    }
    for part in to.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_archive_of_etc_nginx_becomes_files_and_its_links_are_followed() {
        let mut tar = tokio_tar::Builder::new(Vec::new());
        let text = b"server { root /pages; }";
        for (path, size) in [("nginx/sites-available/쇼핑", text.len() as u64), ("nginx/huge", LONGEST + 1)] {
            let mut header = tokio_tar::Header::new_gnu();
            header.set_mode(0o644);
            header.set_size(size);
            let body = text.iter().copied().chain(std::iter::repeat(b' '));
            let body: Vec<u8> = body.take(usize::try_from(size).unwrap()).collect();
            tar.append_data(&mut header, path, body.as_slice()).await.unwrap();
        }
        let mut header = tokio_tar::Header::new_gnu();
        header.set_entry_type(tokio_tar::EntryType::Symlink);
        header.set_size(0);
        header.set_link_name("../sites-available/쇼핑").unwrap();
        tar.append_data(&mut header, "nginx/sites-enabled/shop", tokio::io::empty()).await.unwrap();
        let bytes = tar.into_inner().await.unwrap();
        let stream = futures::stream::iter([Ok(bytes::Bytes::from(bytes))]).boxed();
        let files = files(stream).await.unwrap();
        let paths: Vec<_> = files.keys().map(String::as_str).collect();
        assert_eq!(paths, ["/etc/nginx/sites-available/쇼핑", "/etc/nginx/sites-enabled/shop"]);
        assert_eq!(files["/etc/nginx/sites-enabled/shop"].as_bytes(), text);
    }

    #[tokio::test]
    async fn an_archive_that_breaks_off_is_an_error() {
        let stream = futures::stream::iter([Ok(bytes::Bytes::from_static(&[7; 700]))]).boxed();
        assert!(files(stream).await.is_err());
    }

    #[test]
    fn links_are_followed_from_where_they_stand() {
        let enabled = "/etc/nginx/sites-enabled/shop";
        assert_eq!(resolve(enabled, "../sites-available/shop"), "/etc/nginx/sites-available/shop");
        assert_eq!(resolve(enabled, "/etc/nginx/shop.conf"), "/etc/nginx/shop.conf");
        assert_eq!(resolve("/a", "../../../b"), "/b");
    }
}
