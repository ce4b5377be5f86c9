//! What the policies of a cache behaviour come down to.

/// Some of the headers, cookies or query strings of a request. Names of headers are in lower case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Which {
    /// None of them.
    #[default]
    None,
    /// All of them.
    All,
    /// These.
    Only(Vec<String>),
    /// All but these.
    AllBut(Vec<String>),
}

impl Which {
    /// Whether it has this one.
    pub fn has(&self, name: &str) -> bool {
        match self {
            Self::None => false,
            Self::All => true,
            Self::Only(names) => names.iter().any(|n| n == name),
            Self::AllBut(names) => names.iter().all(|n| n != name),
        }
    }
}

/// What is cached under which key, and how long. What is in the key is sent to the origin as well.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CacheRules {
    /// Seconds a thing is kept at least.
    pub min_ttl: u64,
    /// Seconds it is kept where the origin says nothing (law C5: a day).
    pub default_ttl: u64,
    /// Seconds it is kept at most.
    pub max_ttl: u64,
    /// Whether `Accept-Encoding`, brought down to `gzip`, `br` or nothing, is in the key.
    pub encodings: Vec<String>,
    /// The headers in the key.
    pub headers: Which,
    /// The cookies in the key.
    pub cookies: Which,
    /// The query strings in the key.
    pub queries: Which,
}

/// What the origin sees of a request, beside what is in the cache key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestRules {
    /// Headers.
    pub headers: Which,
    /// Cookies.
    pub cookies: Which,
    /// Query strings.
    pub queries: Which,
}

/// What is done to the headers of an answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HeadersRules {
    /// Headers that are set.
    pub set: Vec<SetHeader>,
    /// Headers that are taken away, in lower case.
    pub remove: Vec<String>,
    /// Answers to cross-origin requests.
    pub cors: Option<Cors>,
}

/// A header set on every answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetHeader {
    /// Its name, in lower case.
    pub name: String,
    /// Its value.
    pub value: String,
    /// Whether it takes the place of the origin's.
    pub overrides: bool,
}

/// Answers to cross-origin requests (law O1).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cors {
    /// The origins that may ask: `*`, or with a `*` in it.
    pub origins: Vec<String>,
    /// The headers they may send.
    pub headers: Vec<String>,
    /// The methods they may use; `ALL` for every one.
    pub methods: Vec<String>,
    /// Whether they may send credentials.
    pub credentials: bool,
    /// The headers they may read.
    pub expose: Vec<String>,
    /// Seconds the answer to a preflight holds.
    pub max_age: Option<u32>,
    /// Whether these take the place of the origin's.
    pub overrides: bool,
}
