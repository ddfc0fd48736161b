//! In axum routers, over real sockets.

#![allow(clippy::unwrap_used)] // a test ends at the first surprise

mod support;

use std::net::SocketAddr;
use std::time::Duration;

use audit_core::identity::{Metadata, TrustedProxies};
use audit_core::redaction::AllowList;
use audit_core::{Actor, CurrentActivity, Policy};
use audit_tower::AuditLayer;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Path, Request};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use http::StatusCode;
use serde_json::{Value, json};
use support::Recorder;
use support::server::exchange;
use tokio::net::TcpListener;
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;

async fn refund(Extension(activity): Extension<CurrentActivity>, Path(id): Path<String>) -> StatusCode {
    activity.resource(&id).ok();
    StatusCode::CREATED
}

fn refunds() -> Router {
    Router::new().route("/v1/refunds/{id}", post(refund))
}

async fn serve(app: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async { axum::serve(listener, app).await });
    address
}

async fn send(address: SocketAddr, method: &str, path: &str) -> String {
    let request =
        format!("{method} {path} HTTP/1.1\r\nhost: pay.example\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    exchange(address, request.as_bytes()).await
}

/// The intent and outcome of one call.
async fn record(app: impl FnOnce(AuditLayer) -> Router, method: &str, path: &str) -> (String, Value, Value) {
    let recorder = Recorder::new();
    let address = serve(app(AuditLayer::for_axum(recorder.log.clone()))).await;
    let answer = send(address, method, path).await;
    let (intent, outcome) = recorder.pair().await;
    (answer, intent, outcome)
}

#[tokio::test]
async fn a_layered_router_records_route_path_peer_and_what_the_handler_adds() {
    let (answer, intent, outcome) = record(|audit| refunds().layer(audit), "POST", "/v1/refunds/42?card=4111").await;
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    assert_eq!(intent["action"], "POST /v1/refunds/{id}");
    assert_eq!(intent["resource"], "/v1/refunds/42");
    assert_eq!(intent["source"]["ip"], "127.0.0.1");
    assert!(intent["source"]["port"].as_u64().unwrap() > 0);
    assert_eq!(intent["http"]["host"], "pay.example");
    assert_eq!(outcome["resource"], "42");
    assert_eq!((&outcome["result"], &outcome["status"]), (&"success".into(), &201.into()));
}

#[tokio::test]
async fn nesting_changes_neither_route_nor_path() {
    let nested = |audit: AuditLayer| Router::new().nest("/api", refunds().layer(audit));
    let (_, intent, _) = record(nested, "POST", "/api/v1/refunds/42").await;
    assert_eq!(intent["action"], "POST /api/v1/refunds/{id}");
    assert_eq!(intent["resource"], "/api/v1/refunds/42");

    let deep = |audit: AuditLayer| {
        let inner = Router::new().nest("/{tenant}", refunds().layer(audit));
        Router::new().nest("/api", inner)
    };
    let (_, intent, _) = record(deep, "POST", "/api/acme/v1/refunds/42").await;
    assert_eq!(intent["action"], "POST /api/{tenant}/v1/refunds/{id}");
    assert_eq!(intent["resource"], "/api/acme/v1/refunds/42");

    let service = |audit: AuditLayer| Router::new().nest_service("/api", refunds().layer(audit));
    let (_, intent, _) = record(service, "POST", "/api/v1/refunds/42").await;
    assert_eq!(intent["resource"], "/api/v1/refunds/42");
}

#[tokio::test]
async fn a_policy_matches_the_path_before_nesting() {
    let policy = "[[rule]]\nname = \"money\"\npaths = [\"/api/v1/refunds/**\"]\nlevel = \"metadata\"\n";
    let recorder = Recorder::with_policy(Policy::from_toml(policy).unwrap());
    let audit = AuditLayer::for_axum(recorder.log.clone());
    let address = serve(Router::new().nest("/api", refunds().layer(audit))).await;
    send(address, "POST", "/api/v1/refunds/42").await;
    assert_eq!(recorder.pair().await.0["policy"], "money");
}

#[tokio::test]
async fn what_axum_answers_by_itself_is_recorded() {
    for (method, path, status, action) in
        [("GET", "/nowhere", 404, "GET /nowhere"), ("DELETE", "/v1/refunds/42", 405, "DELETE /v1/refunds/{id}")]
    {
        let (_, intent, outcome) = record(|audit| refunds().layer(audit), method, path).await;
        assert_eq!(intent["action"], action);
        assert_eq!((&outcome["result"], &outcome["status"]), (&"failure".into(), &status.into()));
    }
}

#[tokio::test]
async fn unmatched_paths_under_a_nest_are_recorded_whole() {
    let nested = |audit: AuditLayer| Router::new().nest("/api", refunds()).layer(audit);
    let (_, intent, outcome) = record(nested, "GET", "/api/nowhere").await;
    assert_eq!(intent["resource"], "/api/nowhere");
    assert_eq!(outcome["status"], 404);
}

#[tokio::test]
async fn a_route_layer_records_matched_routes_only() {
    let recorder = Recorder::new();
    let audit = AuditLayer::for_axum(recorder.log.clone());
    let address = serve(refunds().route_layer(audit)).await;
    assert!(send(address, "GET", "/nowhere").await.starts_with("HTTP/1.1 404"));
    assert!(send(address, "POST", "/v1/refunds/42").await.starts_with("HTTP/1.1 201"));
    assert_eq!(recorder.pair().await.0["action"], "POST /v1/refunds/{id}");
}

#[tokio::test]
async fn a_single_handler_can_be_layered() {
    let (_, intent, _) =
        record(|audit| Router::new().route("/v1/refunds/{id}", post(refund).layer(audit)), "POST", "/v1/refunds/42")
            .await;
    assert_eq!(intent["action"], "POST /v1/refunds/{id}");
}

async fn guard(request: Request, next: Next) -> Response {
    match request.headers().get("authorization") {
        None => StatusCode::UNAUTHORIZED.into_response(),
        Some(_) => {
            request.extensions().get::<CurrentActivity>().unwrap().attribute("guard", "passed").ok();
            if request.uri().path().contains("forbidden") {
                return StatusCode::FORBIDDEN.into_response();
            }
            next.run(request).await
        }
    }
}

#[tokio::test]
async fn what_inner_layers_reject_is_recorded() {
    for (header, path, result, status) in [
        ("", "/v1/refunds/42", "denied", 401),
        ("authorization: Basic eA==\r\n", "/v1/refunds/forbidden", "denied", 403),
        ("authorization: Basic eA==\r\n", "/v1/refunds/42", "success", 201),
    ] {
        let recorder = Recorder::new();
        let stack = ServiceBuilder::new().layer(AuditLayer::for_axum(recorder.log.clone())).layer(from_fn(guard));
        let address = serve(refunds().layer(stack)).await;
        let request =
            format!("POST {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 0\r\n{header}\r\n");
        exchange(address, request.as_bytes()).await;
        let outcome = recorder.outcome().await;
        assert_eq!((&outcome["result"], &outcome["status"]), (&result.into(), &status.into()));
        assert_eq!(outcome["attrs"]["guard"] == "passed", status != 401);
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_recorded() {
    let app = |audit: AuditLayer| {
        Router::new().route("/", post(|body: String| async move { body })).layer(DefaultBodyLimit::max(4)).layer(audit)
    };
    let recorder = Recorder::new();
    let address = serve(app(AuditLayer::for_axum(recorder.log.clone()))).await;
    let request = b"POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 8\r\n\r\n12345678";
    exchange(address, request).await;
    let outcome = recorder.outcome().await;
    assert_eq!((&outcome["status"], &outcome["request_bytes"]), (&413.into(), &8.into()));
}

#[tokio::test]
async fn an_actor_set_by_an_outer_layer_comes_first() {
    async fn authenticate(mut request: Request, next: Next) -> Response {
        request.extensions_mut().insert(Actor::service_account("settler").verified());
        next.run(request).await
    }

    let (_, intent, _) =
        record(|audit| refunds().layer(audit).layer(from_fn(authenticate)), "POST", "/v1/refunds/42").await;
    assert_eq!(intent["actor"], json!({"type": "service_account", "id": "settler", "verified": true}));
}

#[tokio::test]
async fn a_type_of_the_host_becomes_the_actor() {
    #[derive(Clone)]
    struct Account(&'static str);
    async fn authenticate(mut request: Request, next: Next) -> Response {
        request.extensions_mut().insert(Account("settler"));
        next.run(request).await
    }

    let (_, intent, _) = record(
        |audit| {
            let audit = audit
                .actor_from_extension(|_: &String| Actor::user("nobody"))
                .actor_from_extension(|account: &Account| Actor::service_account(account.0));
            refunds().layer(audit).layer(from_fn(authenticate))
        },
        "POST",
        "/v1/refunds/42",
    )
    .await;
    assert_eq!(intent["actor"]["id"], "settler");
    assert_eq!(intent["actor"]["verified"], false);
}

#[tokio::test]
async fn only_headers_and_parameters_on_the_list_are_recorded() {
    let recorder = Recorder::new();
    let list = AllowList::new(["x-request-id"], ["page"]).unwrap();
    let audit = AuditLayer::for_axum(recorder.log.clone()).allow_list(list);
    let address = serve(Router::new().route("/", get(|| async { "" })).layer(audit)).await;
    let request = b"GET /?page=2&token=hush HTTP/1.1\r\nhost: a\r\nx-request-id: r-7\r\nx-other: hush\r\ncookie: hush\r\nconnection: close\r\n\r\n";
    exchange(address, request).await;
    let (intent, _) = recorder.pair().await;
    assert_eq!(intent["http"]["headers"], json!({"x-request-id": "r-7"}));
    assert_eq!(intent["http"]["query"], json!({"page": "2"}));
    assert!(!intent.to_string().contains("hush"));
}

#[tokio::test]
async fn forwarded_addresses_count_through_trusted_proxies_only() {
    for (networks, ip) in [(vec!["127.0.0.0/8"], "203.0.113.9"), (vec![], "127.0.0.1")] {
        let recorder = Recorder::new();
        let audit = AuditLayer::for_axum(recorder.log.clone()).trusted_proxies(TrustedProxies::new(networks).unwrap());
        let address = serve(Router::new().route("/", get(|| async { "" })).layer(audit)).await;
        let request =
            b"GET / HTTP/1.1\r\nhost: a\r\nx-forwarded-for: 198.51.100.1, 203.0.113.9\r\nconnection: close\r\n\r\n";
        exchange(address, request).await;
        assert_eq!(recorder.pair().await.0["source"]["ip"], ip);
    }
}

#[tokio::test]
async fn a_service_account_token_names_the_caller_unverified() {
    // {"alg":"RS256"} . {"iss":"https://kubernetes.default.svc","sub":"system:serviceaccount:payments:settler"} . signature
    let token = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJodHRwczovL2t1YmVybmV0ZXMuZGVmYXVsdC5zdmMiLCJzdWIiOiJzeXN0ZW06c2VydmljZWFjY291bnQ6cGF5bWVudHM6c2V0dGxlciJ9.c2lnbmF0dXJl";
    let recorder = Recorder::new();
    let address = serve(refunds().layer(AuditLayer::for_axum(recorder.log.clone()))).await;
    let request = format!(
        "POST /v1/refunds/1 HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {token}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    );
    exchange(address, request.as_bytes()).await;
    let (intent, _) = recorder.pair().await;
    assert_eq!(intent["actor"]["type"], "service_account");
    assert_eq!(intent["actor"]["id"], "system:serviceaccount:payments:settler");
    assert_eq!(intent["actor"]["verified"], false);
    assert!(!intent.to_string().contains("c2lnbmF0dXJl"));
}

#[tokio::test]
async fn panics_and_timeouts_on_either_side_are_recorded() {
    async fn panicking() {
        panic!("scripted panic of a handler")
    }
    async fn slow() {
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
    let app = || Router::new().route("/panic", get(panicking)).route("/slow", get(slow));
    // Long enough for an intent, however busy the machine is.
    let timeout = || TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, Duration::from_secs(2));

    let (answer, _, outcome) = record(|audit| app().layer(audit).layer(CatchPanicLayer::new()), "GET", "/panic").await;
    assert!(answer.starts_with("HTTP/1.1 500"));
    assert_eq!(outcome["result"], "panicked");

    let (_, _, outcome) = record(|audit| app().layer(CatchPanicLayer::new()).layer(audit), "GET", "/panic").await;
    assert_eq!((&outcome["result"], &outcome["status"]), (&"error".into(), &500.into()));

    let (answer, _, outcome) = record(|audit| app().layer(audit).layer(timeout()), "GET", "/slow").await;
    assert!(answer.starts_with("HTTP/1.1 408"));
    assert_eq!(outcome["result"], "cancelled");

    let (_, _, outcome) = record(|audit| app().layer(timeout()).layer(audit), "GET", "/slow").await;
    assert_eq!((&outcome["result"], &outcome["status"]), (&"failure".into(), &408.into()));
}

#[tokio::test]
async fn head_on_a_get_route_is_a_success() {
    let app = |audit| Router::new().route("/", get(|| async { "five!" })).layer(audit);
    let (answer, intent, outcome) = record(app, "HEAD", "/").await;
    assert!(answer.contains("content-length: 5"), "{answer}");
    assert_eq!(intent["action"], "HEAD /");
    assert_eq!(outcome["result"], "success");
}

#[tokio::test]
async fn a_json_answer_counts_its_bytes() {
    let app = |audit| Router::new().route("/", get(|| async { Json(json!({"ok": true})) })).layer(audit);
    let (_, _, outcome) = record(app, "GET", "/").await;
    assert_eq!(outcome["response_bytes"], 11);
}

#[tokio::test]
async fn a_refused_call_gets_503_and_the_users_answer_if_there_is_one() {
    async fn never() {
        panic!("the handler ran")
    }

    let recorder = Recorder::refusing().await;
    let app = Router::new().route("/", get(never));
    let audit = AuditLayer::for_axum(recorder.log.clone());
    let own = audit.clone().on_refused(|_, _| (StatusCode::IM_A_TEAPOT, "own").into_response());

    let answer = send(serve(app.clone().layer(audit)).await, "GET", "/").await;
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("retry-after: "), "{answer}");
    assert!(answer.contains("content-length: 0"));

    let answer = send(serve(app.layer(own)).await, "GET", "/").await;
    assert!(answer.starts_with("HTTP/1.1 418") && answer.ends_with("own"), "{answer}");
}

#[tokio::test]
async fn the_response_stays_what_axum_layers_outside_expect() {
    let recorder = Recorder::new();
    let app: Router = refunds()
        .layer(AuditLayer::for_axum(recorder.log.clone()))
        .layer(axum::middleware::map_response(|response: Response| async { response.map(Body::new) }));
    let address = serve(app).await;
    assert!(send(address, "POST", "/v1/refunds/42").await.starts_with("HTTP/1.1 201"));
    assert_eq!(recorder.outcome().await["result"], "success");
}

#[tokio::test]
async fn under_await_outcome_clients_have_whole_answers_only_with_the_outcome_stored() {
    let recorder = Recorder::with_policy(
        Policy::from_toml("[[rule]]\nname = \"money\"\nawait_outcome = true\ndeadline = \"10s\"\n").unwrap(),
    );
    let chunks = || tokio_stream::iter(["one", "two", "three"].map(Ok::<_, std::convert::Infallible>));
    let app = refunds()
        .route("/whole", get(|| async { "hello" }))
        .route("/stream", get(move || async move { Body::from_stream(chunks()) }))
        .layer(AuditLayer::for_axum(recorder.log.clone()));
    let address = serve(app).await;
    let calls = [
        ("GET", "/whole", "hello"),
        ("GET", "/stream", "three\r\n0\r\n\r\n"),
        ("HEAD", "/whole", "\r\n\r\n"),
        ("POST", "/v1/refunds/42", "\r\n\r\n"),
    ];
    for (count, (method, path, end)) in (1..).zip(calls) {
        let answer = send(address, method, path).await;
        let outcomes = recorder.records().iter().filter(|record| record["kind"] == "outcome").count();
        assert!(answer.ends_with(end), "{answer}");
        assert_eq!(outcomes, count, "{method} {path}");
    }
    recorder.settled().await;
}

#[tokio::test]
async fn bodies_of_extractors_are_captured_and_what_a_limit_cuts_is_unread() {
    let app = |log| {
        Router::new()
            .route("/json", post(|Json(refund): Json<Value>| async move { Json(refund) }))
            .layer(DefaultBodyLimit::max(32))
            .layer(AuditLayer::for_axum(log).capture_bodies())
    };
    let small = r#"{"amount":7,"token":"hush"}"#;
    let large = format!("[{}0]", "0,".repeat(40));
    // More of the large one is announced than ever comes.
    for (text, length, status, is_read) in [(small, small.len(), 200, true), (&*large, 100_000, 413, false)] {
        let recorder = Recorder::capturing("[[rule]]\nname = \"money\"\nlevel = \"request_response\"\n");
        let address = serve(app(recorder.log.clone())).await;
        let head = "POST /json HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\nconnection: close";
        let request = format!("{head}\r\ncontent-length: {length}\r\n\r\n{text}");
        exchange(address, request.as_bytes()).await;
        let outcome = recorder.outcome().await;
        assert_eq!(outcome["status"], status);
        assert_eq!(outcome["request_sha256"].is_string(), is_read, "{outcome}");
        assert_eq!(outcome["request_body"]["unread"] == true, !is_read, "{outcome}");
        assert!(outcome["response_sha256"].is_string());
        assert!(!outcome.to_string().contains("hush"));
    }
}

#[tokio::test]
async fn the_certificate_of_the_connection_reaches_identity_sources() {
    #[derive(Clone)]
    struct Connection(Vec<u8>);

    let recorder = Recorder::new();
    let audit = AuditLayer::for_axum(recorder.log.clone())
        .peer_certificate(|head| Some(head.extensions().get::<Connection>()?.0.as_slice().into()))
        .identify(|metadata: &dyn Metadata| {
            let certificate = metadata.peer_certificate()?;
            Some(Actor::service_account(format!("{certificate:?}")).verified())
        });
    let app = refunds().layer(audit).layer(Extension(Connection(vec![48, 3])));
    send(serve(app).await, "POST", "/v1/refunds/42").await;
    assert_eq!(recorder.pair().await.0["actor"]["id"], "[48, 3]");
}

#[tokio::test]
async fn an_actor_who_is_nobody_does_not_become_somebody() {
    let recorder = Recorder::new();
    let app = refunds()
        .layer(AuditLayer::for_axum(recorder.log.clone()))
        .layer(Extension(Actor::unauthenticated().reason("expired")));
    send(serve(app).await, "POST", "/v1/refunds/42").await;
    let (intent, _) = recorder.pair().await;
    assert_ne!(intent["actor"]["verified"], true, "{intent}");
    assert_eq!(intent["actor"]["reason"], "expired");
}
