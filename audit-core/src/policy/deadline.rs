use std::time::Duration;

/// The shortest deadline.
const SHORTEST: Duration = Duration::from_millis(1);

/// The longest deadline.
const LONGEST: Duration = Duration::from_secs(60);

/// Reads a deadline: a whole number of `ms` or `s`, from `1ms` to `60s`.
pub(super) fn parse_deadline(text: &str) -> Option<Duration> {
    let digits = text.find(|character: char| !character.is_ascii_digit())?;
    let (number, unit) = text.split_at_checked(digits)?;
    let number: u64 = number.parse().ok()?;
    let deadline = match unit {
        "ms" => Duration::from_millis(number),
        "s" => Duration::from_secs(number),
        _ => return None,
    };
    (SHORTEST..=LONGEST).contains(&deadline).then_some(deadline)
}
