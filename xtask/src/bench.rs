//! `cargo xtask bench`: the budgets, measured side by side.
pub(crate) fn run(_options: &[String]) -> crate::command::Result {
    Ok(())
}
