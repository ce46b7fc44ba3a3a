//! Which metrics of AWS are looked at together. A further service is further rows.

use crate::metrics::Statistic;

use super::Role;

/// One chart of a service.
#[derive(Clone, Copy)]
pub(super) struct Spec {
    pub(super) kind: &'static str,
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    /// Sums over a period are shown per second.
    pub(super) per_second: bool,
    /// The end of the axis, when it is not by the values.
    pub(super) top: Option<f64>,
    pub(super) picks: &'static [Pick],
}

/// The series of one metric for a chart.
pub(super) struct Pick {
    pub(super) metric: &'static str,
    pub(super) statistic: Wanted,
    /// After the resource's name in the legend.
    pub(super) word: &'static str,
    pub(super) role: Role,
}

/// Which statistic of a metric.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Wanted {
    Sum,
    Average,
    Minimum,
    Maximum,
    Percentile,
}

impl Wanted {
    pub(super) fn is(self, statistic: Statistic) -> bool {
        matches!(
            (self, statistic),
            (Self::Sum, Statistic::Sum)
                | (Self::Average, Statistic::Average)
                | (Self::Minimum, Statistic::Minimum)
                | (Self::Maximum, Statistic::Maximum)
                | (Self::Percentile, Statistic::Percentile(_))
        )
    }
}

const fn pick(metric: &'static str, statistic: Wanted, word: &'static str, role: Role) -> Pick {
    Pick {
        metric,
        statistic,
        word,
        role,
    }
}

const fn spec(kind: &'static str, id: &'static str, title: &'static str, picks: &'static [Pick]) -> Spec {
    Spec {
        kind,
        id,
        title,
        per_second: false,
        top: None,
        picks,
    }
}

const fn per_second(spec: Spec) -> Spec {
    Spec { per_second: true, ..spec }
}

const fn percent(spec: Spec) -> Spec {
    Spec { top: Some(100.0), ..spec }
}

/// All of them, in the order of the page.
pub(super) static SPECS: &[Spec] = &[
    spec(
        "lambda",
        "concurrency",
        "Concurrency, greatest of the minute",
        &[pick("concurrent_executions", Wanted::Maximum, "", Role::Main)],
    ),
    spec(
        "lambda",
        "invocations",
        "Invocations a minute",
        &[pick("invocations", Wanted::Sum, "", Role::Main)],
    ),
    spec(
        "lambda",
        "failures",
        "Throttles and errors a minute",
        &[
            pick("throttles", Wanted::Sum, "throttles", Role::Main),
            pick("errors", Wanted::Sum, "errors", Role::Bad),
        ],
    ),
    spec(
        "lambda",
        "duration",
        "Duration",
        &[
            pick("duration", Wanted::Average, "average", Role::Main),
            pick("duration", Wanted::Percentile, "", Role::Main),
            pick("duration", Wanted::Maximum, "max", Role::Faint),
        ],
    ),
    per_second(spec(
        "dynamodb",
        "read",
        "Read units a second",
        &[
            pick("consumed_read_capacity_units", Wanted::Sum, "used", Role::Main),
            pick("provisioned_read_capacity_units", Wanted::Maximum, "provisioned", Role::Limit),
        ],
    )),
    per_second(spec(
        "dynamodb",
        "write",
        "Write units a second",
        &[
            pick("consumed_write_capacity_units", Wanted::Sum, "used", Role::Main),
            pick("provisioned_write_capacity_units", Wanted::Maximum, "provisioned", Role::Limit),
        ],
    )),
    spec(
        "dynamodb",
        "throttle-events",
        "Throttle events a minute",
        &[
            pick("read_throttle_events", Wanted::Sum, "read", Role::Faint),
            pick("write_throttle_events", Wanted::Sum, "write", Role::Main),
        ],
    ),
    spec(
        "rest-api",
        "count",
        "Requests a minute",
        &[pick("count", Wanted::Sum, "", Role::Main)],
    ),
    spec(
        "rest-api",
        "errors",
        "Answers 4xx and 5xx a minute",
        &[
            pick("4xx_error", Wanted::Sum, "4xx", Role::Main),
            pick("5xx_error", Wanted::Sum, "5xx", Role::Bad),
        ],
    ),
    spec(
        "rest-api",
        "latency",
        "Latency",
        &[
            pick("latency", Wanted::Average, "average", Role::Main),
            pick("latency", Wanted::Percentile, "", Role::Main),
            pick("latency", Wanted::Maximum, "max", Role::Faint),
        ],
    ),
    spec(
        "alb",
        "requests",
        "Requests a minute",
        &[pick("request_count", Wanted::Sum, "", Role::Main)],
    ),
    spec(
        "alb",
        "errors",
        "Answers 5xx and rejections a minute",
        &[
            pick("http_code_target_5xx_count", Wanted::Sum, "target 5xx", Role::Bad),
            pick("http_code_elb_5xx_count", Wanted::Sum, "balancer 5xx", Role::Main),
            pick("rejected_connection_count", Wanted::Sum, "rejected", Role::Faint),
        ],
    ),
    spec(
        "alb",
        "response",
        "Response time of targets",
        &[
            pick("target_response_time", Wanted::Average, "average", Role::Main),
            pick("target_response_time", Wanted::Percentile, "", Role::Main),
            pick("target_response_time", Wanted::Maximum, "max", Role::Faint),
        ],
    ),
    spec(
        "alb",
        "hosts",
        "Targets",
        &[
            pick("healthy_host_count", Wanted::Minimum, "healthy, least", Role::Main),
            pick("un_healthy_host_count", Wanted::Maximum, "unhealthy, most", Role::Bad),
        ],
    ),
    percent(spec(
        "ecs",
        "cpu",
        "CPU, of what is reserved",
        &[
            pick("cpu_utilization", Wanted::Average, "average", Role::Main),
            pick("cpu_utilization", Wanted::Maximum, "max", Role::Faint),
        ],
    )),
    percent(spec(
        "ecs",
        "memory",
        "Memory, of what is reserved",
        &[
            pick("memory_utilization", Wanted::Average, "average", Role::Main),
            pick("memory_utilization", Wanted::Maximum, "max", Role::Faint),
        ],
    )),
    spec(
        "ecs",
        "tasks",
        "Tasks",
        &[
            pick("running_task_count", Wanted::Average, "running", Role::Main),
            pick("desired_task_count", Wanted::Average, "desired", Role::Limit),
            pick("pending_task_count", Wanted::Average, "pending", Role::Faint),
        ],
    ),
];
