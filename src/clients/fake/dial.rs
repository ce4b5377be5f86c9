//! A port of a container in memory: one request, one answer.

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use super::hosts::Answer;
use crate::clients::hosts::Container;

/// A stream on which `answer` turns a request's head into the whole answer; silence is the end.
pub(super) fn answered(container: Container, answer: Answer) -> DuplexStream {
    let (ours, mut theirs) = tokio::io::duplex(64 << 10);
    tokio::spawn(async move {
        let mut head = Vec::new();
        let mut piece = [0; 1024];
        while !head.windows(4).any(|end| end == b"\r\n\r\n") {
            match theirs.read(&mut piece).await {
                Ok(read @ 1..) => head.extend_from_slice(&piece[..read]),
                _ => return,
            }
        }
        if let Some(text) = answer(&container, &String::from_utf8_lossy(&head)) {
            // Whoever asked may be gone: then nobody misses the answer.
            let _ = theirs.write_all(text.as_bytes()).await;
        }
    });
    ours
}
