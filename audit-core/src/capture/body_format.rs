/// How a body is framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BodyFormat {
    /// One document of the media type that `Content-Type` says (RFC 9110 §8.3).
    Http,
    /// Length-prefixed messages (gRPC over HTTP/2, "Length-Prefixed-Message").
    Grpc,
}
