//! Own probes of the new hosts, past the balancer: they need no visitors, and so carry a quiet site.

use std::collections::BTreeMap;
use std::net::IpAddr;

use futures::future::join_all;
use serde::{Deserialize, Serialize};

use super::Gates;
use super::compare::Held;
use crate::clients::web::{Answered, Probe};
use crate::event::Finding;
use crate::step::Look;
use crate::steps::app_config::{allows, api_path, cors, probe};

const GATE: &str = "probes";
/// How many redirects are followed before it is a loop, as few browsers' users would wait for more.
const HOPS: usize = 5;

/// A request of the operator's, and what is expected of its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Journey {
    /// Path and query.
    pub path: String,
    /// The status, after redirects.
    pub status: u16,
    /// What the body's first 64 KiB hold.
    pub body: Option<String>,
    /// What headers hold, names in lower case.
    pub headers: BTreeMap<String, String>,
}

/// One thing to ask.
enum Question<'a> {
    /// The health path answers 200.
    Health(&'a str),
    /// A path of the API is answered as the old side answers it.
    Alike(String),
    /// The pages' origin may call the API.
    Cors(String),
    /// The operator's.
    Own(&'a Journey),
}

/// Why a try did not go well.
enum Wrong {
    /// No answer: nothing is known of the app.
    Silent(String),
    /// The wrong answer.
    Answer(String),
}

/// Asks everything of every new host, `rounds` times over; what is answered wrongly is asked again up to `probe-tries`
/// times. Gives the gate and how many probes there were.
pub async fn ask(look: &Look, gates: &Gates, rounds: usize) -> (Held, usize) {
    let questions = questions(look, gates);
    let hosts: Vec<(&str, IpAddr)> =
        look.site.app.hosts.iter().map(|host| (host.name.as_str(), host.address)).collect();
    let mut worst = (Finding::Passed, String::new());
    for _ in 0..rounds {
        let asked = hosts.iter().flat_map(|host| questions.iter().map(move |question| (host, question)));
        let found = join_all(asked.map(|((name, at), question)| async move {
            let (finding, why) = one(look, *at, question, gates.probe_tries).await;
            (finding, format!("{name}: {why}"))
        }));
        for found in found.await {
            if found.0 > worst.0 {
                worst = found;
            }
        }
        if worst.0 != Finding::Passed {
            break;
        }
    }
    let count = rounds * questions.len() * hosts.len();
    let figures = if worst.0 == Finding::Passed { format!("{count} answered as expected") } else { worst.1 };
    (Held::of(GATE, worst.0, figures), count)
}

fn questions<'a>(look: &'a Look, gates: &'a Gates) -> Vec<Question<'a>> {
    let own = gates.probes.iter().map(Question::Own);
    let origins = look.site.page_origins().into_iter().map(Question::Cors);
    [Question::Health(&look.site.app.health), Question::Alike(api_path(look))]
        .into_iter()
        .chain(origins)
        .chain(own)
        .collect()
}

async fn one(look: &Look, at: IpAddr, question: &Question<'_>, tries: u32) -> (Finding, String) {
    let mut first = None;
    let mut silent = true;
    for _ in 0..tries.max(1) {
        match attempt(look, at, question).await {
            Ok(()) => {
                return match first {
                    None => (Finding::Passed, String::new()),
                    Some(why) => (Finding::Inconclusive, format!("{why}, and rightly when asked again")),
                };
            }
            Err(wrong) => {
                silent &= matches!(wrong, Wrong::Silent(_));
                let (Wrong::Silent(why) | Wrong::Answer(why)) = wrong;
                first.get_or_insert(why);
            }
        }
    }
    let why = format!("{}, {tries} times in a row", first.unwrap_or_default());
    (if silent { Finding::Error } else { Finding::Failed }, why)
}

async fn attempt(look: &Look, at: IpAddr, question: &Question<'_>) -> Result<(), Wrong> {
    match question {
        Question::Health(path) => {
            let answer = send(look, &probe(look, at, "GET", path, &[])).await?;
            expect(answer.status == 200, || format!("{path} answers {}", answer.status))
        }
        Question::Alike(path) => {
            let new = follow(look, at, path).await?;
            // Where the old side does not answer there is nothing to compare with.
            let old = follow(look, look.site.old.address, path).await.ok();
            match (new, old) {
                (Ending::Loop(_), Some(Ending::Loop(_))) => Ok(()),
                (Ending::Loop(hops), _) => {
                    Err(Wrong::Answer(format!("redirect loop, which the old side has not: {}", hops.join(" → "))))
                }
                (Ending::Answer(new), Some(Ending::Answer(old))) if old.status < 500 => {
                    expect(new.status == old.status, || {
                        format!("{path} answers {}, and {} on the old side", new.status, old.status)
                    })
                }
                (Ending::Answer(new), _) => expect(new.status < 500, || format!("{path} answers {}", new.status)),
            }
        }
        Question::Cors(origin) => {
            let answer = send(look, &probe(look, at, "OPTIONS", &api_path(look), &cors(origin))).await?;
            allows(&answer, origin).map_err(|fault| Wrong::Answer(fault.to_string()))
        }
        Question::Own(journey) => {
            let answer = match follow(look, at, &journey.path).await? {
                Ending::Answer(answer) => answer,
                Ending::Loop(hops) => return Err(Wrong::Answer(format!("redirect loop: {}", hops.join(" → ")))),
            };
            judge(journey, &answer)
        }
    }
}

fn judge(journey: &Journey, answer: &Answered) -> Result<(), Wrong> {
    let path = &journey.path;
    expect(answer.status == journey.status, || format!("{path} answers {}, not {}", answer.status, journey.status))?;
    if let Some(body) = &journey.body {
        expect(answer.body.contains(body), || format!("{path} answers without `{body}` in its body"))?;
    }
    for (name, value) in &journey.headers {
        let found = answer.header(name);
        expect(found.is_some_and(|found| found.contains(value)), || {
            format!("{path} answers with {name} {}, not `{value}`", found.unwrap_or("missing"))
        })?;
    }
    Ok(())
}

/// Where a path leads.
enum Ending {
    Answer(Answered),
    Loop(Vec<String>),
}

/// Follows redirects as long as they stay on the API's hosts.
async fn follow(look: &Look, at: IpAddr, path: &str) -> Result<Ending, Wrong> {
    let mut ask = probe(look, at, "GET", path, &[]);
    let mut hops = vec![path.to_owned()];
    loop {
        let answer = send(look, &ask).await?;
        let next = answer.header("location").filter(|_| matches!(answer.status, 301 | 302 | 303 | 307 | 308));
        let Some(next) = next.and_then(|to| stays(look, &ask.url, to)) else { return Ok(Ending::Answer(answer)) };
        let again = ask.url == next || hops.contains(&next);
        hops.push(next.clone());
        if again || hops.len() > HOPS {
            return Ok(Ending::Loop(hops));
        }
        ask.url = next;
    }
}

/// The address a redirect leads to, if that is one of the API's hosts.
fn stays(look: &Look, from: &str, to: &str) -> Option<String> {
    let (scheme, rest) = from.split_once("://")?;
    let host = rest.split('/').next()?;
    if to.starts_with('/') && !to.starts_with("//") {
        return Some(format!("{scheme}://{host}{to}"));
    }
    let (_, rest) = to.split_once("://")?;
    let named = rest.split(['/', '?', ':']).next()?;
    let ours = named == host || look.site.names.api.iter().any(|api| api == named);
    // The balancer speaks to a host in the site's one way, whatever a redirect says.
    ours.then(|| format!("{scheme}://{rest}"))
}

async fn send(look: &Look, probe: &Probe) -> Result<Answered, Wrong> {
    look.web.send(probe).await.map_err(|error| Wrong::Silent(error.to_string()))
}

fn expect(right: bool, why: impl FnOnce() -> String) -> Result<(), Wrong> {
    if right { Ok(()) } else { Err(Wrong::Answer(why())) }
}
