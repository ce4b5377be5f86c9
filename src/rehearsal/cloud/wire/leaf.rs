//! What can stand at the end of a tree.

use std::borrow::Cow;
use std::time::SystemTime;

use super::super::iso;

/// What a node is. Query and REST XML have only texts; JSON and CBOR tell these apart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Kind {
    /// Members by name.
    #[default]
    Structure,
    /// Items without names of their own.
    List,
    /// A text.
    Text,
    /// A whole or a decimal number.
    Number,
    /// `true` or `false`.
    Truth,
    /// A moment: ISO 8601 in XML, seconds since 1970 in JSON and CBOR.
    Moment,
}

/// A value that can stand at the end of a tree.
pub trait Leaf {
    /// As XML writes it.
    fn text(&self) -> String;
    /// Its kind.
    fn kind(&self) -> Kind;
}

macro_rules! leaves {
    ($($kind:ident: $($of:ty),*;)*) => {$($(
        impl Leaf for $of {
            fn text(&self) -> String {
                self.to_string()
            }
            fn kind(&self) -> Kind {
                Kind::$kind
            }
        }
    )*)*};
}

leaves! {
    Text: str, String, Cow<'_, str>, std::net::IpAddr, std::net::Ipv4Addr, http::Method;
    Number: u8, u16, u32, u64, usize, i32, i64;
    Truth: bool;
}

/// With its point, even where nothing stands behind it: CBOR tells a whole number from a decimal one.
impl Leaf for f64 {
    fn text(&self) -> String {
        format!("{self:?}")
    }
    fn kind(&self) -> Kind {
        Kind::Number
    }
}

impl Leaf for SystemTime {
    fn text(&self) -> String {
        iso(*self)
    }
    fn kind(&self) -> Kind {
        Kind::Moment
    }
}

impl<T: Leaf + ?Sized> Leaf for &T {
    fn text(&self) -> String {
        (**self).text()
    }
    fn kind(&self) -> Kind {
        (**self).kind()
    }
}
