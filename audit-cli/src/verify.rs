//! `audit verify`

use std::fs;

use audit_core::evidence::SignedCheckpoint;
use audit_core::verify::{Class, Finding, Judgement, KeySource, LogReader as _, Verdict, Verifier};

use crate::arguments;
use crate::ending::{Ending, Failure};
use crate::output::{self, Style, styled};
use crate::progress::ProgressLine;
use crate::safe_text::safe;
use crate::{location, times, verifier_key};

pub(crate) fn run(arguments: &arguments::Verify, json: bool) -> Result<Ending, Failure> {
    let mut verifier = Verifier::new().now(times::system(arguments.now.as_deref())?);
    let mut source = KeySource::LogPub;
    if let Some(key) = &arguments.key {
        verifier = verifier.key(verifier_key::read(key)?);
        source = KeySource::Pinned;
    }
    for path in &arguments.against {
        let read = |error: String| Failure::new(format!("--against {}: {error}", path.display()));
        let bytes = fs::read(path).map_err(|error| read(error.to_string()))?;
        let checkpoint = SignedCheckpoint::parse(&bytes).map_err(|error| read(error.to_string()))?;
        verifier = verifier.against(checkpoint);
    }
    let verdict = match location::open(&arguments.log) {
        Ok(log) => {
            let mut line = ProgressLine::new(log.size_hint());
            let mut show = |progress| line.show(progress);
            let verdict = verifier.progress(&mut show).run(&log);
            line.clear();
            verdict
        }
        Err(failure) => Verdict::unreadable(source, failure.to_string()),
    };
    if json {
        output::line(verdict.to_json())?;
    } else {
        print(&verdict)?;
    }
    Ok(match verdict.judgement() {
        Judgement::Intact => Ending::AsItShouldBe,
        Judgement::Tampered => Ending::EvidenceSaysNo,
        _ => Ending::CouldNotTell,
    })
}

/// The verdict for people: what weighs most first.
fn print(verdict: &Verdict) -> Result<(), Failure> {
    let colours = output::has_colours();
    let (word, style) = match verdict.judgement() {
        Judgement::Intact => ("intact", Style::Good),
        Judgement::Tampered => ("tampered", Style::Bad),
        _ => ("unverifiable", Style::Warning),
    };
    let mut text = format!("verdict: {}{}\n", styled(word, style, colours), reservations(verdict));
    text.push_str(&format!("records: {}, {} of them signed\n", verdict.records, verdict.signed));
    text.push_str(&format!("root:    {}\n", verdict.root.to_base64()));
    for finding in &verdict.findings {
        text.push_str(&of(finding, colours));
        text.push('\n');
    }
    output::line(text.trim_end())?;
    Ok(())
}

/// What has to be known to read `intact` rightly.
fn reservations(verdict: &Verdict) -> &'static str {
    let unpinned = verdict.key == KeySource::LogPub;
    let unsigned = verdict.signed == 0 && verdict.records > 0;
    match (verdict.judgement(), unsigned, unpinned) {
        (Judgement::Intact, true, _) => " (nothing signed yet)",
        (Judgement::Intact, false, true) => " (key not pinned)",
        _ => "",
    }
}

fn of(finding: &Finding, colours: bool) -> String {
    let style = match finding.class {
        Class::Tamper => Style::Bad,
        Class::Warning => Style::Warning,
        _ => Style::Faint,
    };
    let place = match (finding.seq, finding.to) {
        (Some(seq), Some(to)) => format!("seq {seq} to {to}: "),
        (Some(seq), None) => format!("seq {seq}: "),
        _ => String::new(),
    };
    let class = styled(&format!("{:7}", finding.class.as_str()), style, colours);
    let kind = styled(&format!("{:15}", finding.kind.as_str()), Style::Strong, colours);
    format!("  {class}  {kind}  {place}{}", safe(&finding.detail))
}
