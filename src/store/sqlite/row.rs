//! Rows of a query as structs. A declaration and not sqlx's derive, for which SQLite and sqlx would be compiled a second
//! time, for the compiler to run.

/// Declares a struct that is read from a row by the names of its fields.
macro_rules! from_row {
    ($(#[$attribute:meta])* $visibility:vis struct $name:ident {
        $($field_visibility:vis $field:ident: $type:ty),* $(,)?
    }) => {
        $(#[$attribute])*
        $visibility struct $name {
            $($field_visibility $field: $type),*
        }

        impl sqlx::FromRow<'_, sqlx::sqlite::SqliteRow> for $name {
            fn from_row(row: &sqlx::sqlite::SqliteRow) -> Result<Self, sqlx::Error> {
                Ok(Self { $($field: sqlx::Row::try_get(row, stringify!($field))?),* })
            }
        }
    };
}

pub(super) use from_row;
