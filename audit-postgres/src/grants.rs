//! Least privilege, as SQL that can be applied as it is printed.

use crate::schema::migrations;
use crate::settings::Settings;
use crate::url::UrlError;

/// What somebody may do with the logs of one schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Role {
    /// Appends to logs through functions, puts events into the outbox, and reads.
    Writer,
    /// Reads, and nothing else.
    Reader,
    /// Owns tables and functions. A service never connects as one.
    Administrator,
}

/// The SQL that gives `role` to the user in `url`, in the schema that the options name.
///
/// For a writer and a reader it makes the user if there is none, without a password (`\password` in
/// `psql` sets one), and makes it a member of one group role. For an administrator it is the whole
/// installation, to be run in one transaction by a superuser, or by a role with `CREATEROLE` and with
/// `CREATE` on the database; the user becomes a member of the owner. Contacts no server.
///
/// # Errors
///
/// [`UrlError`] for a URL or options that cannot be used.
pub fn grants(role: Role, url: &str, options: &[(String, String)]) -> Result<String, UrlError> {
    let settings = Settings::new(url, options)?;
    let (schema, user) = (&settings.schema, &settings.location.user);
    if user.contains("$user$") {
        return Err(UrlError::new("user", "a name with `$user$` in it cannot be written in this SQL"));
    }
    let (group, may) = match role {
        Role::Writer => ("writer", "append to logs, and read them"),
        Role::Reader => ("reader", "read logs"),
        Role::Administrator => ("owner", "act as the owner of all logs: not for services"),
    };
    let mut sql = String::new();
    if role == Role::Administrator {
        for step in migrations(schema)? {
            sql.push_str(&format!(
                "-- Version {} of the schema {schema}: once for each database.\nBEGIN;\n",
                step.version
            ));
            sql.push_str(&step.sql);
            sql.push_str("COMMIT;\n\n");
        }
    }
    sql.push_str(&member(user, &format!("{schema}_{group}"), may));
    Ok(sql)
}

/// Makes `user` if there is none, and a member of `group`.
fn member(user: &str, group: &str, may: &str) -> String {
    let (name, text) = (quoted(user, '"'), quoted(user, '\''));
    format!(
        "-- {name} may {may}.
DO $user$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = {text}) THEN
    CREATE ROLE {name} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
  END IF;
END
$user$;
GRANT {group} TO {name};
"
    )
}

/// A name or a text in SQL. Names come from a URL and may hold anything but control characters.
fn quoted(text: &str, quote: char) -> String {
    // A backslash is plain text in both.
    let doubled: String = text.chars().flat_map(|c| std::iter::repeat_n(c, if c == quote { 2 } else { 1 })).collect();
    format!("{quote}{doubled}{quote}")
}
