//! The AWS APIs over HTTP: validates as AWS does and changes the state.
