//! Which locations lie under which.

/// Whether `place` is `prefix` or lies under it: the same store, and whole segments of the path.
pub(super) fn lies_under(prefix: &str, place: &str) -> bool {
    let ((prefix, one), (place, other)) = (parts(prefix), parts(place));
    let below = place.strip_prefix(prefix);
    one == other && below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The path without slashes at its end, and the query of a URL.
fn parts(place: &str) -> (&str, &str) {
    let whole = if place.contains("://") { place.split_once('?') } else { None };
    let (path, query) = whole.unwrap_or((place, ""));
    (path.trim_end_matches('/'), query)
}
