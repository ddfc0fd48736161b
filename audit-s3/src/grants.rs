//! The least that each role needs, as policies that a store understands.

use serde_json::{Value, json};

use super::location::Location;
use super::settings::Settings;
use super::{LockMode, UrlError};

/// Who works with a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Role {
    /// The service: makes objects, reads them back, and never takes anything away.
    Writer,
    /// Whoever verifies: reads objects, their versions and their locks.
    Reader,
    /// Whoever makes buckets and changes their settings. May not touch the objects of the log.
    Administrator,
}

impl Role {
    /// The word that stands on command lines.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Writer => "writer",
            Self::Reader => "reader",
            Self::Administrator => "administrator",
        }
    }
}

/// What reads the bucket's settings.
const SETTINGS: [&str; 2] = ["s3:GetBucketVersioning", "s3:GetBucketObjectLockConfiguration"];

/// What reads objects, their versions and their locks.
const OBJECTS: [&str; 3] = ["s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectRetention"];

/// What nobody who works with a log may do to its objects.
const NEVER_OBJECTS: [&str; 6] = [
    "s3:DeleteObject",
    "s3:DeleteObjectVersion",
    "s3:BypassGovernanceRetention",
    "s3:PutObjectAcl",
    "s3:PutObjectVersionAcl",
    "s3:PutObjectLegalHold",
];

/// What nobody may do to the bucket of a log but its administrator.
const NEVER_BUCKET: [&str; 7] = [
    "s3:DeleteBucket",
    "s3:DeleteBucketPolicy",
    "s3:PutBucketAcl",
    "s3:PutBucketObjectLockConfiguration",
    "s3:PutBucketPolicy",
    "s3:PutBucketVersioning",
    "s3:PutLifecycleConfiguration",
];

/// The policy (JSON) for `role` on the log or the fleet of logs at `url`. Settings as for
/// [`S3::from_url`](super::S3::from_url), and `principal`.
///
/// Without `principal` it is for a user or a role of the store's identity service; with it, an ARN
/// such as `arn:aws:iam::123456789012:role/payments`, it is for the bucket.
///
/// The writer may lock in `mode` only, compliance by default, and with `retention_days` for no shorter time;
/// where the log takes the bucket's default retention, give both as the bucket has them. This needs a store
/// that knows the keys `s3:object-lock-mode` and `s3:object-lock-remaining-retention-days`. With `fencing=enforce`, the
/// default, it may make objects only on the condition that there is none, which needs a store that
/// knows the key `s3:if-none-match`; with `fencing=detect` there is no such condition.
///
/// # Errors
///
/// As for [`S3::from_url`](super::S3::from_url).
pub fn grants(role: Role, url: &str, options: &[(String, String)]) -> Result<String, UrlError> {
    let (principal, options): (Vec<_>, Vec<_>) = options.iter().cloned().partition(|(key, _)| key == "principal");
    if principal.len() > 1 {
        return Err(UrlError::Twice { key: "principal".into() });
    }
    let (location, settings) = Settings::from_url(url, &options)?;
    let mut statements = match role {
        Role::Writer => writer(&location, &settings),
        Role::Reader => reader(&location),
        Role::Administrator => administrator(&location),
    };
    if let Some((_, principal)) = principal.first() {
        for statement in &mut statements {
            if let Some(statement) = statement.as_object_mut() {
                statement.insert("Principal".into(), json!({ "AWS": [principal] }));
            }
        }
    }
    let policy = json!({ "Version": "2012-10-17", "Statement": statements });
    Ok(format!("{policy:#}\n"))
}

fn writer(location: &Location, settings: &Settings) -> Vec<Value> {
    let mut put = allow("WriteOnce", &["s3:PutObject", "s3:PutObjectRetention"], &objects(location));
    if !settings.detect_forks {
        // Without the condition, whoever has these credentials could write over an object.
        put = allow("WriteOnce", &["s3:PutObject"], &objects(location));
        add_condition(&mut put, json!({ "Null": { "s3:if-none-match": "false" } }));
    }
    let mut statements = vec![put];
    if !settings.detect_forks {
        statements.push(allow("Lock", &["s3:PutObjectRetention"], &objects(location)));
    }
    statements.extend(reading(location));
    statements.push(deny("NeverTakeAway", &NEVER_OBJECTS, &objects(location)));
    statements.push(deny("NeverReconfigure", &NEVER_BUCKET, &bucket(location)));
    let mut otherwise = deny("NeverLockOtherwise", &["s3:PutObjectRetention"], &objects(location));
    let mode = settings.mode.unwrap_or(LockMode::Compliance).of_object();
    add_condition(&mut otherwise, json!({ "StringNotEquals": { "s3:object-lock-mode": mode.as_str() } }));
    statements.push(otherwise);
    if let Some(days) = settings.retention_days {
        let mut shorter = deny("NeverLockShorter", &["s3:PutObjectRetention"], &objects(location));
        // Remaining days are counted in whole ones: the last has begun.
        let least = days.saturating_sub(1).to_string();
        add_condition(&mut shorter, json!({ "NumericLessThan": { "s3:object-lock-remaining-retention-days": least } }));
        statements.push(shorter);
    }
    statements
}

fn reader(location: &Location) -> Vec<Value> {
    let mut statements = reading(location);
    let writes = ["s3:PutObject", "s3:PutObjectRetention"];
    statements.push(deny("NeverWrite", &writes, &objects(location)));
    statements.push(deny("NeverTakeAway", &NEVER_OBJECTS, &objects(location)));
    statements.push(deny("NeverReconfigure", &NEVER_BUCKET, &bucket(location)));
    statements
}

fn administrator(location: &Location) -> Vec<Value> {
    let settings = [
        "s3:CreateBucket",
        "s3:GetBucketObjectLockConfiguration",
        "s3:GetBucketPolicy",
        "s3:GetBucketVersioning",
        "s3:GetLifecycleConfiguration",
        "s3:ListBucketVersions",
        "s3:PutBucketObjectLockConfiguration",
        "s3:PutBucketPolicy",
        "s3:PutBucketVersioning",
    ];
    let writes = ["s3:PutObject", "s3:PutObjectRetention"];
    vec![
        allow("Configure", &settings, &bucket(location)),
        deny("NeverWrite", &writes, &objects(location)),
        deny("NeverTakeAway", &NEVER_OBJECTS, &objects(location)),
    ]
}

fn reading(location: &Location) -> Vec<Value> {
    let mut list = allow("ListVersions", &["s3:ListBucketVersions"], &bucket(location));
    if !location.path.is_empty() {
        let prefix = &location.path;
        add_condition(&mut list, json!({ "StringLike": { "s3:prefix": [format!("{prefix}/*")] } }));
    }
    vec![allow("Read", &OBJECTS, &objects(location)), list, allow("LookAtSettings", &SETTINGS, &bucket(location))]
}

fn allow(sid: &str, actions: &[&str], resource: &str) -> Value {
    json!({ "Sid": sid, "Effect": "Allow", "Action": actions, "Resource": [resource] })
}

fn deny(sid: &str, actions: &[&str], resource: &str) -> Value {
    json!({ "Sid": sid, "Effect": "Deny", "Action": actions, "Resource": [resource] })
}

fn add_condition(statement: &mut Value, condition: Value) {
    if let Some(statement) = statement.as_object_mut() {
        statement.insert("Condition".into(), condition);
    }
}

fn bucket(location: &Location) -> String {
    format!("arn:aws:s3:::{}", location.bucket)
}

fn objects(location: &Location) -> String {
    let inside = if location.path.is_empty() { String::new() } else { format!("{}/", location.path) };
    format!("arn:aws:s3:::{}/{inside}*", location.bucket)
}
