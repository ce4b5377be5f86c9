//! The walks: what a browser and a mobile client do, one request after the other, judged as they would judge.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Method, Request, StatusCode, Uri, header};
use tokio_util::sync::CancellationToken;

use super::client::{Answer, Client};
use super::record::{Kind, Recorder, Sample, Visitor};
use super::{Site, page};
use crate::rehearsal::ledger::Ledger;

/// How long a preflight holds where the server does not say. Source: Fetch standard, "CORS-preflight cache".
const PREFLIGHT: Duration = Duration::from_secs(5);

/// One visitor: its client and what it remembers from walk to walk.
pub struct Walker {
    pub visitor: Visitor,
    pub site: Site,
    pub client: Client,
    pub recorder: Arc<Recorder>,
    pub ledger: Ledger,
    pub think: Duration,
    pub read_back: f64,
    pub stop: CancellationToken,
    /// Until when a preflight with an API holds.
    pub preflights: HashMap<String, Instant>,
}

/// What is asked of the API, and whose page asks.
struct Api<'a> {
    base: &'a str,
    origin: Option<&'a str>,
}

impl Walker {
    /// One walk, to its end, to its first dead end, or to the stop.
    pub async fn walk(&mut self) {
        match self.visitor {
            Visitor::Mobile => {
                let base = format!("https://{}/api", self.site.api_host);
                self.shop(&Api { base: &base, origin: None }).await;
            }
            Visitor::Browser => {
                let origin = format!("https://{}", self.site.site_host);
                let Some(base) = self.load_page(&origin).await else { return };
                let same = same_origin(&base, &origin);
                self.shop(&Api { base: &base, origin: (!same).then_some(origin.as_str()) }).await;
            }
        }
    }

    /// Loads the page and its files; gives the base of the API its bundle calls.
    async fn load_page(&mut self, origin: &str) -> Option<String> {
        let host = self.site.site_host.clone();
        let html = self
            .get(Kind::Page, &format!("{origin}/"), None, |a| Ok(String::from_utf8_lossy(&a.body).into_owned()))
            .await?;
        let mut base = page::api_base(&html);
        for path in page::assets(&html, &host) {
            let found = self
                .get(Kind::Asset, &format!("{origin}{path}"), None, |a| {
                    Ok(page::api_base(&String::from_utf8_lossy(&a.body)))
                })
                .await;
            base = base.or(found.flatten());
        }
        if base.is_none() && !self.stop.is_cancelled() {
            self.recorder.note(Sample {
                visitor: self.visitor,
                kind: Kind::Page,
                host,
                address: None,
                status: None,
                micros: 0,
                error: Some("no API address in the page's scripts".into()),
            });
        }
        base
    }

    /// Lists products, looks at one, orders it, and now and then reads the order back.
    async fn shop(&mut self, api: &Api<'_>) {
        let list = format!("{}/products?page=1", api.base);
        let ids =
            self.get(Kind::Products, &list, api.origin, |a| page::product_ids(&a.body).ok_or("not JSON".into())).await;
        let Some(ids) = ids else { return };
        let product = if ids.is_empty() { 1 } else { ids[rand::random_range(0..ids.len())] };
        self.pause().await;
        let one = format!("{}/products/{product}", api.base);
        if self.get(Kind::Product, &one, api.origin, |_| Ok(())).await.is_none() {
            return;
        }
        self.pause().await;
        if !self.preflight(api).await {
            return;
        }
        let Some(id) = self.order(api, product).await else { return };
        if rand::random_bool(self.read_back) {
            self.pause().await;
            let back = format!("{}/orders/{id}", api.base);
            self.get(Kind::ReadBack, &back, api.origin, |a| {
                let said = String::from_utf8_lossy(&a.body).to_ascii_lowercase();
                if said.contains(&id) { Ok(()) } else { Err("not the order asked for".into()) }
            })
            .await;
        }
    }

    /// Asks as a browser does before a cross-origin write; true if it may go on.
    async fn preflight(&mut self, api: &Api<'_>) -> bool {
        let Some(origin) = api.origin else { return !self.stop.is_cancelled() };
        if self.preflights.get(api.base).is_some_and(|until| Instant::now() < *until) {
            return true;
        }
        let request = Request::builder()
            .method(Method::OPTIONS)
            .uri(format!("{}/orders", api.base))
            .header(header::ORIGIN, origin)
            .header(header::ACCESS_CONTROL_REQUEST_METHOD, "POST")
            .header(header::ACCESS_CONTROL_REQUEST_HEADERS, "content-type")
            .body(Bytes::new());
        let holds = self.send(Kind::Preflight, request, api.origin, |a| {
            let allowed = a.headers.get_all(header::ACCESS_CONTROL_ALLOW_HEADERS).iter();
            let mut allowed = allowed.filter_map(|v| v.to_str().ok()).flat_map(|v| v.split(','));
            if !allowed.any(|name| matches!(name.trim().to_ascii_lowercase().as_str(), "content-type" | "*")) {
                return Err("cors: content-type not allowed".into());
            }
            let age = a.headers.get(header::ACCESS_CONTROL_MAX_AGE).and_then(|v| v.to_str().ok()?.parse().ok());
            Ok(age.map_or(PREFLIGHT, Duration::from_secs))
        });
        let Some(holds) = holds.await else { return false };
        // browsers cap it at hours; a day is beyond every run
        let until = Instant::now() + holds.min(Duration::from_hours(24));
        self.preflights.insert(api.base.to_owned(), until);
        true
    }

    /// The write. Sent once, whatever happens: an answer that does not come leaves it unacknowledged.
    async fn order(&mut self, api: &Api<'_>, product: u64) -> Option<String> {
        if self.stop.is_cancelled() {
            return None;
        }
        let id = fresh_id();
        let order = serde_json::json!({"id": id, "product": product, "quantity": 1, "note": "주문"});
        let mut request =
            Request::post(format!("{}/orders", api.base)).header(header::CONTENT_TYPE, "application/json");
        if let Some(origin) = api.origin {
            request = request.header(header::ORIGIN, origin);
        }
        self.ledger.attempted(&id);
        self.recorder.write_attempted();
        let began = Instant::now();
        let mut failed = None;
        let acknowledged = self
            .send_noting(Kind::Order, request.body(Bytes::from(order.to_string())), api.origin, &mut failed, |a| {
                // only 200 and 201 say that it is stored
                if matches!(a.status, StatusCode::OK | StatusCode::CREATED) {
                    Ok(())
                } else {
                    Err(format!("status {}", a.status.as_u16()))
                }
            })
            .await;
        if acknowledged.is_none() {
            self.ledger.unacknowledged(&id, failed.as_deref().unwrap_or("unknown"));
            return None;
        }
        self.ledger.acknowledged(&id);
        self.recorder.write_acknowledged(began.elapsed());
        Some(id)
    }

    async fn get<T>(
        &mut self,
        kind: Kind,
        url: &str,
        origin: Option<&str>,
        judge: impl FnOnce(&Answer) -> Result<T, String>,
    ) -> Option<T> {
        let mut request = Request::get(url);
        if let Some(origin) = origin {
            request = request.header(header::ORIGIN, origin);
        }
        self.send(kind, request.body(Bytes::new()), origin, judge).await
    }

    async fn send<T>(
        &mut self,
        kind: Kind,
        request: http::Result<Request<Bytes>>,
        origin: Option<&str>,
        judge: impl FnOnce(&Answer) -> Result<T, String>,
    ) -> Option<T> {
        if self.stop.is_cancelled() {
            return None;
        }
        self.send_noting(kind, request, origin, &mut None, judge).await
    }

    /// Sends, judges and records one request; `failed` is told why it failed.
    async fn send_noting<T>(
        &mut self,
        kind: Kind,
        request: http::Result<Request<Bytes>>,
        origin: Option<&str>,
        failed: &mut Option<String>,
        judge: impl FnOnce(&Answer) -> Result<T, String>,
    ) -> Option<T> {
        let began = Instant::now();
        let mut sample = Sample {
            visitor: self.visitor,
            kind,
            host: String::new(),
            address: None,
            status: None,
            micros: 0,
            error: None,
        };
        let judged = match request {
            Err(_) => Err("not a URL".to_owned()),
            Ok(request) => {
                host(request.uri()).clone_into(&mut sample.host);
                let fetched = self.client.fetch(request).await;
                sample.address = fetched.address;
                fetched.answer.and_then(|answer| {
                    sample.status = Some(answer.status.as_u16());
                    if !answer.status.is_success() {
                        return Err(format!("status {}", answer.status.as_u16()));
                    }
                    may_be_read(&answer, origin)?;
                    judge(&answer)
                })
            }
        };
        sample.micros = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        sample.error = judged.as_ref().err().cloned();
        failed.clone_from(&sample.error);
        self.recorder.note(sample);
        judged.ok()
    }

    async fn pause(&self) {
        if !self.think.is_zero() {
            tokio::select! {
                () = tokio::time::sleep(self.think) => {}
                () = self.stop.cancelled() => {}
            }
        }
    }
}

/// Law O1: a page reads a cross-origin answer only if the server allows the page's origin.
fn may_be_read(answer: &Answer, origin: Option<&str>) -> Result<(), String> {
    let Some(origin) = origin else { return Ok(()) };
    match answer.headers.get(header::ACCESS_CONTROL_ALLOW_ORIGIN).and_then(|v| v.to_str().ok()) {
        None => Err("cors: no origin allowed".into()),
        Some(allowed) if allowed == "*" || allowed == origin => Ok(()),
        Some(_) => Err("cors: another origin allowed".into()),
    }
}

fn host(uri: &Uri) -> &str {
    uri.host().unwrap_or_default()
}

fn same_origin(base: &str, origin: &str) -> bool {
    base.strip_prefix(origin).is_some_and(|rest| rest.starts_with('/'))
}

/// A random UUID, version 4.
fn fresh_id() -> String {
    let random = rand::random::<u128>() & !(0xF << 76) & !(0x3 << 62) | (0x4 << 76) | (0x2 << 62);
    let hex = format!("{random:032x}");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_uuids_of_version_4() {
        let shape = regex::Regex::new("^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$").unwrap();
        for _ in 0..100 {
            let id = fresh_id();
            assert!(shape.is_match(&id), "{id}");
        }
    }

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        assert!(same_origin("https://www.shop.test/api", "https://www.shop.test"));
        assert!(!same_origin("https://www.shop.test.evil/api", "https://www.shop.test"));
        assert!(!same_origin("https://www.shop.test:8443/api", "https://www.shop.test"));
    }
}
