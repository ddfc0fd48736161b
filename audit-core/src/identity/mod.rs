//! TEMPORARY stub.
#![allow(missing_docs)]
use crate::record::Actor;
use std::net::SocketAddr;
pub trait Metadata {
    fn header(&self, name: &str) -> Option<&[u8]>;
    fn each_header(&self, name: &str, visit: &mut dyn FnMut(&[u8]));
    fn peer(&self) -> Option<SocketAddr>;
}
pub trait Identify: Send + Sync + 'static {
    fn identify(&self, metadata: &dyn Metadata) -> Option<Actor>;
}
