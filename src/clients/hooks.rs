//! The port to an operator's own command, which is asked whether a stage may go on.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::Duration;

use async_trait::async_trait;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use super::{ClientError, ClientResult, Kind};

/// How long a command may take.
const LIMIT: Duration = Duration::from_secs(30);
/// How much of what it says is kept, in characters.
const SAID: usize = 300;

/// What a command is asked with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// A line of shell.
    pub command: String,
    /// Environment variables beside outgrow's own.
    pub facts: BTreeMap<String, String>,
    /// The same as one JSON object, on its standard input.
    pub json: String,
}

/// What it said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Its exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// The last line of its output that is not empty, shortened.
    pub words: String,
}

/// Asks commands. What they do is the operator's; outgrow expects them to look and not to touch.
#[async_trait]
pub trait Hooks: Send + Sync {
    /// Runs the command for at most 30 seconds.
    ///
    /// # Errors
    /// [`Kind::Refused`] if it cannot be started, [`Kind::Unanswered`] if it does not end in time.
    async fn ask(&self, question: &Question) -> ClientResult<Said>;
}

/// Commands of this machine, by `sh -c`.
pub struct Shell;

#[async_trait]
impl Hooks for Shell {
    async fn ask(&self, question: &Question) -> ClientResult<Said> {
        let what = || format!("run the command `{}`", question.command);
        let mut child = Command::new("sh")
            .args(["-c", &question.command])
            .envs(&question.facts)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|e| ClientError::new(Kind::Refused, what(), e.to_string()))?;
        let input = child.stdin.take();
        let asked = async {
            if let Some(mut input) = input {
                // A command that does not read its input may close it.
                let _ = input.write_all(question.json.as_bytes()).await;
            }
            child.wait_with_output().await
        };
        let ended = tokio::time::timeout(LIMIT, asked).await.map_err(|_| {
            ClientError::new(Kind::Unanswered, what(), format!("it did not end within {} seconds", LIMIT.as_secs()))
        })?;
        let output = ended.map_err(|e| ClientError::new(Kind::Unanswered, what(), e.to_string()))?;
        let last = |bytes: &[u8]| {
            let text = String::from_utf8_lossy(bytes);
            text.lines().rev().map(str::trim).find(|line| !line.is_empty()).map(str::to_owned)
        };
        let words = last(&output.stderr).or_else(|| last(&output.stdout)).unwrap_or_default();
        Ok(Said { code: output.status.code(), words: words.chars().take(SAID).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn ask(command: &str) -> Said {
        let facts = BTreeMap::from([("OUTGROW_WEIGHT".to_owned(), "25".to_owned())]);
        Shell.ask(&Question { command: command.into(), facts, json: "{\"weight\":25}".into() }).await.unwrap()
    }

    #[tokio::test]
    async fn a_command_gets_the_facts_twice_and_its_last_word_is_kept() {
        let said = ask("read line; echo \"$line $OUTGROW_WEIGHT\"; echo; exit 3").await;
        assert_eq!((said.code, said.words.as_str()), (Some(3), "{\"weight\":25} 25"));
        assert_eq!(ask("exec <&-; exit 0").await.code, Some(0));
        assert_eq!(ask("kill -9 $$").await.code, None);
    }
}
