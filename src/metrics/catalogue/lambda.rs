//! The metrics of Lambda.
//!
//! A point carries the time at which its invocation started, and comes after the invocation ended.

use super::rows::{Service, counter, gauge, on, raw, zero};
use super::{Pattern, Row, Unit};
use crate::metrics::Statistic::{Average, Maximum, SampleCount};

const LAMBDA: Service = ("lambda", "AWS/Lambda", &[Pattern::Function]);

pub(super) const ROWS: &[Row] = &[
    counter(
        LAMBDA,
        "invocations",
        "Invocations",
        "Runs of the function, throttled ones not among them.",
    ),
    counter(LAMBDA, "errors", "Errors", "Runs that ended in an error, timeouts among them."),
    zero(counter(LAMBDA, "throttles", "Throttles", "Runs refused for want of concurrency.")),
    raw(gauge(
        LAMBDA,
        "duration",
        "Duration",
        Unit::Milliseconds,
        &[Average, Maximum, SampleCount],
        "How long runs took, cold start aside.",
    )),
    on(
        &[Pattern::Function, Pattern::Account],
        gauge(
            LAMBDA,
            "concurrent_executions",
            "ConcurrentExecutions",
            Unit::Count,
            &[Maximum],
            "Runs at the same time.",
        ),
    ),
    on(
        &[Pattern::Account],
        gauge(
            LAMBDA,
            "unreserved_concurrent_executions",
            "UnreservedConcurrentExecutions",
            Unit::Count,
            &[Maximum],
            "Runs at the same time of functions without a reservation.",
        ),
    ),
    zero(counter(
        LAMBDA,
        "provisioned_concurrency_spillover_invocations",
        "ProvisionedConcurrencySpilloverInvocations",
        "Runs beyond the provisioned concurrency.",
    )),
    gauge(
        LAMBDA,
        "provisioned_concurrent_executions",
        "ProvisionedConcurrentExecutions",
        Unit::Count,
        &[Maximum],
        "Runs at the same time on provisioned concurrency.",
    ),
    gauge(
        LAMBDA,
        "iterator_age",
        "IteratorAge",
        Unit::Milliseconds,
        &[Maximum],
        "Age of the last record of a stream when it was handed over.",
    ),
    zero(counter(
        LAMBDA,
        "dead_letter_errors",
        "DeadLetterErrors",
        "Events that could not be sent to the dead-letter queue.",
    )),
    zero(counter(
        LAMBDA,
        "destination_delivery_failures",
        "DestinationDeliveryFailures",
        "Events that could not be sent to their destination.",
    )),
    counter(
        LAMBDA,
        "async_events_received",
        "AsyncEventsReceived",
        "Events queued for the function.",
    ),
    zero(counter(
        LAMBDA,
        "async_events_dropped",
        "AsyncEventsDropped",
        "Events given up without a successful run.",
    )),
    raw(gauge(
        LAMBDA,
        "async_event_age",
        "AsyncEventAge",
        Unit::Milliseconds,
        &[Average, Maximum],
        "From the queueing of an event to its run.",
    )),
];
