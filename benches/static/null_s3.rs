//! An S3 on loopback that drops what it is sent and keeps sizes, tags and headers: the cheapest server that real clients
//! accept, so that what is measured is the client. One thread. Started by benches/static/bench.py.
//!
//! `null-s3 PORT`; in the environment `STALL_MS` (each answer about an object waits so long), `SLOW_DOWN` (every n-th PUT
//! is told to), `MD5` (real entity tags). `GET /_stats` counts, `/_order` lists keys as they came, `/_reset` forgets.
#![allow(clippy::unwrap_used, clippy::print_stderr)] // a tool of the benches: it ends where something is wrong

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;
use std::fmt::Write as _;
use std::ops::Bound;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::header::{HeaderMap, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use md5::Digest as _;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

type Answer = Response<Full<Bytes>>;

const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/');
const DATE: &str = "2026-01-01T00:00:00.000Z";

#[derive(Clone, Default)]
struct Object {
    size: u64,
    etag: String,
    headers: Vec<(String, HeaderValue)>,
}

#[derive(Default)]
struct State {
    objects: BTreeMap<String, Object>,
    uploads: BTreeMap<String, (String, Object)>,
    counts: BTreeMap<&'static str, u64>,
    order: Vec<String>,
}

impl State {
    fn count(&mut self, what: &'static str, by: u64) -> u64 {
        let count = self.counts.entry(what).or_default();
        *count += by;
        *count
    }
}

/// How it behaves.
#[derive(Clone, Copy)]
struct Manners {
    stall: Duration,
    slow_down: u64,
    md5: bool,
}

/// A request, read to its end.
struct Asked {
    method: Method,
    key: String,
    query: HashMap<String, String>,
    headers: HeaderMap,
    size: u64,
    md5: Option<String>,
    body: Vec<u8>,
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

async fn read(request: Request<Incoming>, manners: Manners) -> Option<(String, Asked)> {
    let (head, mut body) = request.into_parts();
    let pairs = head.uri.query().unwrap_or("").split('&').filter(|pair| !pair.is_empty());
    let query = pairs.map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(name), decoded(&value.replace('+', "%20")))
    });
    let query: HashMap<_, _> = query.collect();
    let path = head.uri.path().to_owned();
    let key = path.trim_start_matches('/').split_once('/').map_or(String::new(), |(_, key)| decoded(key));
    let mut md5 = (manners.md5 && head.method == Method::PUT).then(md5::Md5::new);
    let (mut size, mut kept) = (0, Vec::new());
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return None };
        let Some(data) = frame.data_ref() else { continue };
        size += data.len() as u64;
        if let Some(md5) = &mut md5 {
            md5.update(data);
        }
        if head.method == Method::POST {
            kept.extend_from_slice(data);
        }
    }
    let plain = head.headers.get("x-amz-decoded-content-length").and_then(|v| v.to_str().ok()?.parse().ok());
    let asked = Asked {
        method: head.method,
        key,
        query,
        headers: head.headers,
        size: plain.unwrap_or(size),
        md5: md5.map(|md5| hex::encode(md5.finalize())),
        body: kept,
    };
    Some((path, asked))
}

fn status(status: StatusCode) -> Answer {
    Response::builder().status(status).body(Full::default()).unwrap()
}

fn xml(text: String) -> Answer {
    Response::builder().header("content-type", "application/xml").body(Full::new(Bytes::from(text))).unwrap()
}

fn kept(headers: &HeaderMap) -> Vec<(String, HeaderValue)> {
    let is_kept = |name: &str| {
        name.starts_with("x-amz-meta-")
            || name.starts_with("x-amz-checksum-crc")
            || matches!(name, "content-type" | "cache-control" | "content-encoding")
    };
    headers.iter().filter(|(name, _)| is_kept(name.as_str())).map(|(n, v)| (n.to_string(), v.clone())).collect()
}

fn list(state: &mut State, query: &HashMap<String, String>) -> Answer {
    state.count("lists", 1);
    let text = |name: &str| query.get(name).cloned().unwrap_or_default();
    let (prefix, delimiter) = (text("prefix"), text("delimiter"));
    let most: usize = text("max-keys").parse().unwrap_or(1000);
    let encode = |key: &str| match query.get("encoding-type") {
        Some(_) => utf8_percent_encode(key, PLAIN).to_string(),
        None => escaped(key),
    };
    let after = ["continuation-token", "start-after", "marker"].iter().find_map(|name| query.get(*name)).cloned();
    let from = match &after {
        Some(after) if *after >= prefix => Bound::Excluded(after.clone()),
        _ => Bound::Included(prefix.clone()),
    };
    let (mut out, mut folders, mut count, mut last) = (String::new(), Vec::<String>::new(), 0, None);
    let mut truncated = false;
    for (key, object) in state.objects.range((from, Bound::Unbounded)).take_while(|(key, _)| key.starts_with(&prefix)) {
        let folder = (!delimiter.is_empty()).then(|| key[prefix.len()..].find(&delimiter)).flatten();
        let folder = folder.map(|at| key[..prefix.len() + at + delimiter.len()].to_owned());
        if folder
            .as_ref()
            .is_some_and(|one| folders.last() == Some(one) || after.as_ref().is_some_and(|a| a.starts_with(one)))
        {
            continue;
        }
        if count == most {
            truncated = true;
            break;
        }
        count += 1;
        if let Some(folder) = folder {
            last = Some(format!("{folder}\u{10ffff}"));
            folders.push(folder);
            continue;
        }
        last = Some(key.clone());
        write!(
            out,
            "<Contents><Key>{}</Key><LastModified>{DATE}</LastModified><ETag>&quot;{}&quot;</ETag><Size>{}</Size><StorageClass>STANDARD</StorageClass></Contents>",
            encode(key), object.etag, object.size
        )
        .unwrap();
    }
    for folder in folders {
        write!(out, "<CommonPrefixes><Prefix>{}</Prefix></CommonPrefixes>", encode(&folder)).unwrap();
    }
    let next = last.filter(|_| truncated).map_or(String::new(), |last| {
        format!("<NextContinuationToken>{0}</NextContinuationToken><NextMarker>{0}</NextMarker>", escaped(&last))
    });
    let encoding = if query.contains_key("encoding-type") { "<EncodingType>url</EncodingType>" } else { "" };
    xml(format!(
        "<?xml version=\"1.0\"?><ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>b</Name><Prefix>{}</Prefix>\
         <MaxKeys>{most}</MaxKeys>{encoding}<KeyCount>{count}</KeyCount><IsTruncated>{truncated}</IsTruncated>{next}{out}</ListBucketResult>",
        encode(&prefix)
    ))
}

fn bucket(state: &mut State, asked: &Asked) -> Answer {
    let has = |name: &str| asked.query.contains_key(name);
    match asked.method {
        Method::GET if has("location") => xml("<LocationConstraint/>".into()),
        Method::GET if has("versioning") => xml("<VersioningConfiguration/>".into()),
        Method::GET if has("uploads") => {
            let uploads = state.uploads.iter().fold(String::new(), |mut all, (id, (key, _))| {
                write!(all, "<Upload><Key>{}</Key><UploadId>{id}</UploadId></Upload>", escaped(key)).unwrap();
                all
            });
            xml(format!(
                "<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>{uploads}</ListMultipartUploadsResult>"
            ))
        }
        Method::GET => list(state, &asked.query),
        Method::POST if has("delete") => {
            let text = String::from_utf8_lossy(&asked.body).into_owned();
            for key in text.split("<Key>").skip(1).filter_map(|rest| rest.split("</Key>").next()) {
                state.objects.remove(&key.replace("&amp;", "&"));
            }
            xml("<DeleteResult/>".into())
        }
        _ => status(StatusCode::OK),
    }
}

fn put(state: &mut State, asked: Asked, manners: Manners) -> Answer {
    let number = state.count("puts", 1);
    if manners.slow_down > 0 && number.is_multiple_of(manners.slow_down) {
        state.count("slowed", 1);
        let body = "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>";
        return Response::builder().status(503).body(Full::new(Bytes::from(body))).unwrap();
    }
    state.count("bytes", asked.size);
    let etag = asked.md5.unwrap_or_else(|| format!("{:032x}", asked.size));
    let headers = kept(&asked.headers);
    let mut answer = Response::builder().header("etag", format!("\"{etag}\""));
    for (name, value) in headers.iter().filter(|(name, _)| name.starts_with("x-amz-checksum")) {
        answer = answer.header(name, value);
    }
    if let Some(id) = asked.query.get("uploadId") {
        if let Some((_, object)) = state.uploads.get_mut(id) {
            object.size += asked.size;
        }
    } else if let Some(source) = asked.headers.get("x-amz-copy-source") {
        let source = decoded(source.to_str().unwrap().trim_start_matches('/'));
        let source = source.split_once('/').and_then(|(_, key)| state.objects.get(key)).cloned();
        let Some(object) = source else { return status(StatusCode::NOT_FOUND) };
        let result = format!(
            "<CopyObjectResult><LastModified>{DATE}</LastModified><ETag>\"{}\"</ETag></CopyObjectResult>",
            object.etag
        );
        state.objects.insert(asked.key, object);
        return xml(result);
    } else {
        state.order.push(asked.key.clone());
        state.objects.insert(asked.key, Object { size: asked.size, etag, headers });
    }
    answer.body(Full::default()).unwrap()
}

fn object(state: &mut State, asked: Asked, manners: Manners) -> Answer {
    let upload = asked.query.get("uploadId").cloned();
    match asked.method {
        Method::PUT => put(state, asked, manners),
        Method::POST if asked.query.contains_key("uploads") => {
            let id = format!("u{}", state.count("uploads", 1));
            let object = Object { headers: kept(&asked.headers), ..Object::default() };
            state.uploads.insert(id.clone(), (asked.key.clone(), object));
            xml(format!(
                "<InitiateMultipartUploadResult><Bucket>b</Bucket><Key>{}</Key><UploadId>{id}</UploadId></InitiateMultipartUploadResult>",
                escaped(&asked.key)
            ))
        }
        Method::POST => {
            let Some((key, mut object)) = upload.and_then(|id| state.uploads.remove(&id)) else {
                return status(StatusCode::NOT_FOUND);
            };
            object.etag = format!("{:032x}-8", object.size);
            let checksum = asked
                .headers
                .get("x-amz-checksum-crc64nvme")
                .and_then(|v| v.to_str().ok())
                .map_or(String::new(), |crc| {
                    format!("<ChecksumCRC64NVME>{crc}</ChecksumCRC64NVME><ChecksumType>FULL_OBJECT</ChecksumType>")
                });
            let result = format!(
                "<CompleteMultipartUploadResult><Location>x</Location><Bucket>b</Bucket><Key>{}</Key><ETag>\"{}\"</ETag>{checksum}</CompleteMultipartUploadResult>",
                escaped(&key),
                object.etag
            );
            state.order.push(key.clone());
            state.objects.insert(key, object);
            xml(result)
        }
        Method::HEAD | Method::GET => {
            state.count("heads", 1);
            let Some(object) = state.objects.get(&asked.key) else { return status(StatusCode::NOT_FOUND) };
            let mut answer = Response::builder()
                .header("etag", format!("\"{}\"", object.etag))
                .header("last-modified", "Thu, 01 Jan 2026 00:00:00 GMT")
                .header("content-length", object.size);
            for (name, value) in &object.headers {
                answer = answer.header(name, value);
            }
            answer.body(Full::default()).unwrap()
        }
        Method::DELETE => {
            if upload.and_then(|id| state.uploads.remove(&id)).is_none() {
                state.objects.remove(&asked.key);
            }
            status(StatusCode::NO_CONTENT)
        }
        _ => status(StatusCode::OK),
    }
}

async fn answer(state: Rc<RefCell<State>>, request: Request<Incoming>, manners: Manners) -> Answer {
    let Some((path, asked)) = read(request, manners).await else { return status(StatusCode::BAD_REQUEST) };
    if !asked.key.is_empty() && !manners.stall.is_zero() {
        tokio::time::sleep(manners.stall).await;
    }
    let mut state = state.borrow_mut();
    match path.as_str() {
        "/_reset" => {
            *state = State::default();
            status(StatusCode::OK)
        }
        "/_order" => xml(state.order.join("\n")),
        "/_stats" => {
            let (objects, uploads) = (state.objects.len(), state.uploads.len());
            let counts: Vec<String> = state.counts.iter().map(|(name, count)| format!("\"{name}\": {count}")).collect();
            xml(format!("{{\"objects\": {objects}, \"unfinished\": {uploads}, {}}}", counts.join(", "))
                .replace(", }", "}"))
        }
        _ if asked.key.is_empty() => bucket(&mut state, &asked),
        _ => object(&mut state, asked, manners),
    }
}

fn main() {
    let number = |name: &str| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok()).unwrap_or(0);
    let manners = Manners {
        stall: Duration::from_millis(number("STALL_MS")),
        slow_down: number("SLOW_DOWN"),
        md5: number("MD5") > 0,
    };
    let port: u16 = std::env::args().nth(1).and_then(|port| port.parse().ok()).unwrap_or(0);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, async move {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        eprintln!("{}", listener.local_addr().unwrap().port());
        let state: Rc<RefCell<State>> = Rc::default();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            let state = Rc::clone(&state);
            let service = service_fn(move |request: Request<Incoming>| {
                let state = Rc::clone(&state);
                // botocore waits half a minute for an answer to an empty PUT with `Expect` on a kept connection.
                let ends = request.headers().contains_key("expect")
                    && request.headers().get("content-length").is_some_and(|length| length == "0");
                async move {
                    let mut answer = answer(state, request, manners).await;
                    answer.headers_mut().insert("x-amz-request-id", HeaderValue::from_static("0"));
                    if ends {
                        answer.headers_mut().insert("connection", HeaderValue::from_static("close"));
                    }
                    Ok::<_, Infallible>(answer)
                }
            });
            let mut server = http1::Builder::new();
            server.timer(TokioTimer::new()).max_buf_size(1 << 20);
            tokio::task::spawn_local(async move { drop(server.serve_connection(TokioIo::new(stream), service).await) });
        }
    });
}
