//! The migrations of the SQLite state, in `migrations/sqlite`. Each is kept as it was released: a state remembers the
//! checksums of those that made it.

use sqlx::SqlSafeStr;
use sqlx::migrate::{Migration, MigrationType, Migrator};

/// The number, the name and the statements of each, from their files `NUMBER_NAME.sql`.
const ALL: &[(i64, &str, &str)] = &[
    (1, "start", include_str!("../../../migrations/sqlite/0001_start.sql")),
    (2, "bursts", include_str!("../../../migrations/sqlite/0002_bursts.sql")),
    (7, "indexes", include_str!("../../../migrations/sqlite/0007_indexes.sql")),
];

/// All of them, in order.
pub(super) fn all() -> Migrator {
    let migrations = ALL.iter().map(|(number, name, sql)| {
        Migration::new(*number, (*name).into(), MigrationType::Simple, sql.into_sql_str(), false)
    });
    Migrator::with_migrations(migrations.collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_a_migration_by_its_number_and_name() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/sqlite");
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
        let mut files: Vec<(String, String)> = files
            .map(|file| {
                let name = file.file_name().into_string().unwrap();
                (name, std::fs::read_to_string(file.path()).unwrap())
            })
            .collect();
        files.sort();
        let listed = ALL.iter();
        let listed = listed.map(|(number, name, sql)| (format!("{number:04}_{name}.sql"), (*sql).to_owned()));
        assert_eq!(listed.collect::<Vec<_>>(), files);
    }

    /// What states of 0.1.0 hold: a migration that differs is refused by them.
    #[test]
    fn those_of_released_versions_are_as_they_were() {
        let all = all();
        let checksum = |migration: &Migration| {
            migration.checksum.iter().take(8).map(|byte| format!("{byte:02x}")).collect::<String>()
        };
        let checksums: Vec<String> = all.iter().take(2).map(checksum).collect();
        assert_eq!(checksums, ["e8e0e5d35e636f91", "3a41d5ec9c7ae31d"]);
    }
}
