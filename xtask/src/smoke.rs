//! `cargo xtask smoke`: the example service and the `audit` program, seen from outside.
pub(crate) fn run(_options: &[String]) -> crate::command::Result {
    Ok(())
}
pub(crate) fn check(_count: &mut crate::test::Count) -> crate::command::Result {
    Ok(())
}
