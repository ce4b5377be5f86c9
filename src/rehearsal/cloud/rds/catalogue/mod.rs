//! PostgreSQL as RDS offers it: parameters by family, versions, extensions.

pub mod extensions;
mod formula;
pub mod versions;

use std::collections::BTreeMap;
use std::sync::LazyLock;

pub use formula::Size;

/// A parameter of a family.
#[derive(Debug)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// The first and the last major version that has it.
    majors: (u32, u32),
    /// `boolean`, `integer`, `float`, `string` or `list`.
    pub kind: &'static str,
    /// Whether it takes effect at a reboot only (law D3).
    pub fixed: bool,
    /// Whether a parameter group may set it.
    pub modifiable: bool,
    /// `0,1`, a range such as `6-262143`, or words; empty is anything.
    pub allowed: &'static str,
    /// RDS's own default, often a formula; none is the engine's.
    pub default: Option<&'static str>,
    /// Whether the rehearsal's server gets that default, too.
    served: bool,
    /// What it is.
    pub description: &'static str,
}

static ALL: LazyLock<Vec<Parameter>> = LazyLock::new(|| {
    let lines = include_str!("parameters.tsv").lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(parse).collect()
});

fn parse(line: &'static str) -> Option<Parameter> {
    let fields: Vec<&str> = line.split('\t').collect();
    let [name, from, to, kind, apply, modifiable, allowed, default, description] = fields.try_into().ok()?;
    let bare = default.strip_prefix('!');
    Some(Parameter {
        name,
        majors: (from.parse().ok()?, to.parse().ok()?),
        kind,
        fixed: apply == "static",
        modifiable: modifiable == "1",
        allowed,
        default: Some(bare.unwrap_or(default)).filter(|d| !d.is_empty()),
        served: bare.is_some(),
        description,
    })
}

/// The major version of a family such as `postgres15`, if it is one of ours.
pub fn major_of(family: &str) -> Option<u32> {
    family.strip_prefix("postgres")?.parse().ok().filter(|major| versions::MAJORS.contains(major))
}

/// The family of an engine version.
pub fn family_of(version: &str) -> String {
    format!("postgres{}", version.split('.').next().unwrap_or_default())
}

/// The parameters of a major version, by name.
pub fn parameters(major: u32) -> impl Iterator<Item = &'static Parameter> {
    ALL.iter().filter(move |p| (p.majors.0..=p.majors.1).contains(&major))
}

/// One of them.
pub fn parameter(major: u32, name: &str) -> Option<&'static Parameter> {
    parameters(major).find(|p| p.name.eq_ignore_ascii_case(name))
}

impl Parameter {
    /// Its default as the API shows it.
    pub fn default_for(&self, major: u32) -> Option<String> {
        self.default.map(|d| if d == "{extensions}" { extensions::list(major) } else { d.to_owned() })
    }

    /// Whether a value is one it takes; a formula is, for a number.
    pub fn takes(&self, value: &str) -> bool {
        match self.kind {
            "boolean" => matches!(value, "0" | "1"),
            "integer" | "float" => match value.parse::<f64>() {
                Ok(number) => {
                    let whole = self.kind == "float" || value.parse::<i64>().is_ok();
                    whole && range(self.allowed).is_none_or(|(low, high)| (low..=high).contains(&number))
                }
                Err(_) => formula::value(value, Size::SMALLEST).is_some(),
            },
            "list" if !self.allowed.is_empty() => {
                value.split(',').all(|one| self.allowed.split(',').any(|a| a == one.trim()))
            }
            _ => self.allowed.is_empty() || self.allowed.split(',').any(|a| a == value),
        }
    }
}

/// `-1-100`, `0-1.79769e+308`: the second hyphen that is not an exponent's parts them.
fn range(allowed: &str) -> Option<(f64, f64)> {
    let mut cuts = allowed.char_indices().skip(1).filter(|(_, c)| *c == '-').map(|(at, _)| at);
    let cut = cuts.find(|at| !allowed[..*at].ends_with('e'))?;
    Some((allowed[..cut].parse().ok()?, allowed[cut + 1..].parse().ok()?))
}

/// The settings a server of this version and class gets: what a parameter group sets over what RDS sets by itself.
/// Formulas are worked out. What depends on RDS's memory and disks is left to the server, unless the group sets it.
pub fn settings(version: &str, class: &str, set: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let major = major_of(&family_of(version)).unwrap_or(versions::OLDEST);
    let size = super::classes::size(class).unwrap_or(Size::SMALLEST);
    let worked_out = |value: String| formula::value(&value, size).unwrap_or(value);
    let defaults =
        parameters(major).filter(|p| p.served).filter_map(|p| Some((p.name.to_owned(), p.default_for(major)?)));
    let set = set.iter().map(|(name, value)| (name.clone(), value.clone()));
    defaults.chain(set).map(|(name, value)| (name, worked_out(value))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_read_and_makes_sense() {
        let lines = include_str!("parameters.tsv").lines().filter(|l| !l.starts_with('#')).count();
        assert_eq!(ALL.len(), lines);
        for major in versions::MAJORS {
            let mut names: Vec<_> = parameters(*major).map(|p| p.name).collect();
            assert!(names.len() > 300, "{major}");
            let all = names.len();
            names.dedup();
            assert_eq!(names.len(), all, "one is there twice in {major}");
            for parameter in parameters(*major).filter(|p| p.modifiable) {
                if let Some(default) = parameter.default_for(*major) {
                    assert!(parameter.takes(&default), "{} does not take {default}", parameter.name);
                }
            }
        }
    }

    #[test]
    fn versions_differ_where_rds_differs() {
        let default = |major, name| parameter(major, name).unwrap().default;
        assert_eq!((default(14, "rds.force_ssl"), default(15, "rds.force_ssl")), (Some("0"), Some("1")));
        assert!(parameter(17, "old_snapshot_threshold").is_none() && parameter(16, "transaction_timeout").is_none());
        assert!(parameter(15, "rds.logical_replication").unwrap().fixed);
        assert!(!parameter(15, "WAL_LEVEL").unwrap().modifiable);
    }

    #[test]
    fn a_parameter_takes_what_it_may() {
        let takes = |name, value| parameter(15, name).unwrap().takes(value);
        assert!(takes("max_connections", "LEAST({DBInstanceClassMemory/9531392},5000)"));
        assert!(takes("max_connections", "200") && !takes("max_connections", "5") && !takes("max_connections", "many"));
        assert!(!takes("max_connections", "20.5") && takes("seq_page_cost", "1.5"));
        assert!(takes("autovacuum_work_mem", "-1") && !takes("autovacuum_work_mem", "-2"));
        assert!(takes("rds.force_ssl", "0") && !takes("rds.force_ssl", "on"));
        assert!(takes("log_statement", "ddl") && !takes("log_statement", "everything"));
        assert!(takes("shared_preload_libraries", "pg_stat_statements,auto_explain"));
        assert!(!takes("shared_preload_libraries", "timescaledb"));
    }

    #[test]
    fn a_server_gets_what_the_group_sets_over_what_rds_sets() {
        let set = BTreeMap::from([("rds.logical_replication".to_owned(), "1".to_owned())]);
        let settings = settings("15.18", "db.t4g.medium", &set);
        assert_eq!(settings["rds.logical_replication"], "1");
        assert_eq!((settings["rds.force_ssl"].as_str(), settings["max_connections"].as_str()), ("1", "450"));
        assert!(!settings.contains_key("shared_buffers"));
    }
}
