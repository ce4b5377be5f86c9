//! Packed twins (`app.js.gz`, `app.js.br`): opened to be compared, and packed anew when their text changes.

use std::io::Read as _;

use brotli::enc::BrotliEncoderParams;
use flate2::Compression;
use flate2::read::{GzEncoder, MultiGzDecoder};

use crate::rewrite::origin::LARGEST_TEXT;

/// How hard brotli tries; its best is ten times as slow for two percent.
const BROTLI: i32 = 9;

/// How a file is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    Gzip,
    Brotli,
}

impl Packing {
    /// By a name's ending.
    pub(super) fn of(name: &str) -> Option<Self> {
        match name.rsplit_once('.')?.1 {
            "gz" => Some(Self::Gzip),
            "br" => Some(Self::Brotli),
            _ => None,
        }
    }

    /// What is in it; no more than a text may have, twice over.
    pub(super) fn open(self, packed: &[u8]) -> std::io::Result<Vec<u8>> {
        let most = 2 * LARGEST_TEXT as u64 + 1;
        let mut text = Vec::new();
        match self {
            Self::Gzip => MultiGzDecoder::new(packed).take(most).read_to_end(&mut text)?,
            Self::Brotli => brotli::Decompressor::new(packed, 64 << 10).take(most).read_to_end(&mut text)?,
        };
        if text.len() as u64 == most {
            return Err(std::io::Error::other("too much is in it"));
        }
        Ok(text)
    }

    /// Packs it, the same bytes every time.
    pub(super) fn pack(self, text: &[u8]) -> std::io::Result<Vec<u8>> {
        let mut packed = Vec::new();
        match self {
            Self::Gzip => GzEncoder::new(text, Compression::best()).read_to_end(&mut packed).map(drop)?,
            Self::Brotli => {
                let parameters = BrotliEncoderParams { quality: BROTLI, ..BrotliEncoderParams::default() };
                brotli::BrotliCompress(&mut &text[..], &mut packed, &parameters).map(drop)?;
            }
        }
        Ok(packed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_can_be_opened_and_is_the_same_each_time() {
        let text = "fetch('https://api.shop.test') ".repeat(500).into_bytes();
        for packing in [Packing::Gzip, Packing::Brotli] {
            let packed = packing.pack(&text).unwrap();
            assert!(packed.len() < text.len() / 10 && packing.pack(&text).unwrap() == packed);
            assert_eq!(packing.open(&packed).unwrap(), text);
            assert!(packing.open(&packed[..packed.len() / 2]).is_err() && packing.open(b"text").is_err());
        }
    }
}
