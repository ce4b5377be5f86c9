//! expand, safety, render, seal.
