//! What the types promise, checked by compiling.

#![allow(clippy::unwrap_used)] // a test ends at the first surprise

mod support;

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use audit_tower::futures::ResponseFuture;
use audit_tower::{AuditBody, AuditLayer, AuditService};
use bytes::Bytes;
use http::{Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, Full};
use support::{Recorder, get};
use tower::util::{BoxCloneService, BoxCloneSyncService};
use tower::{Layer, Service, ServiceExt, service_fn};

type Call = Request<Full<Bytes>>;
type Boxed = BoxCloneService<Call, Response<Full<Bytes>>, Infallible>;

async fn hello(_: Call) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(Response::new(Full::from("hello")))
}

fn is_send<T: Send>(_: &T) {}
fn is_sync<T: Sync>(_: &T) {}
fn is_static<T: 'static>(_: &T) {}

#[tokio::test]
async fn layer_service_future_and_body_are_send_and_the_first_two_sync() {
    let recorder = Recorder::new();
    let layer = AuditLayer::new(recorder.log.clone());
    is_send(&layer);
    is_sync(&layer);
    let mut service = layer.layer(service_fn(hello));
    is_send(&service);
    is_sync(&service);
    let future = service.ready().await.unwrap().call(get("/"));
    is_send(&future);
    is_static(&future);
    let response = future.await.unwrap();
    is_send(response.body());
    is_sync(response.body());
}

#[test]
fn the_types_can_be_named() {
    struct Held {
        layer: AuditLayer,
        service: AuditService<Boxed>,
        body: AuditBody<Full<Bytes>>,
    }
    fn future(service: &mut Held, request: Call) -> ResponseFuture<Boxed, Full<Bytes>> {
        service.service.call(request)
    }

    let recorder = Recorder::new();
    let layer = AuditLayer::new(recorder.log.clone());
    let service = layer.layer(BoxCloneService::new(service_fn(hello)));
    let mut held = Held { layer, service, body: AuditBody::default() };
    drop(future(&mut held, get("/")));
    assert!(format!("{:?} {:?}", held.layer, held.body).contains("AuditLayer"));
}

#[tokio::test]
async fn bodies_need_neither_bytes_nor_errors_that_are_errors_nor_unpin() {
    /// Data that is no `Bytes`, an error that is no `Error`, and not `Unpin`.
    struct Odd(std::marker::PhantomPinned);
    struct NoError;
    impl http_body::Body for Odd {
        type Data = VecDeque<u8>;
        type Error = NoError;
        fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Self::Data>, NoError>>> {
            Poll::Ready(None)
        }
    }

    let recorder = Recorder::new();
    let service = AuditLayer::new(recorder.log.clone()).layer(service_fn(|_: Request<&'static str>| async {
        Ok::<_, NoError>(Response::new(Odd(std::marker::PhantomPinned)))
    }));
    let Ok(response) = service.oneshot(Request::new("a body that is no body")).await else {
        panic!("no response");
    };
    let ended = Box::pin(response.into_body()).frame().await;
    assert!(ended.is_none());
    assert_eq!(recorder.outcome().await["result"], "success");
}

#[tokio::test]
async fn a_service_that_is_neither_send_nor_sync_can_be_layered() {
    let recorder = Recorder::new();
    let local = std::rc::Rc::new(7);
    let service = AuditLayer::new(recorder.log.clone()).layer(service_fn(move |_: Call| {
        let local = std::rc::Rc::clone(&local);
        async move { Ok::<_, std::rc::Rc<str>>(Response::new(Full::<Bytes>::from(local.to_string()))) }
    }));
    let response = service.oneshot(get("/")).await.unwrap();
    response.into_body().collect().await.map(drop).unwrap();
    assert_eq!(recorder.outcome().await["result"], "success");
}

#[tokio::test]
async fn the_service_fits_the_boxes_of_tower() {
    let recorder = Recorder::new();
    let service = AuditLayer::new(recorder.log.clone()).layer(service_fn(hello));
    let boxed: BoxCloneSyncService<Call, Response<AuditBody<Full<Bytes>>>, Infallible> =
        BoxCloneSyncService::new(service);
    boxed.oneshot(get("/")).await.map(drop).unwrap();
    assert_eq!(recorder.outcome().await["result"], "cancelled", "nobody read the body");
}
