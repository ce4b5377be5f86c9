//! Backup and maintenance windows. Source: RDS API, `CreateDBInstance`: `PreferredBackupWindow`, `PreferredMaintenanceWindow`.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::super::wire::ApiError;
use super::page::invalid;

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const DAY: u64 = 24 * 60;
const WEEK: u64 = 7 * DAY;
/// No window is shorter, in minutes.
const SHORTEST: u64 = 30;

fn minutes(text: &str) -> Option<u64> {
    let (hours, minutes) = text.split_once(':')?;
    let (hours, minutes): (u64, u64) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
}

/// Minutes since Monday began, and how many more.
fn maintenance(text: &str) -> Option<(u64, u64)> {
    let moment = |text: &str| {
        let (day, time) = text.split_once(':')?;
        let day = DAYS.iter().position(|d| d.eq_ignore_ascii_case(day))?;
        Some(u64::try_from(day).ok()? * DAY + minutes(time)?)
    };
    let (from, to) = text.split_once('-')?;
    let (from, to) = (moment(from)?, moment(to)?);
    Some((from, (to + WEEK - from) % WEEK))
}

fn backup(text: &str) -> Option<(u64, u64)> {
    let (from, to) = text.split_once('-')?;
    let (from, to) = (minutes(from)?, minutes(to)?);
    Some((from, (to + DAY - from) % DAY))
}

/// Checks both windows: well-formed, half an hour at least, and apart.
pub fn check(backup_window: &str, maintenance_window: &str) -> Result<(), ApiError> {
    let Some((backup, backup_long)) = backup(backup_window).filter(|(_, long)| *long >= SHORTEST) else {
        return Err(invalid(format!(
            "Invalid backup window format: {backup_window}. Should be specified as a range hh24:mi-hh24:mi (24H Clock \
             UTC) of at least 30 minutes. Example: 04:32-06:22"
        )));
    };
    let Some((upkeep, upkeep_long)) =
        maintenance(maintenance_window).filter(|(_, long)| (SHORTEST..DAY).contains(long))
    else {
        return Err(invalid(format!(
            "Invalid maintenance window format: {maintenance_window}. Should be specified as a range \
             ddd:hh24:mi-ddd:hh24:mi (24H Clock UTC) of at least 30 minutes and less than a day. Example: \
             Sun:23:45-Mon:00:15"
        )));
    };
    let apart = |after: u64, long: u64| after % DAY >= long;
    if apart(upkeep + DAY - backup, backup_long) && apart(backup + WEEK - upkeep, upkeep_long) {
        return Ok(());
    }
    Err(invalid("The backup window and maintenance window must not overlap."))
}

/// The next moment a maintenance window begins after `now`.
pub fn next(window: &str, now: SystemTime) -> SystemTime {
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() / 60;
    // The first day of 1970 was a Thursday.
    let at = (since + 3 * DAY) % WEEK;
    let begins = maintenance(window).map_or(0, |(begins, _)| begins);
    let ahead = match (begins + WEEK - at) % WEEK {
        0 => WEEK,
        ahead => ahead,
    };
    UNIX_EPOCH + Duration::from_secs((since + ahead) * 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_well_formed_and_apart() {
        assert!(check("04:32-05:02", "sun:05:02-sun:06:00").is_ok());
        assert!(check("23:45-00:15", "mon:00:15-mon:00:45").is_ok());
        for (backup, upkeep) in [
            ("04:32-04:40", "sun:07:00-sun:08:00"),
            ("4", "sun:07:00-sun:08:00"),
            ("25:00-26:00", "sun:07:00-sun:08:00"),
            ("04:00-05:00", "07:00-08:00"),
            ("04:00-05:00", "sun:04:30-sun:05:30"),
            ("04:30-05:30", "sun:04:00-sun:05:00"),
        ] {
            assert!(check(backup, upkeep).is_err(), "{backup} {upkeep}");
        }
    }

    #[test]
    fn the_next_window_is_ahead() {
        // 2026-01-01 was a Thursday.
        let now = UNIX_EPOCH + Duration::from_hours(490_896);
        let ahead = |window| next(window, now).duration_since(now).unwrap().as_secs() / 60;
        assert_eq!(ahead("thu:00:30-thu:01:00"), 30);
        assert_eq!(ahead("wed:23:30-thu:00:30"), WEEK - 30);
        assert_eq!(ahead("thu:00:00-thu:00:30"), WEEK);
    }
}
