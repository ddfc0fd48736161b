//! What is installed in the database, by its owner and before the first log.

use std::time::{Duration, Instant};

use audit_core::backend::BackendError;

use crate::server::Server;
use crate::settings::Settings;
use crate::url::UrlError;

/// The version of tables and functions that this crate works with.
pub const SCHEMA_VERSION: i32 = 1;

/// One step from an older schema to a newer one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Migration {
    /// The version that is installed once the step is done.
    pub version: i32,
    /// SQL, to be run in one transaction by a superuser, or by a role with `CREATEROLE` and with
    /// `CREATE` on the database.
    pub sql: String,
}

/// All steps, oldest first, for tables in the schema `schema`.
///
/// # Errors
///
/// [`UrlError`] when `schema` is not a plain name: up to 48 of `a-z`, `0-9` and `_`.
pub fn migrations(schema: &str) -> Result<Vec<Migration>, UrlError> {
    // The settings check the name as they do in a URL.
    Settings::new("postgres://x@localhost/x", &[("schema".to_owned(), schema.to_owned())])?;
    let owner = format!("SET LOCAL ROLE {schema}_owner;\n\n");
    let parts = [ROLES, &owner, TABLES, FUNCTIONS, OUTBOX, GUARDS, "RESET ROLE;\n"];
    let sql = parts.map(|part| part.replace("{schema}", schema)).join("\n");
    Ok(vec![Migration { version: SCHEMA_VERSION, sql }])
}

/// Installs what is missing of the schema in the database that `url` names, as the user in it:
/// a superuser, or a role with `CREATEROLE` and `CREATE` on the database. Returns the version that is
/// there afterwards. What is there already stays.
///
/// Blocks for at most `patience`; must not be called inside of an async runtime.
///
/// # Errors
///
/// [`BackendError::Misconfigured`] for a URL or rights that do not do, and the others as for any call.
pub fn install(url: &str, options: &[(String, String)], patience: Duration) -> Result<i32, BackendError> {
    let deadline = Instant::now() + patience;
    let settings = Settings::new(url, options).map_err(|error| misconfigured(&error))?;
    let server = Server::new(&settings)?;
    server.greet(deadline)?;
    let there = installed(&server, &settings.schema, deadline)?.unwrap_or(0);
    if there > SCHEMA_VERSION {
        return Err(BackendError::Misconfigured { detail: wrong_version(&settings.schema, there) });
    }
    let missing = migrations(&settings.schema).map_err(|error| misconfigured(&error))?;
    for step in missing.into_iter().filter(|step| step.version > there) {
        server.script("installing the schema", deadline, &format!("BEGIN;\n{}\nCOMMIT;", step.sql))?;
    }
    installed(&server, &settings.schema, deadline).map(Option::unwrap_or_default)
}

/// The version that is installed; `None` if there is none, or none that this role may see.
pub(crate) fn installed(server: &Server, schema: &str, deadline: Instant) -> Result<Option<i32>, BackendError> {
    const DOING: &str = "looking for the schema";
    let there = server.read(
        DOING,
        deadline,
        "SELECT EXISTS (SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
           WHERE n.nspname = $1 AND c.relname = 'schema_version')",
        &[(&schema, tokio_postgres::types::Type::TEXT)],
    )?;
    if !there.first().is_some_and(|row| row.get(0)) {
        return Ok(None);
    }
    let version = server.read(DOING, deadline, &format!("SELECT max(version) FROM {schema}.schema_version"), &[])?;
    Ok(version.first().and_then(|row| row.get(0)))
}

/// The body of a function as this crate installs it, without the marks around it.
pub(crate) fn body_of(function: &str) -> Option<&'static str> {
    let mark = format!("${function}$");
    [FUNCTIONS, OUTBOX].iter().find_map(|functions| functions.split(mark.as_str()).nth(1))
}

pub(crate) fn wrong_version(schema: &str, there: i32) -> String {
    format!(
        "the schema {schema} has version {there}, this program works with {SCHEMA_VERSION}: \
         {}",
        if there < SCHEMA_VERSION {
            "apply what `audit grants postgres` prints for the administrator"
        } else {
            "use a newer release"
        }
    )
}

fn misconfigured(error: &UrlError) -> BackendError {
    BackendError::Misconfigured { detail: error.to_string() }
}

/// The functions, by the name under which each is created.
pub(crate) const FUNCTION_NAMES: [&str; 16] = [
    "allow_put",
    "append",
    "check_event",
    "check_log",
    "check_members",
    "check_value",
    "check_writer",
    "commit_durably",
    "create_log",
    "discard",
    "only_forward",
    "pending",
    "publish",
    "put",
    "refuse_change",
    "wait_for_appends",
];

const ROLES: &str = include_str!("sql/roles.sql");
const TABLES: &str = include_str!("sql/tables.sql");
const FUNCTIONS: &str = include_str!("sql/functions.sql");
const OUTBOX: &str = include_str!("sql/outbox.sql");
const GUARDS: &str = include_str!("sql/guards.sql");
