//! Passwords for roles that we make: random, and sent to the server only as a SCRAM verifier, so that no statement log
//! ever holds one.

use std::num::NonZeroU32;

use aws_lc_rs::{digest, hmac, pbkdf2};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rand::RngExt as _;
use secrecy::{ExposeSecret, SecretString};

const ITERATIONS: NonZeroU32 = NonZeroU32::new(4096).expect("4096 is not zero");

/// A new password of 192 random bits.
pub fn random_password() -> SecretString {
    let bytes: [u8; 24] = rand::rng().random();
    hex::encode(bytes).into()
}

/// What PostgreSQL keeps in `pg_authid` for this password (RFC 5803 form). The password must be plain ASCII.
pub fn verifier(password: &SecretString) -> String {
    let salt: [u8; 16] = rand::rng().random();
    with_salt(password, &salt)
}

fn with_salt(password: &SecretString, salt: &[u8]) -> String {
    let mut salted = [0_u8; 32];
    let secret = password.expose_secret().as_bytes();
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, ITERATIONS, salt, secret, &mut salted);
    let key = hmac::Key::new(hmac::HMAC_SHA256, &salted);
    let client_key = hmac::sign(&key, b"Client Key");
    let stored_key = digest::digest(&digest::SHA256, client_key.as_ref());
    let server_key = hmac::sign(&key, b"Server Key");
    format!(
        "SCRAM-SHA-256${ITERATIONS}:{}${}:{}",
        STANDARD.encode(salt),
        STANDARD.encode(stored_key),
        STANDARD.encode(server_key)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verifier_of_the_rfc_example() {
        // RFC 7677, section 3: user "user", password "pencil".
        let salt = STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        assert_eq!(
            with_salt(&"pencil".into(), &salt),
            "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
        );
    }
}
