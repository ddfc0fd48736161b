//! What is kept out of the log: nothing of a request's headers and query is recorded unless its
//! name is on an [`AllowList`].

mod allow_list;
mod secret_name;

pub use allow_list::{AllowList, AllowListError};
