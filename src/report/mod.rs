//! the HTML report.
