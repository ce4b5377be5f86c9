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

/// The service.
pub(super) const SERVICE: Service = Service {
    name: "monitoring",
    protocol: Protocol::Cbor("GraniteServiceVersion20100801"),
    operations: &[
        query("GetMetricData", data::get, &[]),
        query("GetMetricStatistics", statistics::get, &[]),
        query("ListMetrics", list::list, &[]),
        query("PutMetricData", put::put, &[]),
    ],
};
