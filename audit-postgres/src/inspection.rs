//! What a server and its rights have to be like, before the first line and while a log runs.

use std::time::Instant;

use audit_core::backend::{BackendError, Concern};
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::schema::{FUNCTION_NAMES, SCHEMA_VERSION, body_of, installed, wrong_version};
use crate::server::Server;

const DOING: &str = "checking the server's settings and rights";

/// What was found.
#[derive(Debug)]
pub(crate) struct Inspection {
    /// What is not as it has to be, each with what to do about it.
    pub(crate) concerns: Vec<Concern>,
    /// Whether a commit waits for another server.
    pub(crate) replicated: bool,
}

/// Whether a commit waits for another server, as the server says now.
pub(crate) fn is_replicated(server: &Server, deadline: Instant) -> Result<bool, BackendError> {
    let rows = server.read(DOING, deadline, STANDBYS, &[])?;
    Ok(rows.first().and_then(|row| row.try_get(0).ok()).unwrap_or(false))
}

/// Looks at everything that a writer's promises rest on.
pub(crate) fn inspect(server: &Server, schema: &str, deadline: Instant) -> Result<Inspection, BackendError> {
    let mut found = Inspection { concerns: Vec::new(), replicated: false };
    for row in server.read(DOING, deadline, SETTINGS, &[])? {
        settings(&row, &mut found);
    }
    for row in server.read(DOING, deadline, ROLE, &[])? {
        role(&row, &mut found.concerns);
    }
    match installed(server, schema, deadline)? {
        Some(SCHEMA_VERSION) => {}
        Some(other) => found.add("schema_version", wrong_version(schema, other)),
        None => {
            found.add(
                "schema",
                format!(
                    "there is no schema {schema} in {} that this role can see: \
                     apply what `audit grants postgres` prints for the administrator and the writer",
                    server.place
                ),
            );
            return Ok(found);
        }
    }
    let of_schema = [(&schema as &(dyn tokio_postgres::types::ToSql + Sync), Type::TEXT)];
    for row in server.read(DOING, deadline, SCHEMA, &of_schema)? {
        owned_schema(&row, schema, &mut found);
    }
    let tables = server.read(DOING, deadline, TABLES, &of_schema)?;
    for row in &tables {
        table(row, schema, &mut found);
    }
    if tables.len() != TABLE_COUNT {
        found.add(
            "tables",
            format!("the schema {schema} has {} of {TABLE_COUNT} tables: install it again", tables.len()),
        );
    }
    for row in server.read(DOING, deadline, INDEXES, &of_schema)? {
        index(&row, schema, &mut found);
    }
    triggers(&server.read(DOING, deadline, TRIGGERS, &of_schema)?, schema, &mut found);
    functions(&server.read(DOING, deadline, FUNCTIONS, &of_schema)?, schema, &mut found);
    Ok(found)
}

impl Inspection {
    fn add(&mut self, setting: &str, detail: String) {
        self.concerns.push(Concern::new(setting, detail));
    }
}

fn settings(row: &Row, found: &mut Inspection) {
    let text = |name: &str| row.try_get::<_, String>(name).unwrap_or_default();
    for (name, lost) in [
        ("fsync", "a power loss can take acknowledged records, or the whole database"),
        ("full_page_writes", "a power loss can leave pages that are half old, half new"),
        ("synchronous_commit", "commits return before they are on disk"),
    ] {
        if text(name) == "off" {
            found.add(name, format!("{name} = off: {lost}; set it to on, for the server, the database and the role"));
        }
    }
    if text("server_encoding") != "UTF8" {
        let encoding = text("server_encoding");
        found.add(
            "server_encoding",
            format!("the database has the encoding {encoding}, lines are UTF-8: use one with UTF8"),
        );
    }
    if row.try_get("in_recovery").unwrap_or(false) {
        found.add("in_recovery", "this server is a read-only standby: connect to the primary".to_owned());
    }
    if text("read_only") == "on" {
        let detail = "transactions are read-only by default: set default_transaction_read_only to off for this role";
        found.add("default_transaction_read_only", detail.to_owned());
    }
    let version = row.try_get::<_, i32>("version").unwrap_or(0);
    if version < OLDEST {
        found.add("server_version", format!("PostgreSQL {} is too old: 13 or later is needed", version / 10_000));
    }
    found.replicated = !text("standbys").trim().is_empty();
}

fn role(row: &Row, concerns: &mut Vec<Concern>) {
    let name: String = row.try_get("name").unwrap_or_default();
    for (column, setting, may, remedy) in [
        (
            "is_superuser",
            "superuser",
            "is a superuser, or a member of one, and may change anything",
            "connect as a role that is none",
        ),
        ("creates_roles", "createrole", "may make itself a member of the owner", "ALTER ROLE … NOCREATEROLE"),
        (
            "owns_database",
            "database_owner",
            "owns the database and may drop it or change its settings",
            "give the database another owner",
        ),
        (
            "runs_programs",
            "server_files",
            "may write the server's files or run programs there",
            "revoke pg_write_server_files and pg_execute_server_program",
        ),
    ] {
        if row.try_get(column).unwrap_or(true) {
            concerns.push(Concern::new(setting, format!("the role {name} {may}: {remedy}")));
        }
    }
}

fn owned_schema(row: &Row, schema: &str, found: &mut Inspection) {
    if row.try_get("others_create").unwrap_or(true) {
        let detail = format!("others than its owner may create objects in the schema {schema}: revoke CREATE on it");
        found.add("schema_create", detail);
    }
    if !row.try_get("same_owner").unwrap_or(false) {
        let detail = format!(
            "the schema {schema} has another owner than its tables, who may drop them: \
             ALTER SCHEMA {schema} OWNER TO {schema}_owner"
        );
        found.add("schema_owner", detail);
    }
    if row.try_get("is_owner").unwrap_or(true) {
        found.add(
            "schema_owner",
            format!("this role owns the schema {schema}, or is a member of its owner: connect as a writer"),
        );
    }
}

fn table(row: &Row, schema: &str, found: &mut Inspection) {
    let name: String = row.try_get("name").unwrap_or_default();
    let is = |column: &str| row.try_get(column).unwrap_or(true);
    if is("is_owner") {
        let detail = format!(
            "this role owns {schema}.{name}, or is a member of its owner, and may disable its triggers: connect as a writer"
        );
        found.add(&format!("{name}.owner"), detail);
    }
    for right in ["insert", "update", "delete", "truncate", "trigger"] {
        if is(right) {
            let detail = format!(
                "this role has the right to {right} on {schema}.{name}: revoke it, a writer only executes functions"
            );
            found.add(&format!("{name}.{right}"), detail);
        }
    }
    if is("not_logged") {
        found.add(
            &format!("{name}.persistence"),
            format!("{schema}.{name} is not logged and lost in a crash: ALTER TABLE … SET LOGGED"),
        );
    }
    if is("has_rules") {
        let detail = format!("{schema}.{name} has rules or row security, which hide or rewrite rows: remove them");
        found.add(&format!("{name}.rules"), detail);
    }
}

/// An index that refuses a row stops the log.
fn index(row: &Row, schema: &str, found: &mut Inspection) {
    let name: String = row.try_get("name").unwrap_or_default();
    if row.try_get("is_unique").unwrap_or(true) {
        let detail = format!("the index {name} on {schema}.lines is unique, and may refuse a line: drop it");
        found.add(&format!("index {name}"), detail);
    } else if row.try_get::<_, i64>("widest").unwrap_or(i64::MAX) > INDEXED {
        let detail = format!(
            "the index {name} on {schema}.lines may refuse a line, as an entry has at most 2,704 bytes: drop it, \
             and index md5(resource) or left(resource, 200)"
        );
        found.add(&format!("index {name}"), detail);
    }
}

/// Every trigger of ours has to be there and to fire always, and no other.
fn triggers(rows: &[Row], schema: &str, found: &mut Inspection) {
    let mut missing = TRIGGER_NAMES.to_vec();
    for row in rows {
        let name: String = row.try_get("name").unwrap_or_default();
        let table: String = row.try_get("table_name").unwrap_or_default();
        let enabled: String = row.try_get("enabled").unwrap_or_default();
        match missing.iter().position(|(known, on, ..)| *known == name && *on == table) {
            None => {
                found.add(
                    "trigger",
                    format!("{schema}.{table} has the trigger {name}, which is none of this log's: drop it"),
                );
            }
            Some(at) => {
                let (_, _, function, kind) = missing.swap_remove(at);
                if enabled != "A" {
                    let detail = format!(
                        "the trigger {name} on {schema}.{table} does not fire always: ALTER TABLE {schema}.{table} ENABLE ALWAYS TRIGGER {name}"
                    );
                    found.add(name.as_str(), detail);
                }
                let is_ours = row.try_get::<_, String>("function").is_ok_and(|found| found == function)
                    && row.try_get::<_, i16>("kind").is_ok_and(|found| found == kind)
                    && !row.try_get("conditional").unwrap_or(true);
                if !is_ours {
                    found.add(
                        name.as_str(),
                        format!(
                            "the trigger {name} on {schema}.{table} is not the one that was installed: install it again"
                        ),
                    );
                }
            }
        }
    }
    for (name, table, ..) in missing {
        found.add(name, format!("the trigger {name} on {schema}.{table} is missing: install it again"));
    }
}

/// Every function of ours has to be there once, with the body that this program installs.
fn functions(rows: &[Row], schema: &str, found: &mut Inspection) {
    let path = format!("search_path=pg_catalog, {schema}, pg_temp");
    for name in FUNCTION_NAMES {
        let mut of_that_name = rows.iter().filter(|row| row.try_get::<_, String>("name").is_ok_and(|it| it == name));
        let (Some(row), None) = (of_that_name.next(), of_that_name.next()) else {
            found.add(name, format!("there is not exactly one function {schema}.{name}: install the schema again"));
            continue;
        };
        if DEFINERS.contains(&name) && !row.try_get("executes").unwrap_or(false) {
            let detail = format!(
                "this role has no right to execute {schema}.{name}: apply what `audit grants postgres` prints for the writer"
            );
            found.add(&format!("{name}.execute"), detail);
        }
        let owner_is_right = !row.try_get("is_owner").unwrap_or(true) && row.try_get("same_owner").unwrap_or(false);
        if !owner_is_right {
            let detail = format!(
                "the function {schema}.{name} is not owned by the owner of the tables, or by this role: ALTER FUNCTION … OWNER TO {schema}_owner"
            );
            found.add(&format!("{name}.owner"), detail);
        }
        let same = row.try_get::<_, String>("body").ok().as_deref() == body_of(name)
            && row
                .try_get::<_, Option<Vec<String>>>("settings")
                .is_ok_and(|set| set.unwrap_or_default() == [path.as_str()])
            && row.try_get::<_, bool>("definer").is_ok_and(|definer| definer == DEFINERS.contains(&name));
        if !same {
            found.add(
                name,
                format!(
                    "the function {schema}.{name} is not the one that this program installs: install the schema again"
                ),
            );
        }
    }
}

/// 13.0, in the server's own way of counting.
const OLDEST: i32 = 130_000;

/// The most bytes of an entry in a B-tree: a third of a page, less what stands before it.
const INDEXED: i64 = 2_650;

const TABLE_COUNT: usize = 8;

/// Name, table, function and kind of each trigger: the bits are those of `pg_trigger.tgtype`.
const TRIGGER_NAMES: [(&str, &str, &str, i16); 4] = [
    ("lines_only_grow", "lines", "refuse_change", 2 | 8 | 16 | 32),
    ("checkpoints_only_grow", "checkpoints", "refuse_change", 2 | 8 | 16 | 32),
    ("heads_stay", "heads", "refuse_change", 2 | 8 | 32),
    ("heads_move_forward", "heads", "only_forward", 1 | 2 | 16),
];

/// Functions that run with the rights of their owner.
const DEFINERS: [&str; 8] =
    ["allow_put", "append", "create_log", "discard", "pending", "publish", "put", "wait_for_appends"];

const SETTINGS: &str = "SELECT current_setting('server_version_num')::integer AS version,
  current_setting('fsync') AS fsync, current_setting('full_page_writes') AS full_page_writes,
  current_setting('synchronous_commit') AS synchronous_commit,
  current_setting('synchronous_standby_names') AS standbys,
  current_setting('server_encoding') AS server_encoding,
  current_setting('default_transaction_read_only') AS read_only,
  pg_catalog.pg_is_in_recovery() AS in_recovery";

const STANDBYS: &str = "SELECT btrim(current_setting('synchronous_standby_names')) <> ''";

const ROLE: &str = "SELECT session_user::text AS name,
  EXISTS (SELECT FROM pg_catalog.pg_roles r
    WHERE r.rolsuper AND pg_catalog.pg_has_role(session_user, r.oid, 'MEMBER')) AS is_superuser,
  EXISTS (SELECT FROM pg_catalog.pg_roles r
    WHERE r.rolcreaterole AND pg_catalog.pg_has_role(session_user, r.oid, 'MEMBER')) AS creates_roles,
  EXISTS (SELECT FROM pg_catalog.pg_database d WHERE d.datname = current_database()
    AND pg_catalog.pg_has_role(session_user, d.datdba, 'MEMBER')) AS owns_database,
  EXISTS (SELECT FROM pg_catalog.pg_roles r
    WHERE r.rolname IN ('pg_write_server_files', 'pg_execute_server_program')
    AND pg_catalog.pg_has_role(session_user, r.oid, 'MEMBER')) AS runs_programs";

const SCHEMA: &str = "SELECT pg_catalog.pg_has_role(session_user, n.nspowner, 'MEMBER') AS is_owner,
  EXISTS (SELECT FROM pg_catalog.aclexplode(n.nspacl) AS may
    WHERE may.privilege_type = 'CREATE' AND may.grantee <> n.nspowner) AS others_create,
  EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.relnamespace = n.oid AND c.relname = 'lines'
    AND c.relowner = n.nspowner) AS same_owner
  FROM pg_catalog.pg_namespace n WHERE n.nspname = $1";

/// Rights are those of every role that this one may act as, inherited or not.
const TABLES: &str = "SELECT c.relname::text AS name,
  pg_catalog.pg_has_role(session_user, c.relowner, 'MEMBER') AS is_owner,
  c.relpersistence <> 'p' AS not_logged, c.relhasrules OR c.relrowsecurity AS has_rules,
  bool_or(pg_catalog.has_any_column_privilege(r.oid, c.oid, 'INSERT')) AS insert,
  bool_or(pg_catalog.has_any_column_privilege(r.oid, c.oid, 'UPDATE')) AS update,
  bool_or(pg_catalog.has_table_privilege(r.oid, c.oid, 'DELETE')) AS delete,
  bool_or(pg_catalog.has_table_privilege(r.oid, c.oid, 'TRUNCATE')) AS truncate,
  bool_or(pg_catalog.has_table_privilege(r.oid, c.oid, 'TRIGGER')) AS trigger
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  CROSS JOIN pg_catalog.pg_roles r
  WHERE n.nspname = $1 AND c.relkind IN ('r', 'p')
    AND c.relname IN ('schema_version', 'installation', 'heads', 'lines', 'checkpoints',
      'outbox', 'outbox_ids', 'outbox_roles')
    AND pg_catalog.pg_has_role(session_user, r.oid, 'MEMBER')
  GROUP BY c.oid, c.relname, c.relowner, c.relpersistence, c.relhasrules, c.relrowsecurity";

/// Texts are as long as a record may have them.
const INDEXES: &str = "SELECT c.relname::text AS name, i.indisunique AS is_unique,
  (SELECT coalesce(sum(CASE a.attname WHEN 'line' THEN 65535 WHEN 'resource' THEN 8192 WHEN 'log' THEN 255
      WHEN 'kind' THEN 64 WHEN 'result' THEN 64 WHEN 'actor_type' THEN 64 ELSE 1024 END), 0)
    FROM pg_catalog.pg_attribute a WHERE a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
    AND a.atttypid = 'pg_catalog.text'::pg_catalog.regtype AND m.amname IN ('btree', 'brin'))::bigint AS widest
  FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
  JOIN pg_catalog.pg_am m ON m.oid = c.relam
  JOIN pg_catalog.pg_class t ON t.oid = i.indrelid JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
  WHERE n.nspname = $1 AND t.relname = 'lines' AND NOT i.indisprimary";

const TRIGGERS: &str = "SELECT t.tgname::text AS name, c.relname::text AS table_name, t.tgenabled::text AS enabled,
  p.proname::text AS function, t.tgtype AS kind, t.tgqual IS NOT NULL OR t.tgattr::text <> '' AS conditional
  FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
  WHERE n.nspname = $1 AND NOT t.tgisinternal AND c.relname IN ('heads', 'lines', 'checkpoints', 'outbox', 'outbox_ids')";

const FUNCTIONS: &str =
    "SELECT p.proname::text AS name, p.prosrc AS body, p.proconfig AS settings, p.prosecdef AS definer,
  pg_catalog.pg_has_role(session_user, p.proowner, 'MEMBER') AS is_owner,
  pg_catalog.has_function_privilege(p.oid, 'EXECUTE') AS executes,
  EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.relnamespace = n.oid AND c.relname = 'lines'
    AND c.relowner = p.proowner) AS same_owner
  FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
  WHERE n.nspname = $1";
