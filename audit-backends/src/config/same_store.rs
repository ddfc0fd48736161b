use super::Section;

/// What tells one store from another: the URL without its query and without slashes at its end, and
/// the endpoint, because one S3 URL means another bucket at another endpoint.
pub(super) fn identity(section: &Section) -> (String, Option<String>) {
    let (place, query) = section.url().split_once('?').unwrap_or((section.url(), ""));
    let place = place.strip_prefix("file://").map_or(place, |path| path.strip_prefix("localhost").unwrap_or(path));
    let in_query = query.split('&').find_map(|pair| pair.strip_prefix("endpoint="));
    let beside = section.options().iter().find(|(name, _)| name == "endpoint").map(|(_, value)| value.as_str());
    (place.trim_end_matches('/').to_owned(), in_query.or(beside).map(str::to_owned))
}
