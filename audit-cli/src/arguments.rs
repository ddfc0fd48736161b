//! What can be asked on the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Checks, reads and proves tamper-evident audit logs.
///
/// Exit codes: 0 as it should be, 1 the evidence says no, 2 could not tell.
#[derive(Debug, Parser)]
#[command(name = "audit", version, max_term_width = 100)]
pub(crate) struct Arguments {
    /// Print JSON for programs instead of text for people
    #[arg(long, global = true)]
    pub(crate) json: bool,

    #[command(subcommand)]
    pub(crate) verb: Verb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Check a log or a fleet: every line, the chain, the tree, every signature, copies
    Verify(Verify),
    /// Show the last records, and with -f those that come
    Tail(Tail),
    /// Show the records of a log or a fleet that match
    Query(Query),
    /// Make a proof for one record that anyone with the verifier key can check
    Prove(Prove),
    /// Check a proof, offline
    Check(Check),
    /// Print the least rights that a writer, a reader or an administrator needs, ready to apply
    Grants(Grants),
    /// Make a signing key, and print its verifier key
    Keygen(Keygen),
    /// Read a policy: whether it loads, and which rule decides about a call
    #[command(subcommand)]
    Policy(Policy),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Policy {
    /// Load a policy as a log would, and show its rules as they will be applied
    Check(PolicyCheck),
    /// Show which rule decides about a call, why no other one does, and what that means
    Explain(PolicyExplain),
}

#[derive(Debug, Args)]
pub(crate) struct PolicyCheck {
    /// File with the policy
    pub(crate) file: PathBuf,
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("what").args(["path", "action"]).required(true))]
pub(crate) struct PolicyExplain {
    /// File with the policy
    pub(crate) file: PathBuf,

    /// Who calls: service_account, user, app_user, api_key, system or unknown, and the id; without
    /// it nobody who is known
    #[arg(long, value_name = "TYPE[:ID]")]
    pub(crate) actor: Option<String>,

    /// Who vouches for the actor
    #[arg(long, requires = "actor")]
    pub(crate) issuer: Option<String>,

    /// The service verified who the actor is; without this it is a claim
    #[arg(long, requires = "actor")]
    pub(crate) verified: bool,

    /// Method of an HTTP request
    #[arg(long, requires = "path")]
    pub(crate) method: Option<String>,

    /// Path of an HTTP request as it is sent, without its query
    #[arg(long, requires = "method")]
    pub(crate) path: Option<String>,

    /// Action of a span; package.Service/Method, with one `/`, is a remote procedure call
    #[arg(long, conflicts_with_all = ["method", "path"])]
    pub(crate) action: Option<String>,

    /// The action is that of a span although there is a `/` in it
    #[arg(long, requires = "action", conflicts_with_all = ["method", "path"])]
    pub(crate) span: bool,
}

/// Where a log is.
#[derive(Debug, Args)]
pub(crate) struct Place {
    /// Directory or URL of the log, or, to verify or query, of what many logs lie under
    #[arg(required_unless_present = "config")]
    pub(crate) log: Option<String>,

    /// Configuration file whose primary is the log; to verify, its replicas are compared with it
    #[arg(long, value_name = "FILE", conflicts_with = "log")]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    #[command(flatten)]
    pub(crate) place: Place,

    /// Verifier key, as text or in a file; without it `log.pub` is believed
    #[arg(long, value_name = "VKEY|FILE")]
    pub(crate) key: Option<String>,

    /// A checkpoint that was kept somewhere else; the log has to extend it
    #[arg(long, value_name = "FILE")]
    pub(crate) against: Vec<PathBuf>,

    /// Another store that holds copies; they have to be the same
    #[arg(long, value_name = "URL")]
    pub(crate) replica: Vec<String>,

    /// What an earlier run saw, to notice what is gone; made anew, and replaced by what this run sees
    #[arg(long, value_name = "FILE")]
    pub(crate) fleet_state: Option<PathBuf>,

    /// The time at which a log that is not closed has to be alive, by default the present
    #[arg(long, value_name = "TIME")]
    pub(crate) now: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Tail {
    #[command(flatten)]
    pub(crate) place: Place,

    /// Go on showing records as they are written
    #[arg(short, long)]
    pub(crate) follow: bool,

    /// How many records to start with
    #[arg(short = 'n', long, value_name = "N", default_value_t = 10)]
    pub(crate) lines: u64,
}

#[derive(Debug, Args)]
pub(crate) struct Query {
    #[command(flatten)]
    pub(crate) place: Place,

    /// Id of the actor, `*` for any characters, or a type such as service_account
    #[arg(long)]
    pub(crate) actor: Option<String>,

    /// Action, `*` for any characters
    #[arg(long)]
    pub(crate) action: Option<String>,

    /// How calls ended: success, failure, denied, error, cancelled, panicked, refused, unknown
    #[arg(long)]
    pub(crate) result: Option<String>,

    /// Begun at this time or later: 2026-11-23T11:40:00Z, 2026-11-23, or 15m for that long ago
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,

    /// Begun before this time
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<String>,

    /// Trace id or whole traceparent
    #[arg(long)]
    pub(crate) trace: Option<String>,
}

#[derive(Debug, Args)]
#[command(allow_missing_positional = true)]
pub(crate) struct Prove {
    #[command(flatten)]
    pub(crate) place: Place,

    /// Number of the record
    pub(crate) seq: u64,

    /// Where to write the proof, by default the standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// File with the proof
    pub(crate) file: PathBuf,

    /// Verifier key, as text or in a file
    #[arg(long, value_name = "VKEY|FILE")]
    pub(crate) key: String,
}

#[derive(Debug, Args)]
pub(crate) struct Grants {
    /// Kind of store
    pub(crate) store: Store,

    /// URL of the log, or of the prefix that a fleet has in common; the user in it gets the rights
    pub(crate) url: String,

    /// Who gets the rights
    #[arg(long)]
    pub(crate) role: Role,

    /// Setting of the store, under the name that the query of its URLs takes
    #[arg(long, value_name = "NAME=VALUE", value_parser = setting)]
    pub(crate) set: Vec<(String, String)>,
}

/// A store with rights of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Store {
    /// A bucket policy, or that of a user (JSON)
    S3,
    /// Permissions for the configuration of nats-server
    Nats,
    /// SQL
    Postgres,
}

/// Whom rights are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Role {
    /// A service: appends and reads, never changes or deletes
    Writer,
    /// Whoever verifies
    Reader,
    /// Whoever sets the store up
    Administrator,
}

fn setting(text: &str) -> Result<(String, String), &'static str> {
    let (name, value) = text.split_once('=').ok_or("write it as NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

#[derive(Debug, Args)]
pub(crate) struct Keygen {
    /// Name of the log or fleet that the key will sign, like payments.example.com/prod-1
    pub(crate) origin: String,

    /// Where to write the private key; a file that exists is not overwritten
    #[arg(short, long, value_name = "FILE", default_value = "audit.key")]
    pub(crate) out: PathBuf,
}
