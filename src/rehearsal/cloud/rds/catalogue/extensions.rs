//! The extensions RDS ships (law D4). Source: RDS release notes, "Extension versions for Amazon RDS for PostgreSQL".

/// Name, and the first and last major version, of each.
#[rustfmt::skip]
const ALL: &[(&str, u32, u32)] = &[
    ("address_standardizer", 14, 17), ("address_standardizer_data_us", 14, 17), ("amcheck", 14, 17), ("autoinc", 14, 17),
    ("aws_commons", 14, 17), ("aws_lambda", 14, 17), ("aws_s3", 14, 17), ("bloom", 14, 17), ("bool_plperl", 14, 17),
    ("btree_gin", 14, 17), ("btree_gist", 14, 17), ("citext", 14, 17), ("cube", 14, 17), ("dblink", 14, 17),
    ("dict_int", 14, 17), ("dict_xsyn", 14, 17), ("earthdistance", 14, 17), ("flow_control", 14, 17),
    ("fuzzystrmatch", 14, 17), ("h3", 15, 17), ("h3_postgis", 15, 17), ("hll", 14, 17), ("hstore", 14, 17),
    ("hstore_plperl", 14, 17), ("hypopg", 14, 17), ("insert_username", 14, 17), ("intagg", 14, 17), ("intarray", 14, 17),
    ("ip4r", 14, 17), ("isn", 14, 17), ("jsonb_plperl", 14, 17), ("lo", 14, 17), ("log_fdw", 14, 17), ("ltree", 14, 17),
    ("moddatetime", 14, 17), ("mysql_fdw", 14, 17), ("old_snapshot", 14, 16), ("oracle_fdw", 14, 17), ("orafce", 14, 17),
    ("pageinspect", 14, 17), ("pg_bigm", 14, 17), ("pg_buffercache", 14, 17), ("pg_cron", 14, 17), ("pg_freespacemap", 14, 17),
    ("pg_hint_plan", 14, 17), ("pg_partman", 14, 17), ("pg_prewarm", 14, 17), ("pg_proctab", 14, 17),
    ("pg_repack", 14, 17), ("pg_similarity", 14, 17), ("pg_stat_statements", 14, 17), ("pg_tle", 14, 17),
    ("pg_transport", 14, 17), ("pg_trgm", 14, 17), ("pg_visibility", 14, 17), ("pg_walinspect", 15, 17),
    ("pgactive", 15, 17), ("pgaudit", 14, 17), ("pgcrypto", 14, 17), ("pglogical", 14, 17), ("pgrouting", 14, 17),
    ("pgrowlocks", 14, 17), ("pgstattuple", 14, 17), ("pgtap", 14, 17), ("plcoffee", 14, 17),
    ("plls", 14, 17), ("plperl", 14, 17), ("plpgsql", 14, 17), ("plprofiler", 14, 17), ("plrust", 14, 16),
    ("pltcl", 14, 17), ("plv8", 14, 17), ("postgis", 14, 17), ("postgis_raster", 14, 17),
    ("postgis_tiger_geocoder", 14, 17), ("postgis_topology", 14, 17), ("postgres_fdw", 14, 17), ("prefix", 14, 17),
    ("rdkit", 14, 17), ("rds_tools", 14, 17), ("refint", 14, 17), ("seg", 14, 17), ("sslinfo", 14, 17),
    ("tablefunc", 14, 17), ("tcn", 14, 17), ("tds_fdw", 14, 17), ("test_parser", 14, 14), ("tsm_system_rows", 14, 17),
    ("tsm_system_time", 14, 17), ("unaccent", 14, 17), ("uuid-ossp", 14, 17), ("vector", 14, 17),
];

/// `rds.extensions` of a major version.
pub fn list(major: u32) -> String {
    let names = ALL.iter().filter(|(_, from, to)| (*from..=*to).contains(&major)).map(|(name, ..)| *name);
    names.collect::<Vec<_>>().join(", ")
}
