//! The calls on tonic.

use std::pin::Pin;

use audit_core::{AuditLog, CurrentActivity};
use tokio_stream::{Stream, StreamExt};
use tonic::{Request, Response, Status, Streaming};

use crate::chunks::chunks;
use crate::grpc::health::health_check_response::ServingStatus;
use crate::grpc::health::health_server::{Health, HealthServer};
use crate::grpc::health::{HealthCheckRequest, HealthCheckResponse};
use crate::grpc::payments as message;
use crate::grpc::payments::payments_server::PaymentsServer;
use crate::payments::Payments;
use crate::requests::well_formed;
use crate::{limits, readiness};

/// The payments service as tonic serves it.
#[must_use]
pub fn payments(state: Payments) -> PaymentsServer<Service> {
    PaymentsServer::new(Service(state)).max_decoding_message_size(limits::BODY_BYTES)
}

/// The health checks; without a log, the service is always well.
#[must_use]
pub fn health(log: Option<AuditLog>) -> HealthServer<Checks> {
    HealthServer::new(Checks(log))
}

/// The handlers of the payments service.
#[derive(Clone, Debug)]
pub struct Service(Payments);

/// The handler of health checks.
#[derive(Clone, Debug)]
pub struct Checks(Option<AuditLog>);

type Answer<T> = Result<Response<T>, Status>;
type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl message::payments_server::Payments for Service {
    type StreamStream = Answers<message::Chunk>;
    type RefundEachStream = Answers<message::RefundReply>;

    async fn refund(&self, request: Request<message::RefundRequest>) -> Answer<message::RefundReply> {
        self.0.handled();
        let activity = request.extensions().get::<CurrentActivity>().cloned();
        let refund = request.into_inner();
        if let Some(activity) = activity {
            // Lands in the outcome; an activity that is over, or full, does not stop the refund.
            activity.resource(&refund.id).ok();
        }
        Ok(Response::new(one(&self.0, refund)?))
    }

    async fn count_refunds(&self, _: Request<message::CountRefundsRequest>) -> Answer<message::CountRefundsReply> {
        self.0.handled();
        Ok(Response::new(message::CountRefundsReply { refunds: self.0.refunds() }))
    }

    async fn slow(&self, request: Request<message::SlowRequest>) -> Answer<message::SlowReply> {
        self.0.handled();
        let wait = std::time::Duration::from_millis(request.into_inner().ms);
        tokio::time::sleep(wait.min(limits::SLOW)).await;
        Ok(Response::new(message::SlowReply {}))
    }

    async fn stream(&self, request: Request<message::StreamRequest>) -> Answer<Self::StreamStream> {
        self.0.handled();
        let chunks = chunks(request.into_inner().chunks);
        let chunks = chunks.map(|data| Ok(message::Chunk { data: data.into() }));
        Ok(Response::new(Box::pin(chunks)))
    }

    async fn refund_all(
        &self,
        request: Request<Streaming<message::RefundRequest>>,
    ) -> Answer<message::CountRefundsReply> {
        self.0.handled();
        let mut refunds = request.into_inner();
        while let Some(refund) = refunds.message().await? {
            one(&self.0, refund)?;
        }
        Ok(Response::new(message::CountRefundsReply { refunds: self.0.refunds() }))
    }

    async fn refund_each(&self, request: Request<Streaming<message::RefundRequest>>) -> Answer<Self::RefundEachStream> {
        self.0.handled();
        let payments = self.0.clone();
        let replies = request.into_inner().map(move |refund| one(&payments, refund?));
        Ok(Response::new(Box::pin(replies)))
    }

    async fn fail(&self, request: Request<message::FailRequest>) -> Answer<message::FailReply> {
        self.0.handled();
        Err(Status::internal(request.into_inner().message))
    }

    async fn denied(&self, _: Request<message::DeniedRequest>) -> Answer<message::DeniedReply> {
        self.0.handled();
        Err(Status::permission_denied("as asked"))
    }

    async fn unauthenticated(
        &self,
        _: Request<message::UnauthenticatedRequest>,
    ) -> Answer<message::UnauthenticatedReply> {
        self.0.handled();
        Err(Status::unauthenticated("as asked"))
    }

    async fn panic(&self, request: Request<message::PanicRequest>) -> Answer<message::PanicReply> {
        self.0.handled();
        panic!("this handler panics: {}", request.into_inner().message)
    }
}

fn one(payments: &Payments, refund: message::RefundRequest) -> Result<message::RefundReply, Status> {
    if !well_formed(&refund.details) {
        return Err(Status::invalid_argument("the details are not JSON"));
    }
    payments.refund();
    Ok(message::RefundReply { id: refund.id })
}

#[tonic::async_trait]
impl Health for Checks {
    async fn check(&self, _: Request<HealthCheckRequest>) -> Answer<HealthCheckResponse> {
        let status = match self.0.as_ref().and_then(readiness::reason_against) {
            None => ServingStatus::Serving,
            Some(_) => ServingStatus::NotServing,
        };
        Ok(Response::new(HealthCheckResponse { status: status.into() }))
    }
}
