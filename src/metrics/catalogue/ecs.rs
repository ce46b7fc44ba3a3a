//! The metrics of ECS.
//!
//! Utilisation is aggregated before it is published, so there are no raw values.

use std::time::Duration;

use super::rows::{Service, gauge};
use super::{Pattern, Row, Unit};
use crate::metrics::Statistic::{Average, Maximum, Minimum};

const ECS: Service = ("ecs", "AWS/ECS", &[Pattern::Service]);

pub(super) const ROWS: &[Row] = &[
    gauge(
        ECS,
        "cpu_utilization",
        "CPUUtilization",
        Unit::Percent,
        &[Average, Maximum, Minimum],
        "CPU of the service's tasks, of what they reserve.",
    ),
    gauge(
        ECS,
        "memory_utilization",
        "MemoryUtilization",
        Unit::Percent,
        &[Average, Maximum, Minimum],
        "Memory of the service's tasks, of what they reserve.",
    ),
    insights(gauge(
        ECS,
        "running_task_count",
        "RunningTaskCount",
        Unit::Count,
        &[Average, Maximum, Minimum],
        "Tasks that run (needs Container Insights).",
    )),
    insights(gauge(
        ECS,
        "desired_task_count",
        "DesiredTaskCount",
        Unit::Count,
        &[Average, Maximum, Minimum],
        "Tasks that are wanted (needs Container Insights).",
    )),
    insights(gauge(
        ECS,
        "pending_task_count",
        "PendingTaskCount",
        Unit::Count,
        &[Average, Maximum],
        "Tasks that are about to run (needs Container Insights).",
    )),
    insights(gauge(
        ECS,
        "cpu_utilized",
        "CpuUtilized",
        Unit::CpuUnits,
        &[Average, Maximum],
        "CPU units in use (needs Container Insights).",
    )),
    insights(gauge(
        ECS,
        "memory_utilized",
        "MemoryUtilized",
        Unit::Megabytes,
        &[Average, Maximum],
        "Memory in use (needs Container Insights).",
    )),
    insights(gauge(
        ECS,
        "network_rx_bytes",
        "NetworkRxBytes",
        Unit::BytesPerSecond,
        &[Average, Maximum],
        "Bytes received a second (needs Container Insights).",
    )),
    insights(gauge(
        ECS,
        "network_tx_bytes",
        "NetworkTxBytes",
        Unit::BytesPerSecond,
        &[Average, Maximum],
        "Bytes sent a second (needs Container Insights).",
    )),
];

/// Derived from log events, a few minutes late.
const fn insights(row: Row) -> Row {
    Row {
        namespace: "ECS/ContainerInsights",
        delay: Duration::from_mins(5),
        ..row
    }
}
