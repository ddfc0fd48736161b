//! The routes on Actix Web.

use std::convert::Infallible;

use actix_web::guard::{Any, Get, Head};
use actix_web::http::header::{ContentType, WWW_AUTHENTICATE};
use actix_web::web::{self, Bytes, Data, Path, PayloadConfig, Query, ReqData, ServiceConfig};
use actix_web::{HttpResponse, Responder, Route};
use audit_core::{AuditLog, CurrentActivity};
use tokio_stream::StreamExt;

use crate::chunks::chunks;
use crate::payments::Payments;
use crate::requests::{Message, Slow, Stream, well_formed};
use crate::{limits, readiness};

/// Adds the routes of the service, with `/healthz` and without `/readyz`, which asks the log.
pub fn payments(app: &mut ServiceConfig, state: Payments) {
    app.app_data(Data::new(state))
        .app_data(PayloadConfig::new(limits::BODY_BYTES))
        .service(web::resource("/v1/refunds/{id}").route(web::post().to(refund)))
        .service(web::resource("/v1/refunds").route(get().to(refunds)))
        .service(web::resource("/v1/slow").route(get().to(slow)))
        .service(web::resource("/v1/stream").route(get().to(stream)))
        .service(web::resource("/v1/fail").route(get().to(fail)))
        .service(web::resource("/v1/denied").route(get().to(denied)))
        .service(web::resource("/v1/unauthenticated").route(get().to(unauthenticated)))
        .service(web::resource("/v1/panic").route(get().to(panic)))
        .service(web::resource("/healthz").route(get().to(|| async { "ok" })));
}

/// Adds `/readyz`, which asks the log.
pub fn ready(app: &mut ServiceConfig, log: AuditLog) {
    let ready = move || {
        let reason = readiness::reason_against(&log);
        async move {
            match reason {
                None => HttpResponse::Ok().body("ready\n"),
                Some(reason) => HttpResponse::ServiceUnavailable().body(format!("not ready: {reason}\n")),
            }
        }
    };
    app.service(web::resource("/readyz").route(get().to(ready)));
}

/// GET, and HEAD with it, which Actix does not add by itself.
fn get() -> Route {
    web::route().guard(Any(Get()).or(Head()))
}

/// `activity` is there when the audit middleware is: the same routes serve as the bare comparison.
async fn refund(
    payments: Data<Payments>,
    activity: Option<ReqData<CurrentActivity>>,
    id: Path<String>,
    body: Bytes,
) -> HttpResponse {
    payments.handled();
    if let Some(activity) = activity {
        // Lands in the outcome; an activity that is over, or full, does not stop the refund.
        activity.resource(id.as_str()).ok();
    }
    if !well_formed(&body) {
        return HttpResponse::BadRequest().body("the body is not JSON\n");
    }
    payments.refund();
    HttpResponse::Created().content_type(ContentType::json()).body("{}")
}

async fn refunds(payments: Data<Payments>) -> impl Responder {
    payments.handled();
    web::Json(payments.refunds())
}

async fn slow(payments: Data<Payments>, slow: Query<Slow>) -> impl Responder {
    payments.handled();
    tokio::time::sleep(slow.wait()).await;
    "done\n"
}

async fn stream(payments: Data<Payments>, stream: Query<Stream>) -> impl Responder {
    payments.handled();
    HttpResponse::Ok().streaming(chunks(stream.chunks).map(Ok::<_, Infallible>))
}

async fn fail(payments: Data<Payments>, fail: Query<Message>) -> impl Responder {
    payments.handled();
    HttpResponse::InternalServerError().body(fail.into_inner().message)
}

async fn denied(payments: Data<Payments>) -> impl Responder {
    payments.handled();
    HttpResponse::Forbidden()
}

async fn unauthenticated(payments: Data<Payments>) -> impl Responder {
    payments.handled();
    HttpResponse::Unauthorized().insert_header((WWW_AUTHENTICATE, "Bearer")).finish()
}

async fn panic(payments: Data<Payments>, panic: Query<Message>) -> HttpResponse {
    payments.handled();
    panic!("this handler panics: {}", panic.message)
}
