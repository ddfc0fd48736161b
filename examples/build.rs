//! Makes the gRPC code of the example service from its definitions, without `protoc`.

use std::error::Error;

const DEFINITIONS: [&str; 2] = ["proto/payments/v1/payments.proto", "proto/grpc/health/v1/health.proto"];

fn main() -> Result<(), Box<dyn Error>> {
    for definition in DEFINITIONS {
        println!("cargo::rerun-if-changed={definition}");
    }
    let definitions = protox::compile(DEFINITIONS, ["proto"])?;
    tonic_prost_build::configure().compile_fds(definitions)?;
    Ok(())
}
