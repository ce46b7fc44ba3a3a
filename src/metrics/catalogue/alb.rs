//! The metrics of the Application Load Balancer.

use super::rows::{Service, counter, gauge, on, raw, zero};
use super::{Pattern, Row, Unit};
use crate::metrics::Statistic::{Average, Maximum, Minimum, SampleCount, Sum};

const ALB: Service = ("alb", "AWS/ApplicationELB", &[Pattern::LoadBalancer]);

pub(super) const ROWS: &[Row] = &[
    counter(ALB, "request_count", "RequestCount", "Requests for which a target was chosen."),
    raw(gauge(
        ALB,
        "target_response_time",
        "TargetResponseTime",
        Unit::Seconds,
        &[Average, Maximum, SampleCount],
        "How long targets took to begin their answer.",
    )),
    zero(counter(
        ALB,
        "http_code_target_2xx_count",
        "HTTPCode_Target_2XX_Count",
        "Answers of targets, 2xx.",
    )),
    zero(counter(
        ALB,
        "http_code_target_3xx_count",
        "HTTPCode_Target_3XX_Count",
        "Answers of targets, 3xx.",
    )),
    zero(counter(
        ALB,
        "http_code_target_4xx_count",
        "HTTPCode_Target_4XX_Count",
        "Answers of targets, 4xx.",
    )),
    zero(counter(
        ALB,
        "http_code_target_5xx_count",
        "HTTPCode_Target_5XX_Count",
        "Answers of targets, 5xx.",
    )),
    zero(counter(
        ALB,
        "http_code_elb_4xx_count",
        "HTTPCode_ELB_4XX_Count",
        "Answers of the balancer itself, 4xx.",
    )),
    zero(counter(
        ALB,
        "http_code_elb_5xx_count",
        "HTTPCode_ELB_5XX_Count",
        "Answers of the balancer itself, 5xx.",
    )),
    zero(counter(
        ALB,
        "http_code_elb_500_count",
        "HTTPCode_ELB_500_Count",
        "Answers of the balancer itself, 500.",
    )),
    zero(counter(
        ALB,
        "http_code_elb_502_count",
        "HTTPCode_ELB_502_Count",
        "Answers of the balancer itself: a target's answer was broken.",
    )),
    zero(counter(
        ALB,
        "http_code_elb_503_count",
        "HTTPCode_ELB_503_Count",
        "Answers of the balancer itself: no target, or no room.",
    )),
    zero(counter(
        ALB,
        "http_code_elb_504_count",
        "HTTPCode_ELB_504_Count",
        "Answers of the balancer itself: a target did not answer in time.",
    )),
    zero(counter(
        ALB,
        "rejected_connection_count",
        "RejectedConnectionCount",
        "Connections refused: the balancer had its maximum.",
    )),
    zero(counter(
        ALB,
        "target_connection_error_count",
        "TargetConnectionErrorCount",
        "Connections to targets that failed.",
    )),
    zero(counter(
        ALB,
        "client_tls_negotiation_error_count",
        "ClientTLSNegotiationErrorCount",
        "TLS handshakes with clients that failed.",
    )),
    zero(counter(
        ALB,
        "active_connection_count",
        "ActiveConnectionCount",
        "Open connections of clients and targets.",
    )),
    zero(counter(
        ALB,
        "new_connection_count",
        "NewConnectionCount",
        "Connections opened by clients and to targets.",
    )),
    on(
        &[Pattern::TargetGroup],
        gauge(
            ALB,
            "healthy_host_count",
            "HealthyHostCount",
            Unit::Count,
            &[Minimum, Maximum, Average],
            "Targets that are healthy.",
        ),
    ),
    on(
        &[Pattern::TargetGroup],
        gauge(
            ALB,
            "un_healthy_host_count",
            "UnHealthyHostCount",
            Unit::Count,
            &[Maximum, Minimum, Average],
            "Targets that are not healthy.",
        ),
    ),
    on(
        &[Pattern::TargetGroup],
        counter(
            ALB,
            "request_count_per_target",
            "RequestCountPerTarget",
            "Requests divided by healthy targets.",
        ),
    ),
    zero(gauge(
        ALB,
        "processed_bytes",
        "ProcessedBytes",
        Unit::Bytes,
        &[Sum],
        "Bytes of requests and answers.",
    )),
    gauge(
        ALB,
        "consumed_lcus",
        "ConsumedLCUs",
        Unit::CapacityUnits,
        &[Average, Maximum, Minimum],
        "Load balancer capacity units, as they are billed.",
    ),
];
