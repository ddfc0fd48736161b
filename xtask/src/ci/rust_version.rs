//! Whether each crate keeps the `rust-version` it promises.
//!
//! Clippy's `incompatible_msrv` looks at the code; this looks at the dependencies.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use crate::ci::Verdict;
use crate::command::{self, Result};

pub(crate) fn check() -> Result<Verdict> {
    let host = ["--all-features", "--filter-platform", PLATFORM];
    let metadata = command::metadata(&host)?;
    let packages: HashMap<&str, &Value> = by_id(&metadata["packages"]);
    let nodes: HashMap<&str, &Value> = by_id(&metadata["resolve"]["nodes"]);
    let mut too_new = Vec::new();
    for member in strings(&metadata["workspace_members"]) {
        let package = packages.get(member).ok_or("a member is no package")?;
        let name = &package["name"];
        let promised = version(package).ok_or_else(|| format!("{name} has no rust-version"))?;
        let mut newest = ((0, 0, 0), "nothing");
        for dependency in needed(member, &nodes) {
            let Some(package) = packages.get(dependency) else {
                continue;
            };
            let Some(needs) = version(package) else {
                continue;
            };
            let name = package["name"].as_str().unwrap_or_default();
            newest = newest.max((needs, name));
        }
        let (needs, because) = newest;
        println!("{name}: promises {}, {because} needs {}", show(promised), show(needs));
        if needs > promised {
            too_new.push(format!("{name} cannot promise {}", show(promised)));
        }
    }
    if too_new.is_empty() { Ok(Verdict::Held) } else { Err(too_new.join("\n").into()) }
}

type Version = (u64, u64, u64);

/// Everything that is compiled into `root` or to build it; tests may need a newer compiler.
fn needed<'a>(root: &'a str, nodes: &HashMap<&'a str, &'a Value>) -> HashSet<&'a str> {
    let mut seen = HashSet::new();
    let mut open = vec![root];
    while let Some(id) = open.pop() {
        let dependencies = nodes.get(id).and_then(|node| node["deps"].as_array());
        for dependency in dependencies.into_iter().flatten() {
            let kinds = dependency["dep_kinds"].as_array();
            let tests_only = kinds.is_some_and(|kinds| kinds.iter().all(|kind| kind["kind"] == "dev"));
            if let Some(id) = dependency["pkg"].as_str()
                && !tests_only
                && seen.insert(id)
            {
                open.push(id);
            }
        }
    }
    seen
}

fn version(package: &Value) -> Option<Version> {
    let mut numbers = package["rust_version"].as_str()?.split('.').map(str::parse);
    let mut next = || numbers.next().and_then(std::result::Result::ok);
    Some((next()?, next().unwrap_or(0), next().unwrap_or(0)))
}

fn show((major, minor, patch): Version) -> String {
    format!("{major}.{minor}.{patch}")
}

fn by_id(list: &Value) -> HashMap<&str, &Value> {
    let items = list.as_array().into_iter().flatten();
    items.filter_map(|item| Some((item["id"].as_str()?, item))).collect()
}

fn strings(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str)
}

const PLATFORM: &str = "x86_64-unknown-linux-gnu";
