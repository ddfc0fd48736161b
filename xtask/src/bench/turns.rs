//! Servers that are compared are called in turns.

use crate::bench::wrk::Seen;
use crate::command::Result;
use crate::server::Server;

/// Calls every server in turn, `rounds` times, starting with another one each time.
pub(crate) fn turns<const N: usize>(
    servers: [&Server; N],
    rounds: usize,
    drive: impl Fn(&Server) -> Result<Seen>,
) -> Result<Vec<[Seen; N]>> {
    (0..rounds).map(|round| one(servers, round, &drive)).collect()
}

fn one<const N: usize>(
    servers: [&Server; N],
    round: usize,
    drive: &impl Fn(&Server) -> Result<Seen>,
) -> Result<[Seen; N]> {
    let mut seen = [None; N];
    for turn in 0..N {
        let at = (round + turn) % N;
        seen[at] = Some(drive(servers[at])?);
    }
    let seen: Option<Vec<_>> = seen.into_iter().collect();
    let seen = seen.and_then(|seen| seen.try_into().ok());
    seen.ok_or_else(|| "a server had no turn".into())
}
