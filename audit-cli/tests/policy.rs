//! `audit policy` as its users meet it.

#![allow(clippy::expect_used, reason = "what is shared between tests may fail them")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

fn audit(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_audit")).args(arguments).output().expect("the program")
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("no signal")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("text")
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", text(&output.stdout)))
}

/// A directory with a policy in it.
struct Place {
    dir: TempDir,
}

impl Place {
    fn new(policy: &str) -> Self {
        let place = Self { dir: tempfile::tempdir().expect("a directory") };
        fs::write(place.path(), policy).expect("written");
        place
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("policy.toml")
    }

    fn run(&self, verb: &str, arguments: &[&str]) -> Output {
        let path = self.path();
        audit(&[&["policy", verb, path.to_str().expect("a path")], arguments].concat())
    }

    fn explain(&self, arguments: &[&str]) -> Value {
        let output = self.run("explain", &[&["--json"], arguments].concat());
        assert_eq!(code(&output), 0, "{}", text(&output.stderr));
        json(&output)
    }

    fn winner(&self, arguments: &[&str]) -> String {
        self.explain(arguments)["decision"]["rule"]["name"].as_str().expect("a name").to_owned()
    }
}

fn page(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The first block of TOML after `marker` with a rule in it.
fn policy_after<'p>(page: &'p str, marker: &str) -> &'p str {
    let (_, rest) = page.split_once(marker).unwrap_or_else(|| panic!("{marker:?} is not there"));
    let blocks = rest.split("```toml\n").skip(1).filter_map(|block| block.split("```").next());
    blocks.into_iter().find(|block| block.contains("[[rule]]")).expect("a policy")
}

const POLICY: &str = r#"
[[rule]]
name = "probes"
paths = ["/healthz"]
level = "none"

[[rule]]
name = "settler"
actors = ["service_account"]
actor_ids = ["system:serviceaccount:payments:settler"]
issuers = ["https://kubernetes.default.svc"]
methods = ["POST"]
durability = "written"
on_failure = "allow"

[[rule]]
name = "ledger"
actions = ["ledger.*"]
await_outcome = true

[[rule]]
name = "refunds"
actions = ["payments.v1.Refunds/*"]
deadline = "250ms"
"#;

const SETTLER: &str = "service_account:system:serviceaccount:payments:settler";
const CLUSTER: &str = "https://kubernetes.default.svc";

#[test]
fn a_policy_that_loads_is_shown_as_it_will_be_applied() {
    let output = Place::new(POLICY).run("check", &[]);
    assert_eq!(code(&output), 0);
    let said = text(&output.stdout);
    assert!(said.contains("valid: 4 rules, and the implicit last one"), "{said}");
    let rows: Vec<String> = said.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    for row in [
        "# rule level durability on failure deadline answer waits",
        "1 probes none - - - -",
        "2 settler metadata written allow 1s no",
        "actors service_account; actor_ids system:serviceaccount:payments:settler; issuers https://kubernetes.default.svc; methods POST",
        "3 ledger metadata synced deny 1s yes",
        "4 refunds metadata synced deny 250ms no",
        "5 default metadata synced deny 1s no",
        "everything",
    ] {
        assert!(rows.iter().any(|shown| shown == row), "{row:?} is not in {said}");
    }
    assert!(!said.contains('\u{1b}') && !said.contains("note:"), "{said}");
}

#[test]
fn a_policy_that_loads_is_given_to_programs_whole() {
    let place = Place::new(POLICY);
    let shown = json(&place.run("check", &["--json"]));
    assert_eq!(shown["valid"], true);
    assert_eq!(shown["needs_body_capture"], Value::Null);
    let rules = shown["rules"].as_array().expect("rules");
    assert_eq!(rules.len(), 5);
    assert_eq!(rules[0]["level"], "none");
    assert_eq!(rules[0]["durability"], Value::Null);
    assert_eq!(rules[1]["conditions"]["methods"], serde_json::json!(["POST"]));
    assert_eq!(rules[1]["on_failure"], "allow");
    assert_eq!(rules[3]["deadline_ms"], 250);
    let digest = shown["sha256"].as_str().expect("a digest");
    assert_eq!(digest, audit_core::evidence::Hash::digest(POLICY.as_bytes()).to_hex());
}

#[test]
fn rules_that_not_every_log_can_keep_are_noted() {
    let place = Place::new("[[rule]]\nname = \"far\"\nlevel = \"request\"\ndurability = \"replicated\"\ncopies = 2\n");
    let output = place.run("check", &[]);
    assert_eq!(code(&output), 0);
    let said = text(&output.stdout);
    let note = "note: rule `far` only loads into a log that captures bodies and reaches `replicated` and has 2 stores";
    assert!(said.contains(note), "{said}");
    assert_eq!(json(&place.run("check", &["--json"]))["needs_body_capture"], "far");
}

#[test]
fn a_long_list_is_cut_for_people_and_whole_for_programs() {
    let paths: Vec<String> = (0..256).map(|at| format!("/p/{at}")).collect();
    let place = Place::new(&format!("[[rule]]\nname = \"long\"\npaths = {paths:?}\n"));
    assert!(text(&place.run("check", &[]).stdout).contains("paths /p/0 /p/1 /p/2 /p/3 and 252 more\n"));
    let shown = json(&place.run("check", &["--json"]));
    assert_eq!(shown["rules"][0]["conditions"]["paths"].as_array().map(Vec::len), Some(256));
}

#[test]
fn an_invalid_file_gives_2_with_line_and_column() {
    for (policy, line, column, words) in [
        ("[[rule]]\nname = \"x\"\nmethds = [\"GET\"]\n", 3, 1, "unknown key `methds`"),
        ("[[rule]\n", 1, 8, "not TOML"),
        ("[[rule]]\nname = \"x\"\npaths = [\"/a\", \"b\"]\n", 3, 16, "starts with `/`"),
        ("[[rule]]\nname = \"a\"\n\n[[rule]]\nname = \"b\"\n", 5, 8, "can never match"),
        ("", 1, 1, "empty"),
    ] {
        let place = Place::new(policy);
        for verb in [&["check"][..], &["explain", "--action", "a"]] {
            let output = place.run(verb[0], &[&verb[1..], &["--json"]].concat());
            assert_eq!(code(&output), 2, "{policy}");
            let said = json(&output);
            assert_eq!((&said["line"], &said["column"]), (&line.into(), &column.into()), "{said}");
            assert_eq!(said["valid"], false);
            let error = text(&output.stderr);
            assert!(error.contains(&format!("policy.toml:{line}:{column}: ")) && error.contains(words), "{error}");
        }
    }
}

#[test]
fn a_file_that_cannot_be_read_gives_2_and_is_not_called_invalid() {
    let output = audit(&["policy", "check", "/nonexistent/policy.toml", "--json"]);
    assert_eq!(code(&output), 2);
    let said = json(&output);
    assert!(said["error"].as_str().is_some_and(|error| error.contains("cannot read")), "{said}");
    assert_eq!(said["valid"], Value::Null);
}

#[test]
fn what_a_terminal_would_obey_in_a_policy_is_written_out() {
    let place = Place::new("[[rule]]\nname = \"x\"\npaths = [\"/\u{202e}gpj\"]\nactions = [\"a\u{200b}\"]\n");
    for output in [place.run("check", &[]), place.run("explain", &["--action", "\u{9b}31m"])] {
        assert_eq!(code(&output), 0);
        let said = text(&output.stdout);
        assert!(!said.contains(['\u{202e}', '\u{200b}', '\u{9b}', '\u{1b}']), "{said}");
    }
    let output = Place::new("[[rule]]\nname = \"\u{1b}[2J\u{202e}\"\n").run("check", &[]);
    assert!(!text(&output.stderr).contains(['\u{1b}', '\u{202e}']));
}

#[test]
fn the_winner_is_explained_in_words() {
    let arguments =
        ["--actor", SETTLER, "--issuer", CLUSTER, "--verified", "--method", "POST", "--path", "/v1/refunds/42"];
    let output = Place::new(POLICY).run("explain", &arguments);
    assert_eq!(code(&output), 0);
    let said = text(&output.stdout);
    for words in [
        "call:  POST /v1/refunds/42 by service_account system:serviceaccount:payments:settler of https://kubernetes.default.svc, verified\n",
        "rule:  settler, number 2 of 5\n",
        "survives a crash of this process",
        "goes ahead, and the loss is recorded as a gap",
        "not these rules:\n  probes  it is for other paths\n",
        "the same claim, verified by nobody: default\n",
        "is refused and its handler never runs",
    ] {
        assert!(said.contains(words), "{words:?} is not in {said}");
    }
}

#[test]
fn every_rule_that_was_passed_over_is_given_with_its_reasons() {
    let place = Place::new(POLICY);
    let answer = place.explain(&["--actor", "user:ann", "--verified", "--method", "GET", "--path", "/v1"]);
    let passed = answer["decision"]["passed_over"].as_array().expect("rules");
    let reasons: Vec<(String, Vec<String>)> = passed
        .iter()
        .map(|passed| {
            let because = passed["because"].as_array().expect("reasons").iter();
            let words = because.map(|reason| reason["reason"].as_str().expect("a word").to_owned());
            (passed["rule"].as_str().expect("a name").to_owned(), words.collect())
        })
        .collect();
    let expected = [
        ("probes", &["path"][..]),
        ("settler", &["actor_type", "actor_id", "issuer", "method"]),
        ("ledger", &["http_action"]),
        ("refunds", &["http_action"]),
    ];
    let expected: Vec<_> = expected
        .iter()
        .map(|(rule, words)| ((*rule).to_owned(), words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>()))
        .collect();
    assert_eq!(reasons, expected);
    assert_eq!(answer["decision"]["rule"]["name"], "default");
    assert_eq!(answer["decision"]["position"], 5);
}

#[test]
fn a_claim_is_told_what_it_would_get_verified_and_gets_what_a_stranger_gets() {
    let place = Place::new(POLICY);
    let what = ["--method", "POST", "--path", "/v1/refunds/42"];
    let claimed = place.explain(&[&["--actor", SETTLER, "--issuer", CLUSTER], &what[..]].concat());
    assert_eq!(claimed["decision"]["passed_over"][1]["because"][0]["reason"], "unverified");
    assert_eq!(claimed["if_verified"]["rule"]["name"], "settler");
    let stranger = place.explain(&what);
    assert_eq!(claimed["decision"], stranger["decision"]);
    assert_eq!(stranger.get("if_verified"), None);
    let verified = place.explain(&[&["--actor", SETTLER, "--issuer", CLUSTER, "--verified"], &what[..]].concat());
    assert_eq!(verified["if_unverified"], stranger["decision"]);
    let elsewhere =
        place.winner(&[&["--actor", SETTLER, "--issuer", "https://evil", "--verified"], &what[..]].concat());
    assert_eq!(elsewhere, "default");
}

#[test]
fn an_action_is_a_span_or_a_remote_procedure() {
    let place = Place::new(POLICY);
    assert_eq!(place.winner(&["--action", "ledger.rotate"]), "ledger");
    let procedure = place.explain(&["--action", "payments.v1.Refunds/Create"]);
    assert_eq!(procedure["decision"]["rule"]["name"], "refunds");
    assert_eq!(procedure["call"]["path"], "/payments.v1.Refunds/Create");
    assert_eq!(procedure["call"]["method"], "POST");
    let verified = ["--actor", SETTLER, "--issuer", CLUSTER, "--verified", "--action"];
    assert_eq!(place.winner(&[&verified[..], &["payments.v1.Refunds/Create"]].concat()), "settler");
    assert_eq!(place.winner(&[&verified[..], &["payments.v1.Refunds/Create", "--span"]].concat()), "refunds");
}

#[test]
fn wrong_usage_gives_2() {
    let place = Place::new(POLICY);
    for arguments in [
        &[][..],
        &["--method", "GET"],
        &["--path", "/"],
        &["--action", "a", "--method", "GET", "--path", "/"],
        &["--verified", "--action", "a"],
        &["--issuer", "i", "--action", "a"],
        &["--actor", "robot:7", "--action", "a"],
        &["--actor", "unauthenticated", "--verified", "--action", "a"],
        &["--method", "GET", "--path", "/v1?x=1"],
        &["--span", "--method", "GET", "--path", "/"],
    ] {
        let output = place.run("explain", arguments);
        assert_eq!(code(&output), 2, "{arguments:?}");
        assert!(!output.stderr.is_empty() && output.stdout.is_empty(), "{arguments:?}");
    }
}

/// What is documented of a policy: arguments, and the rule that wins.
fn documented(page: &str) -> Vec<(Vec<String>, String)> {
    let cells = |line: &str| -> Vec<String> { line.split('|').map(|cell| cell.trim().replace('`', "")).collect() };
    let rows = page.lines().filter(|line| line.starts_with("| `--")).map(cells);
    rows.map(|row| (row[1].split(' ').map(str::to_owned).collect(), row[2].clone())).collect()
}

#[test]
fn the_documented_cases_have_the_documented_answers_and_a_forged_claim_changes_none() {
    let docs = page("docs/policy.md");
    let cases = documented(&docs);
    assert_eq!(cases.len(), 5);
    let readme = page("README.md");
    for policy in
        [policy_after(&docs, "## Which rule wins"), policy_after(&readme, "In front of it a TOML file can say more")]
    {
        let place = Place::new(policy);
        for (arguments, rule) in &cases {
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            let stranger = place.explain(&arguments);
            assert_eq!(stranger["decision"]["rule"]["name"], rule.as_str(), "{arguments:?}");
            for claim in ["system", "service_account:settler", "api_key:*", "user:root", "unknown:default"] {
                let claimed = place.explain(&[&arguments[..], &["--actor", claim, "--issuer", CLUSTER]].concat());
                assert_eq!(claimed["decision"], stranger["decision"], "{claim} {arguments:?}");
            }
        }
    }
}

#[test]
fn what_the_documentation_shows_is_what_is_printed() {
    let docs = page("docs/policy.md");
    let cli = page("docs/cli.md");
    let place = Place::new(policy_after(&docs, "# Policy"));
    for (page, command) in [(&docs, "$ audit policy explain policy.toml "), (&cli, "$ audit policy check policy.toml")]
    {
        let (_, rest) = page.split_once(command).expect("shown");
        let (arguments, rest) = rest.split_once('\n').expect("a line");
        let shown = rest.split("```").next().and_then(|block| block.split("\n$ ").next()).expect("a block");
        let verb = if command.contains("check") { "check" } else { "explain" };
        let arguments: Vec<&str> = arguments.split_whitespace().collect();
        let output = Command::new(env!("CARGO_BIN_EXE_audit"))
            .current_dir(place.dir.path())
            .args(["policy", verb, "policy.toml"])
            .args(arguments)
            .output()
            .expect("the program");
        assert_eq!(text(&output.stdout).trim_end(), shown.trim_end());
    }
}
