//! The errors every service has, in the words of its protocol (AWS API references: Common Errors).

use super::operation::Service;
use super::protocol::Protocol::{Cbor, Ec2, Json};
use super::{ApiError, refuse};

impl Service {
    /// The caller may not.
    pub fn access_denied(&self, message: &str) -> ApiError {
        match self.protocol {
            Ec2(_) => refuse("UnauthorizedOperation", message).status(403),
            Json(_) | Cbor(_) => refuse("AccessDeniedException", message),
            _ => refuse("AccessDenied", message).status(403),
        }
    }

    /// The caller is too fast.
    pub fn throttled(&self) -> ApiError {
        match self.protocol {
            Ec2(_) => refuse("RequestLimitExceeded", "Request limit exceeded.").status(503),
            Json(_) | Cbor(_) => refuse("ThrottlingException", "Rate exceeded"),
            _ => refuse("Throttling", "Rate exceeded"),
        }
    }

    /// It went wrong on AWS's side.
    pub fn failure(&self, message: &str) -> ApiError {
        let code = if matches!(self.protocol, Ec2(_)) { "InternalError" } else { "InternalFailure" };
        refuse(code, message).status(500)
    }

    /// The request is not signed.
    pub fn unsigned(&self) -> ApiError {
        let message = "Request is missing Authentication Token";
        match self.protocol {
            Json(_) | Cbor(_) => refuse("MissingAuthenticationTokenException", message),
            _ => refuse("MissingAuthenticationToken", message).status(403),
        }
    }

    /// The request names no signature that can be read.
    pub fn incomplete(&self) -> ApiError {
        let message = "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' \
            parameter. Authorization header requires 'SignedHeaders' parameter.";
        match self.protocol {
            Json(_) | Cbor(_) => refuse("IncompleteSignatureException", message),
            _ => refuse("IncompleteSignature", message),
        }
    }

    /// The key is nobody's.
    pub fn stranger(&self) -> ApiError {
        let message = "The security token included in the request is invalid.";
        match self.protocol {
            Ec2(_) => refuse("AuthFailure", "AWS was not able to validate the provided access credentials").status(401),
            Json(_) | Cbor(_) => refuse("UnrecognizedClientException", message),
            _ => refuse("InvalidClientTokenId", message).status(403),
        }
    }

    /// The signature is not the key's, or not of this request, or too old.
    pub fn forged(&self, why: &str) -> ApiError {
        match self.protocol {
            Ec2(_) => refuse("AuthFailure", "AWS was not able to validate the provided access credentials").status(401),
            Json(_) | Cbor(_) => refuse("InvalidSignatureException", why),
            _ => refuse("SignatureDoesNotMatch", why).status(403),
        }
    }
}
