//! The `audit` program: its verbs and exit codes.

use std::fs;

use crate::command::Result;
use crate::smoke::Site;
use crate::test::Count;

pub(crate) fn check(site: &Site, count: &mut Count) -> Result {
    let nowhere = site.place("nowhere");
    let unreadable = site.audit(&[&"verify", &nowhere])?;
    count.check("no log there: 2", unreadable.status.code() == Some(2));
    let misused = site.audit(&[&"verify"])?;
    count.check("wrong usage: 2", misused.status.code() == Some(2));

    let person = site.audit(&[&"verify", &site.log()])?;
    let said = String::from_utf8_lossy(&person.stdout);
    count.check("without --key, the verdict says so", said.contains("key not pinned"));

    let queried = site.audit(&[&"query", &site.log(), &"--result", &"denied", &"--json"])?;
    let lines = site.lines()?;
    let stored: Vec<&str> =
        lines.iter().filter(|line| line.contains(r#""result":"denied""#)).map(String::as_str).collect();
    let printed = String::from_utf8_lossy(&queried.stdout);
    let all_there = !stored.is_empty() && stored.iter().all(|line| printed.contains(line));
    count.check("query --json gives the stored lines", all_there);
    let tail = site.audit(&[&"tail", &site.log()])?;
    let said = String::from_utf8_lossy(&tail.stdout);
    count.check("tail names the service account", said.contains("settler"));

    let folder = site.place("keys");
    fs::create_dir_all(&folder)?;
    keygen(site, count)
}

fn keygen(site: &Site, count: &mut Count) -> Result {
    let mut keygen = std::process::Command::new(&site.audit);
    keygen.args(["keygen", "payments.example.com"]);
    let output = keygen.current_dir(site.place("keys")).output()?;
    count.check("keygen makes a key", output.status.success());
    let printed = String::from_utf8_lossy(&output.stdout);
    count.check("keygen does not print it", !printed.contains("PRIVATE+KEY"));
    Ok(())
}
