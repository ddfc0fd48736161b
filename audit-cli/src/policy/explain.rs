//! `audit policy explain`

use audit_core::Policy;
use audit_core::policy::{Explanation, Mismatch};
use serde_json::{Value, json};

use super::call::Call;
use super::shown;
use crate::arguments;
use crate::ending::{Ending, Failure};
use crate::output::{self, Style, has_colours, styled};

/// Shows which rule decides about a call, and why.
pub(crate) fn run(policy: &Policy, arguments: &arguments::PolicyExplain, json: bool) -> Result<Ending, Failure> {
    let call = Call::read(arguments)?;
    let other = call.with_verified(!call.actor.verified);
    let explanation = policy.explain(&call.subject());
    // What a credential is worth: the same actor with, or without, somebody who checked it.
    let other = call.is_claim().then(|| policy.explain(&other.subject()));
    if json {
        output::json(&to_json(&call, &explanation, other.as_ref()))?;
    } else {
        output::line(in_words(policy, &call, &explanation, other.as_ref()).trim_end())?;
    }
    Ok(Ending::AsItShouldBe)
}

fn to_json(call: &Call, explanation: &Explanation<'_>, other: Option<&Explanation<'_>>) -> Value {
    let mut answer = json!({ "call": call.to_json(), "decision": decision(explanation) });
    if let Some(other) = other {
        let key = if call.actor.verified { "if_unverified" } else { "if_verified" };
        answer[key] = decision(other);
    }
    answer
}

fn decision(explanation: &Explanation<'_>) -> Value {
    let reason = |reason: &Mismatch| json!({ "reason": reason.as_str(), "detail": reason.to_string() });
    let passed_over = explanation.passed_over.iter().map(|passed| {
        json!({ "rule": passed.rule.name(), "because": passed.because.iter().map(reason).collect::<Vec<_>>() })
    });
    json!({
        "rule": shown::to_json(&explanation.rule),
        "position": explanation.position + 1,
        "path_in_doubt": explanation.path_in_doubt,
        "passed_over": passed_over.collect::<Vec<_>>(),
    })
}

fn in_words(policy: &Policy, call: &Call, explanation: &Explanation<'_>, other: Option<&Explanation<'_>>) -> String {
    let colours = has_colours();
    let strong = |text: &str| styled(text, Style::Strong, colours);
    let mut text = format!(
        "call:  {}\nrule:  {}, number {} of {}\n",
        call.in_words(),
        strong(explanation.rule.name()),
        explanation.position + 1,
        policy.rules().len(),
    );
    for sentence in explanation.rule.meaning() {
        text.push_str(&format!("       {sentence}\n"));
    }
    if explanation.path_in_doubt {
        text.push_str(
            "\nThe path can be read in more than one way: the strictest rule that some reading leads to decides.\n",
        );
    }
    if !explanation.passed_over.is_empty() {
        text.push_str("\nnot these rules:\n");
        let width = explanation.passed_over.iter().map(|passed| passed.rule.name().len()).max().unwrap_or_default();
        for passed in &explanation.passed_over {
            let because = passed.because.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
            text.push_str(&format!("  {:width$}  {because}\n", passed.rule.name()));
        }
    }
    if let Some(other) = other {
        let who =
            if call.actor.verified { "the same claim, verified by nobody" } else { "the same actor, once verified" };
        if other.position == explanation.position {
            text.push_str(&format!("\n{who}: the same rule\n"));
        } else {
            text.push_str(&format!("\n{who}: {}\n", strong(other.rule.name())));
            for sentence in other.rule.meaning() {
                text.push_str(&format!("       {sentence}\n"));
            }
        }
    }
    text
}
