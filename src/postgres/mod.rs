//! copy, fence, verify.
