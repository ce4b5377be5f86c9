//! What lies beside a pooler that outgrow made: its configuration, who may log in, and both targets. Every process reads
//! it there again, so that none has to remember anything.

use bytes::Bytes;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use super::{Ini, Target, User, userlist_text};
use crate::world::Side;

/// The folder inside the container.
pub const FOLDER: &str = "/etc/outgrow-pooler";
/// Who may use the console.
pub const CONSOLE_USER: &str = "outgrow_console";
/// The user and group the pooler runs as, and whose its files are: nobody's. It refuses to run as root.
pub const RUNS_AS: u32 = 65_534;

/// A path in [`FOLDER`].
pub fn path(name: &str) -> String {
    format!("{FOLDER}/{name}")
}

/// The configuration's name in [`FOLDER`].
pub const INI: &str = "pgbouncer.ini";
/// The list of those who may log in.
pub const LIST: &str = "userlist.txt";
/// Everything the configuration is made from, but for secrets.
pub const SETTINGS: &str = "pooler.json";

/// What the configuration is made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// The part that stays.
    pub ini: Ini,
    /// The box's database.
    pub old: Target,
    /// RDS.
    pub new: Target,
}

impl Settings {
    /// The configuration that sends clients to this side.
    pub fn text(&self, side: Side) -> String {
        self.ini.text(match side {
            Side::Old => &self.old,
            Side::New => &self.new,
        })
    }

    /// Which side this host is, as the configuration spells it.
    pub fn side_of(&self, host: &str) -> Option<Side> {
        [(Side::Old, &self.old), (Side::New, &self.new)]
            .into_iter()
            .find_map(|(side, target)| (target.host == host).then_some(side))
    }
}

/// The configuration alone, sending clients to this side, as an archive for the container's root.
///
/// # Errors
/// The archive could not be written.
pub async fn ini_parcel(text: &str) -> std::io::Result<Bytes> {
    parcel(&[(INI, text.as_bytes())]).await
}

/// The configuration and what it is made from, without the list of those who may log in.
///
/// # Errors
/// The archive could not be written.
pub async fn settings_parcel(settings: &Settings, side: Side) -> std::io::Result<Bytes> {
    let kept = serde_json::to_vec(settings).map_err(std::io::Error::other)?;
    parcel(&[(INI, settings.text(side).as_bytes()), (SETTINGS, &kept)]).await
}

/// Everything, as an archive for the container's root: files of the pooler's user alone.
///
/// # Errors
/// The archive could not be written.
pub async fn whole_parcel(settings: &Settings, side: Side, users: &[User]) -> std::io::Result<Bytes> {
    let list = userlist_text(users);
    let kept = serde_json::to_vec(settings).map_err(std::io::Error::other)?;
    let files =
        [(INI, settings.text(side).into_bytes()), (LIST, list.expose_secret().as_bytes().to_vec()), (SETTINGS, kept)];
    parcel(&files.each_ref().map(|(name, text)| (*name, text.as_slice()))).await
}

async fn parcel(files: &[(&str, &[u8])]) -> std::io::Result<Bytes> {
    let mut tar = tokio_tar::Builder::new(Vec::new());
    for (name, content) in files {
        let mut header = tokio_tar::Header::new_gnu();
        header.set_mode(0o600);
        header.set_uid(RUNS_AS.into());
        header.set_gid(RUNS_AS.into());
        header.set_size(content.len() as u64);
        // The whole path, so that the folder is made with the first of them.
        tar.append_data(&mut header, path(name).trim_start_matches('/'), *content).await?;
    }
    Ok(tar.into_inner().await?.into())
}

/// The console's password, from the list of those who may log in.
pub fn console_password(list: &str) -> Option<SecretString> {
    let line = list.lines().find_map(|line| line.strip_prefix(&format!("\"{CONSOLE_USER}\" \"")))?;
    Some(line.strip_suffix('"')?.to_owned().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::postgres::pooler::Mode;

    fn settings() -> Settings {
        let old = Target {
            host: "db".into(),
            port: 5432,
            database: "shop".into(),
            sslmode: "prefer".into(),
            root_certificate: None,
        };
        let new = Target { host: "shop.rds.test".into(), sslmode: "require".into(), ..old.clone() };
        let ini = Ini {
            database: "shop".into(),
            listen: "*".into(),
            port: 5432,
            mode: Mode::Transaction,
            userlist: path(LIST),
            admins: vec![CONSOLE_USER.into()],
            pool_size: 20,
            clients_at_most: 1000,
            prepared_statements: 0,
            log: None,
        };
        Settings { ini, old, new }
    }

    #[tokio::test]
    async fn the_files_are_the_poolers_alone_and_say_who_may_ask_it() {
        let users = [
            User { name: "a \"b\"".into(), secret: "SCRAM-SHA-256$4096:x$y:z".into() },
            User { name: CONSOLE_USER.into(), secret: "0badcafe".into() },
        ];
        let tar = whole_parcel(&settings(), Side::Old, &users).await.unwrap();
        let mut archive = tokio_tar::Archive::new(&tar[..]);
        let mut entries = archive.entries().unwrap();
        let mut names = Vec::new();
        while let Some(entry) = futures::StreamExt::next(&mut entries).await {
            let mut entry = entry.unwrap();
            assert_eq!((entry.header().mode().unwrap(), entry.header().uid().unwrap()), (0o600, 65_534));
            let name = entry.path().unwrap().display().to_string();
            let mut text = String::new();
            tokio::io::AsyncReadExt::read_to_string(&mut entry, &mut text).await.unwrap();
            if name.ends_with(LIST) {
                assert_eq!(console_password(&text).unwrap().expose_secret(), "0badcafe");
            } else {
                assert!(!text.contains("SCRAM") && !text.contains("0badcafe"), "{name}: {text}");
            }
            names.push(name);
        }
        assert_eq!(names, [INI, LIST, SETTINGS].map(|name| path(name).trim_start_matches('/').to_owned()));
    }

    #[test]
    fn a_side_is_known_by_its_host() {
        let settings = settings();
        assert_eq!(settings.side_of("db"), Some(Side::Old));
        assert_eq!(settings.side_of("shop.rds.test"), Some(Side::New));
        assert_eq!(settings.side_of("elsewhere"), None);
        assert!(console_password("\"shop\" \"x\"\n").is_none());
    }
}
