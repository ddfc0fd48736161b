//! Verdicts and proofs: on the log as it is, and on copies that somebody has changed.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::command::{Result, root};
use crate::smoke::Site;
use crate::test::Count;

pub(crate) fn check(site: &Site, count: &mut Count) -> Result {
    let verdict = verify(site, &site.log())?;
    count.check("the log is intact", verdict == ("intact".into(), Some(0), None));

    let edited = site.copy("edited", |lines| {
        if let Some(line) = lines.get_mut(3) {
            *line = line.replacen("refunds", "refunde", 1);
        }
    })?;
    let verdict = verify(site, &edited)?;
    count.check("an edit is found and located", verdict == ("tampered".into(), Some(1), Some(3)));
    let deleted = site.copy("deleted", |lines| drop(lines.remove(4)))?;
    let (verdict, code, _) = verify(site, &deleted)?;
    count.check("a deleted line is found", (verdict.as_str(), code) == ("tampered", Some(1)));
    let swapped = site.copy("swapped", |lines| lines.swap(4, 5))?;
    let (verdict, code, _) = verify(site, &swapped)?;
    count.check("swapped lines are found", (verdict.as_str(), code) == ("tampered", Some(1)));

    proof(site, count)?;
    without_our_code(site, &edited, count)
}

/// The verdict, the exit code, and the `seq` of the first finding that means tampering.
fn verify(site: &Site, log: &Path) -> Result<(String, Option<i32>, Option<u64>)> {
    let output = site.audit(&[&"verify", &log, &"--key", &site.key(), &"--json"])?;
    let verdict: Value = serde_json::from_slice(&output.stdout)?;
    let findings = verdict["findings"].as_array().into_iter().flatten();
    let first = findings.filter(|finding| finding["class"] == "tamper").find_map(|finding| finding["seq"].as_u64());
    let word = verdict["verdict"].as_str().unwrap_or_default().to_owned();
    Ok((word, output.status.code(), first))
}

fn proof(site: &Site, count: &mut Count) -> Result {
    let file = site.place("proof");
    let made = site.audit(&[&"prove", &site.log(), &"7", &"-o", &file])?;
    count.check("a record is proved", made.status.success());
    let checked = site.audit(&[&"check", &file, &"--key", &site.key()])?;
    count.check("the proof checks", checked.status.code() == Some(0));

    let mut proof = fs::read_to_string(&file)?;
    let index = proof.find("\nindex ").ok_or("the proof has no index")? + "\nindex ".len();
    proof.replace_range(index..=index, "6");
    fs::write(&file, proof)?;
    let checked = site.audit(&[&"check", &file, &"--key", &site.key()])?;
    count.check("with one character changed it does not", checked.status.code() == Some(1));
    Ok(())
}

/// The scripts in `docs` that check a log with standard tools.
fn without_our_code(site: &Site, edited: &Path, count: &mut Count) -> Result {
    for entry in fs::read_dir(root().join("docs"))? {
        let script = entry?.path();
        if script.extension().is_none_or(|extension| extension != "sh") {
            continue;
        }
        let name = script.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let holds = |log: &Path| Command::new("sh").arg(&script).arg(log).output();
        let intact = holds(&site.log())?;
        count.check(&format!("docs/{name} accepts the log"), intact.status.success());
        let tampered = holds(edited)?;
        count.check(&format!("docs/{name} rejects an edit"), !tampered.status.success());
    }
    Ok(())
}
