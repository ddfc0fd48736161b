/// Whom a rule is for.
#[derive(Clone, Debug, Default)]
pub(super) struct Conditions {}
