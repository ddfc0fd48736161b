//! What the pages of this repository say is there, is there.
#![allow(clippy::unwrap_used, reason = "a test that cannot read a page has failed")]

use std::path::{Path, PathBuf};

use audit_backends::Config;
use audit_core::Policy;

const PAGES: [&str; 29] = [
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "README.md",
    "ROADMAP.md",
    "SECURITY.md",
    "audit-backends/README.md",
    "audit-cli/README.md",
    "audit-nats/README.md",
    "audit-postgres/README.md",
    "audit-s3/README.md",
    "docs/actix.md",
    "docs/backends/file.md",
    "docs/backends/nats.md",
    "docs/backends/postgres.md",
    "docs/backends/s3.md",
    "docs/bodies.md",
    "docs/cli.md",
    "docs/durability.md",
    "docs/fleets.md",
    "docs/identity.md",
    "docs/policy.md",
    "docs/record-format.md",
    "docs/replicas.md",
    "docs/testing.md",
    "docs/threats.md",
    "docs/tower.md",
    "docs/tracing.md",
    "docs/verify.md",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn page(name: &str) -> String {
    std::fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The contents of the code blocks of `text` that are marked with `language`.
fn blocks<'a>(text: &'a str, language: &str) -> Vec<&'a str> {
    let start = format!("\n```{language}\n");
    text.split(&start).skip(1).map(|rest| rest.split("\n```").next().unwrap()).collect()
}

/// The targets of the links of `text` that point into this repository.
fn links(text: &str) -> Vec<&str> {
    let targets = text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap());
    targets.filter(|target| !target.contains("://") && !target.starts_with('#')).collect()
}

#[test]
fn the_policies_on_the_pages_load() {
    let mut loaded = 0;
    for name in ["README.md", "docs/durability.md", "docs/policy.md"] {
        for block in blocks(&page(name), "toml").into_iter().filter(|block| block.contains("[[rule]]")) {
            Policy::from_toml(block).unwrap_or_else(|error| panic!("{name}: {error}\n{block}"));
            loaded += 1;
        }
    }
    assert!(loaded >= 2, "only {loaded} policies were found");
}

#[test]
fn the_configurations_on_the_pages_are_understood() {
    let mut loaded = 0;
    for name in PAGES {
        for block in blocks(&page(name), "toml").into_iter().filter(|block| block.contains("[primary]")) {
            Config::from_toml(block).unwrap_or_else(|error| panic!("{name}: {error}\n{block}"));
            loaded += 1;
        }
    }
    assert!(loaded >= 2, "only {loaded} configurations were found");
}

#[test]
fn links_between_the_pages_lead_to_files_and_headings() {
    let mut followed = 0;
    for name in PAGES {
        let text = page(name);
        let folder = root().join(name).parent().unwrap().to_owned();
        for link in links(&text) {
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = folder.join(file);
            assert!(target.exists(), "{name} links to {file}, which is not there");
            if !heading.is_empty() {
                let text = std::fs::read_to_string(&target).unwrap();
                assert!(headings(&text).any(|known| known == heading), "{name} links to {link}: no such heading");
            }
            followed += 1;
        }
    }
    assert!(followed > 20, "only {followed} links were found");
}

/// The anchors that the headings of `text` make.
fn headings(text: &str) -> impl Iterator<Item = String> {
    let titles = text.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    titles.map(|title| {
        let kept =
            title.chars().filter(|character| character.is_alphanumeric() || matches!(character, ' ' | '-' | '_'));
        kept.collect::<String>().to_lowercase().replace(' ', "-")
    })
}

#[test]
fn the_code_of_the_readme_does_not_grow() {
    let readme = page("README.md");
    let code = blocks(&readme, "rust");
    assert_eq!(code.len(), 4, "one screen of code for each way in: axum, Actix, tonic, functions");
    for block in code {
        let lines = block.lines().filter(|line| !line.trim().is_empty());
        assert!(lines.count() <= 13, "more than a glance: {block}");
        assert!(!block.lines().any(|line| line.starts_with("# ")), "scaffolding belongs into the build script");
    }
}
