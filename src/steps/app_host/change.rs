//! What `app-host` will put on a new host; no value of an environment is in it.

use serde::{Deserialize, Serialize};

use crate::clients::hosts::PublishedPort;
use crate::step::{Change, Reversal};

/// What `app-host` will put on a new host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct AppHostChange {
    /// The host's name.
    pub host: String,
    /// The run that does it.
    pub run: String,
    /// Images that are not there yet.
    pub images: Vec<Brought>,
    /// Networks that are not there yet.
    pub networks: Vec<String>,
    /// The containers, in the order they start.
    pub containers: Vec<Moved>,
}

/// An image to bring.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Brought {
    /// Its name, or its id where the name means another image here or there.
    pub reference: String,
    /// Its id.
    pub id: String,
    /// Bytes of its layers, unpacked.
    pub bytes: u64,
}

/// A container to make again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Moved {
    /// Its name, there as here.
    pub name: String,
    /// Its image's name.
    pub image: String,
    /// Its published ports there.
    pub ports: Vec<PublishedPort>,
    /// Its mounts there.
    pub mounts: Vec<Placed>,
    /// What changes in its environment and files, with passwords left out.
    pub edits: Vec<String>,
    /// What is told besides.
    pub notes: Vec<String>,
}

/// What becomes of a mount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Placed {
    /// The path inside.
    pub target: String,
    /// The path or volume on the box.
    pub source: String,
    /// How it is carried.
    pub how: How,
    /// Bytes to copy.
    pub bytes: u64,
}

/// How a mount is carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// A folder: copied into a volume of the container's own.
    Volume,
    /// A file: copied into the container.
    File,
    /// Something of the host itself (the engine's socket, the time zone), or in memory: the same there.
    Kept,
}

impl Change for AppHostChange {
    fn lines(&self) -> Vec<String> {
        let host = &self.host;
        let mut lines: Vec<String> = Vec::new();
        for image in &self.images {
            lines.push(format!("+ {host}: image {} ({})", image.reference, size(image.bytes)));
        }
        lines.extend(self.networks.iter().map(|network| format!("+ {host}: network {network}")));
        for moved in &self.containers {
            let ports: Vec<String> = moved.ports.iter().map(|p| format!(", port {}", p.host)).collect();
            lines.push(format!("+ {host}: container {} of {}{}", moved.name, moved.image, ports.concat()));
            lines.extend(moved.edits.iter().map(|edit| format!("~ {host}: {}: {edit}", moved.name)));
            for mount in &moved.mounts {
                let (target, source) = (&mount.target, &mount.source);
                lines.push(match mount.how {
                    How::Volume => format!(
                        "+ {host}: {}: {target}, a volume of its own with a copy of {source} ({})",
                        moved.name,
                        size(mount.bytes)
                    ),
                    How::File => format!("+ {host}: {}: {target}, a copy of {source}", moved.name),
                    How::Kept => format!("+ {host}: {}: {target} is that host's {source}", moved.name),
                });
            }
            lines.extend(moved.notes.iter().cloned());
        }
        lines
    }

    fn reversal(&self) -> Reversal {
        Reversal::Exact
    }
}

/// Bytes as people say them.
pub(super) fn size(bytes: u64) -> String {
    match bytes {
        0..=9_999 => format!("{bytes} B"),
        10_000..=9_999_999 => format!("{} kB", bytes / 1000),
        _ => format!("{} MB", bytes / 1_000_000),
    }
}
