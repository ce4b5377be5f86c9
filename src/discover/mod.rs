//! the box and its nginx, drafted into a site file.
