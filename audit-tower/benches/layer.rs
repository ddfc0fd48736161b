//! What the layer adds to a call: nanoseconds of this thread, with a handler that does nothing.
//!
//! `cargo bench -p audit-tower`. The rows differ by what the policy asks for: under `none` nothing is
//! recorded and only the layer is left; under `accepted` records are made and nobody waits for them.
#![allow(clippy::unwrap_used)] // a bench ends at the first surprise

use std::convert::Infallible;
use std::fs;
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use audit_core::backend::Memory;
use audit_core::{AuditLog, Durability, Key, Policy};
use audit_tower::AuditLayer;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use tower::{Layer, Service, service_fn};

const CALLS: u32 = 50_000;
const ROUNDS: u32 = 7;

fn main() {
    let bare = measure(service_fn(handler));
    println!("{:<40} {bare:>8} ns", "handler without the layer");
    for (name, rule) in [
        ("layer, call excluded by the policy", "level = \"none\"\npaths = [\"/**\"]\n"),
        ("layer, recorded, nobody waits", "level = \"metadata\"\ndurability = \"accepted\"\n"),
    ] {
        let policy = format!("[[rule]]\nname = \"bench\"\n{rule}");
        let log = AuditLog::builder("bench.example.com")
            .key(Key::generate("bench.example.com").unwrap())
            .backend(Memory::promising(Durability::Synced))
            .policy(Policy::from_toml(&policy).unwrap())
            .open()
            .unwrap();
        let layered = measure(AuditLayer::new(log).layer(service_fn(handler)));
        println!("{name:<40} {layered:>8} ns, {} more", layered - bare);
    }
}

async fn handler(_: Request<Full<Bytes>>) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(Response::new(Full::from(Bytes::from_static(b"ok"))))
}

/// The best round, in nanoseconds of this thread per call.
fn measure<S, B>(mut service: S) -> u64
where
    S: Service<Request<Full<Bytes>>, Response = Response<B>, Error = Infallible>,
    B: http_body::Body<Error = Infallible>,
{
    let mut context = Context::from_waker(Waker::noop());
    let mut best = u64::MAX;
    for _ in 0..ROUNDS {
        let start = thread_time();
        for _ in 0..CALLS {
            assert!(service.poll_ready(&mut context).is_ready());
            let mut call = pin!(service.call(request()));
            let Poll::Ready(response) = call.as_mut().poll(&mut context) else {
                panic!("a call that waits for nothing is ready at once");
            };
            let body = pin!(response.unwrap().into_body().collect());
            assert!(black_box(body.poll(&mut context)).is_ready());
        }
        best = best.min((thread_time() - start) / u64::from(CALLS));
        // The sequencer catches up outside the measurement.
        std::thread::sleep(std::time::Duration::from_millis(300));
    }
    best
}

fn request() -> Request<Full<Bytes>> {
    Request::post("/v1/refunds/42")
        .header("host", "pay.example")
        .header("user-agent", "settler/3")
        .header("content-length", "2")
        .header("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
        .body(Full::from(Bytes::from_static(b"{}")))
        .unwrap()
}

/// Nanoseconds that this thread has run.
fn thread_time() -> u64 {
    let statistics = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    statistics.split(' ').next().unwrap().parse().unwrap()
}
