//! CloudWatch: what the data plane measures, and what callers put in.

mod asked;
mod data;
mod expression;
mod list;
mod math;
mod period;
mod put;
mod statistics;
#[cfg(test)]
mod testing;

use super::wire::operation::{Service, query};
use super::wire::protocol::Protocol;

/// What its operations go by, in the path of CBOR and in the header of JSON.
const TARGET: &str = "GraniteServiceVersion20100801";

/// The service.
pub(super) const SERVICE: Service = Service {
    name: "monitoring",
    protocol: Protocol::Cbor(TARGET),
    operations: &[
        query("GetMetricData", data::get, &[]),
        query("GetMetricStatistics", statistics::get, &[]),
        query("ListMetrics", list::list, &[]),
        query("PutMetricData", put::put, &[]),
    ],
};

/// The same in JSON, which boto3 and the AWS CLI speak to it.
pub(super) const IN_JSON: Service = Service { protocol: Protocol::Json(TARGET), ..SERVICE };
