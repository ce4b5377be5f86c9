//! Key pairs: public keys, brought along. The rehearsal makes none, as no instance of it has a door to open.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::super::super::state::KeyPair;
use super::kind::Kind;
use super::{Answer, Cloud, Node, State, alter, need, new_id, refuse, tags, texts, view};

pub(super) const KIND: Kind = Kind {
    name: "key-pair",
    id: ("KeyPairId", "keyPairId"),
    set: "keySet",
    prefix: "key-",
    missing: "InvalidKeyPair.NotFound",
    malformed: None,
    words: "key pair ID",
    nodes,
    filters: &[("key-pair-id", "keyPairId"), ("key-name", "keyName"), ("fingerprint", "keyFingerprint")],
};

fn nodes(state: &State) -> Vec<Node> {
    let one = |(name, pair): (&String, &KeyPair)| {
        Node::default()
            .put("keyPairId", &pair.id)
            .put("keyName", name)
            .put("keyType", pair.kind)
            .put("keyFingerprint", &pair.fingerprint)
            .put("createTime", pair.created)
    };
    state.network.key_pairs.iter().map(one).collect()
}

/// Kind and fingerprint of a public key in OpenSSH's form.
fn read(material: &str) -> Option<(&'static str, String)> {
    let text = String::from_utf8(STANDARD.decode(material).ok()?).ok()?;
    let mut words = text.split_whitespace();
    let kind = match words.next()? {
        "ssh-rsa" => "rsa",
        "ssh-ed25519" => "ed25519",
        _ => return None,
    };
    let key = STANDARD.decode(words.next()?).ok()?;
    Some((kind, STANDARD.encode(digest(&SHA256, &key))))
}

pub(super) fn import(cloud: &Cloud, input: &Node) -> Answer {
    let (name, material) = (need(input, "KeyName")?, need(input, "PublicKeyMaterial")?);
    let (kind, fingerprint) =
        read(material).ok_or_else(|| refuse("InvalidKey.Format", "Key is not in valid OpenSSH public key format"))?;
    let created = cloud.shared().clock.now();
    alter(cloud, input, |state| {
        if state.network.key_pairs.contains_key(name) {
            return Err(refuse("InvalidKeyPair.Duplicate", format!("The keypair '{name}' already exists.")));
        }
        let id = new_id(KIND.prefix);
        let pair = KeyPair { id: id.clone(), kind, fingerprint: fingerprint.clone(), created };
        state.network.key_pairs.insert(name.into(), pair);
        tags::at_birth(state, input, &KIND, &id)?;
        let node = Node::default().put("keyName", name).put("keyPairId", id);
        Ok(node.put("keyFingerprint", fingerprint))
    })
}

pub(super) fn describe(cloud: &Cloud, input: &Node) -> Answer {
    let names = texts(input, "KeyName");
    view(cloud, input, |state| {
        if let Some(unknown) = names.iter().find(|name| !state.network.key_pairs.contains_key(*name)) {
            return Err(refuse("InvalidKeyPair.NotFound", format!("The key pair '{unknown}' does not exist")));
        }
        let mut found = KIND.select(state, input)?;
        found.retain(|node| names.is_empty() || names.iter().any(|name| node.get("keyName") == Some(name)));
        Ok(Node::default().list(KIND.set, "item", found).into())
    })
}

/// Deleting what is not there succeeds (EC2 API: `DeleteKeyPair`).
pub(super) fn delete(cloud: &Cloud, input: &Node) -> Answer {
    let (name, id) = (input.get("KeyName"), input.get("KeyPairId"));
    if name.is_none() && id.is_none() {
        return Err(super::missing("KeyName"));
    }
    alter(cloud, input, |state| {
        let meant = |(n, pair): (&String, &KeyPair)| {
            (Some(n.as_str()) == name || Some(pair.id.as_str()) == id).then(|| n.clone())
        };
        let found = state.network.key_pairs.iter().find_map(meant);
        let gone = found.and_then(|name| state.network.key_pairs.remove(&name));
        Ok(super::done().put_some("keyPairId", gone.map(|pair| pair.id)))
    })
}
