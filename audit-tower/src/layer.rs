use std::borrow::Cow;
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::sync::Arc;

use audit_core::adapter::{self, Dialect};
use audit_core::identity::{Identify, TrustedProxies};
use audit_core::log::{AuditLog, Refused};
use audit_core::record::Actor;
use audit_core::redaction::AllowList;
use http::Response;
use http::request::Parts;
use tower_layer::Layer;

use crate::settings::Settings;
use crate::{AuditService, Captured, RequestHead, Unavailable, Untouched};

/// Records every call of the service inside: an intent before it, an outcome after it.
///
/// Cheap to clone. `R` answers calls that the log refuses; users name it only after
/// [`on_refused`](Self::on_refused). `C` says which request body the service inside sees; users
/// name it only after [`capture_bodies`](Self::capture_bodies).
#[derive(Debug)]
pub struct AuditLayer<R = Unavailable, C = Untouched> {
    settings: Settings<R>,
    capture: PhantomData<fn() -> C>,
}

impl AuditLayer {
    /// A layer for any service of HTTP requests.
    ///
    /// It knows neither routes nor addresses: see [`route`](Self::route) and [`peer`](Self::peer).
    #[must_use]
    pub fn new(log: AuditLog) -> Self {
        Self::speaking(log, Dialect::Http)
    }

    fn speaking(log: AuditLog, dialect: Dialect) -> Self {
        Self { settings: Settings::new(adapter::Settings::new(log, dialect), Unavailable), capture: PhantomData }
    }

    /// A layer for gRPC services: the action is `package.Service/Method`, and the outcome is read
    /// from `grpc-status`, in the head or in the trailers.
    #[must_use]
    pub fn for_grpc(log: AuditLog) -> Self {
        Self::speaking(log, Dialect::Grpc)
    }

    /// A layer for an axum router: the action names the matched route, the resource is the path
    /// before any nesting, and the source is the peer of the connection where the server was
    /// started with `into_make_service_with_connect_info::<SocketAddr>()`.
    #[cfg(feature = "axum")]
    #[must_use]
    pub fn for_axum(log: AuditLog) -> Self {
        use axum::extract::{ConnectInfo, MatchedPath, OriginalUri};

        let mut layer = Self::new(log)
            .route(|head| {
                let matched = head.extensions().get::<MatchedPath>()?;
                Some(Cow::Borrowed(matched.as_str()))
            })
            .peer(|head| {
                let connection = head.extensions().get::<ConnectInfo<SocketAddr>>()?;
                Some(connection.0)
            });
        layer.settings.original_uri = Some(|extensions| extensions.get::<OriginalUri>().map(|original| &original.0));
        layer
    }
}

impl<R, C> AuditLayer<R, C> {
    /// Tells the route template of a request, which stands in the action: `POST /v1/refunds/{id}`.
    ///
    /// Where the hook answers `None`, the action names the path. Not used for gRPC.
    #[must_use]
    pub fn route<F>(mut self, hook: F) -> Self
    where
        F: for<'a> Fn(&RequestHead<'a>) -> Option<Cow<'a, str>> + Send + Sync + 'static,
    {
        self.settings.route = Some(Arc::new(hook));
        self
    }

    /// Tells the address of the other end of the connection.
    #[must_use]
    pub fn peer<F>(mut self, hook: F) -> Self
    where
        F: Fn(&RequestHead<'_>) -> Option<SocketAddr> + Send + Sync + 'static,
    {
        self.settings.peer = Some(Arc::new(hook));
        self
    }

    /// Tells the certificate (DER) that the client showed in the TLS handshake and the handshake
    /// verified, so that identity sources can read it
    /// ([`Metadata::peer_certificate`](audit_core::identity::Metadata::peer_certificate)).
    ///
    /// It has to come from the connection, never from a header: a server that ends TLS leaves it in
    /// the request's extensions, tonic as `TlsConnectInfo`. Called only by sources that ask.
    #[must_use]
    pub fn peer_certificate<F>(mut self, hook: F) -> Self
    where
        F: for<'a> Fn(&RequestHead<'a>) -> Option<Cow<'a, [u8]>> + Send + Sync + 'static,
    {
        self.settings.peer_certificate = Some(Arc::new(hook));
        self
    }

    /// Finds the caller in request metadata, where neither an [`Actor`] in the request's
    /// extensions nor [`actor_from_extension`](Self::actor_from_extension) tells. Without it,
    /// [`DefaultIdentify`](audit_core::identity::DefaultIdentify).
    #[must_use]
    pub fn identify(mut self, identify: impl Identify) -> Self {
        self.settings.shared.identify = Arc::new(identify);
        self
    }

    /// Turns what the host's own authentication left in the request's extensions into the caller.
    ///
    /// That layer has to be outside of this one. The actor is as verified as the closure says.
    /// May be called for several types; the first that is there counts.
    #[must_use]
    pub fn actor_from_extension<T>(mut self, actor: impl Fn(&T) -> Actor + Send + Sync + 'static) -> Self
    where
        T: Send + Sync + 'static,
    {
        self.settings.actor_hooks.push(Arc::new(move |extensions| extensions.get().map(&actor)));
        self
    }

    /// Believes `X-Forwarded-For` from these proxies. Without it, the source of a call is the other
    /// end of its connection.
    #[must_use]
    pub fn trusted_proxies(mut self, proxies: TrustedProxies) -> Self {
        self.settings.shared.trusted_proxies = proxies;
        self
    }

    /// Records these headers and query parameters. Without it, none.
    #[must_use]
    pub fn allow_list(mut self, allow_list: AllowList) -> Self {
        self.settings.shared.allow_list = allow_list;
        self
    }

    /// Answers calls that the log refuses, instead of `503` (gRPC: `UNAVAILABLE`).
    ///
    /// The handler of such a call never runs; its request body is dropped unread.
    #[must_use]
    pub fn on_refused<F, B>(self, respond: F) -> AuditLayer<F, C>
    where
        F: Fn(&Refused, &Parts) -> Response<B> + Clone + Send + Sync + 'static,
    {
        AuditLayer { settings: self.settings.with_on_refused(respond), capture: PhantomData }
    }

    /// Shows the log the bodies of calls whose rule asks for them (levels `request` and
    /// `request_response`), as the handler and the caller read them. Nothing is buffered but what
    /// [`BodyCapture`](audit_core::capture::BodyCapture) keeps.
    ///
    /// The request body of the service inside becomes [`RequestBody`](crate::RequestBody). Without
    /// this, a call under such a rule is refused; under `on_failure = "allow"` it goes on and its
    /// outcome says that the bodies are missing.
    #[must_use]
    pub fn capture_bodies(self) -> AuditLayer<R, Captured> {
        let mut settings = self.settings;
        settings.shared.captures_bodies = true;
        AuditLayer { settings, capture: PhantomData }
    }
}

impl<R: Clone, C> Clone for AuditLayer<R, C> {
    fn clone(&self) -> Self {
        Self { settings: self.settings.clone(), capture: PhantomData }
    }
}

impl<S, R: Clone, C> Layer<S> for AuditLayer<R, C> {
    type Service = AuditService<S, R, C>;

    fn layer(&self, inner: S) -> Self::Service {
        AuditService::new(inner, Arc::new(self.settings.clone()))
    }
}
