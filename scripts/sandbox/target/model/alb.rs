//! An application load balancer's metrics.
//!
//! Knows how requests ended and how many targets and connections there are; not how targets work. What AWS
//! reports only when it is not zero is written only then.

use std::time::Duration;

use super::book::{Book, SeriesId, Unit};
use super::outcome::Outcome;
use super::time::Time;

const NAMESPACE: &str = "AWS/ApplicationELB";

/// The metrics that exist for the balancer and for each of its target groups.
#[derive(Clone, Copy, Debug)]
struct TargetMeters {
    requests: SeriesId,
    response_time: SeriesId,
    ok: SeriesId,
    client_error: SeriesId,
    server_error: SeriesId,
}

#[derive(Debug)]
pub(crate) struct Balancer {
    whole: TargetMeters,
    group: TargetMeters,
    per_target: [SeriesId; 2],
    elb_5xx: SeriesId,
    elb_503: SeriesId,
    elb_504: SeriesId,
    healthy: SeriesId,
    unhealthy: SeriesId,
    active: SeriesId,
    new: SeriesId,
    connections: u32,
    most_connections: u32,
}

impl Balancer {
    pub(crate) fn new(book: &mut Book, balancer: &str, group: &str) -> Self {
        let whole = [("LoadBalancer", balancer)];
        let both = [("LoadBalancer", balancer), ("TargetGroup", group)];
        let per_target = [
            book.series(NAMESPACE, "RequestCountPerTarget", Unit::Count, &[("TargetGroup", group)]),
            book.series(NAMESPACE, "RequestCountPerTarget", Unit::Count, &both),
        ];
        let (of_whole, of_group) = (TargetMeters::new(book, &whole), TargetMeters::new(book, &both));
        let mut series = |metric, dimensions: &[(&'static str, &str)]| book.series(NAMESPACE, metric, Unit::Count, dimensions);
        Self {
            whole: of_whole,
            group: of_group,
            per_target,
            elb_5xx: series("HTTPCode_ELB_5XX_Count", &whole),
            elb_503: series("HTTPCode_ELB_503_Count", &whole),
            elb_504: series("HTTPCode_ELB_504_Count", &whole),
            healthy: series("HealthyHostCount", &both),
            unhealthy: series("UnHealthyHostCount", &both),
            active: series("ActiveConnectionCount", &whole),
            new: series("NewConnectionCount", &whole),
            connections: 0,
            most_connections: 0,
        }
    }

    /// A request for which a target was chosen, among `targets`.
    pub(crate) fn routed(&self, now: Time, targets: usize, book: &mut Book) {
        let targets = u32::try_from(targets).unwrap_or(u32::MAX).max(1);
        for meters in [self.whole, self.group] {
            book.count(now, meters.requests);
        }
        for series in self.per_target {
            book.record(now, series, 1.0 / f64::from(targets));
        }
    }

    pub(crate) fn answered(&self, now: Time, outcome: Outcome, took: Duration, book: &mut Book) {
        let own = match outcome {
            Outcome::NoCapacity => Some(self.elb_503),
            Outcome::TimedOut => Some(self.elb_504),
            _ => None,
        };
        if let Some(own) = own {
            book.count(now, own);
            book.count(now, self.elb_5xx);
            return;
        }
        for meters in [self.whole, self.group] {
            book.record(now, meters.response_time, took.as_secs_f64());
            let class = match outcome.status() {
                500.. => meters.server_error,
                400.. => meters.client_error,
                _ => meters.ok,
            };
            book.count(now, class);
        }
    }

    pub(crate) fn connected(&mut self, now: Time, book: &mut Book) {
        book.count(now, self.new);
        self.connections += 1;
        self.most_connections = self.most_connections.max(self.connections);
    }

    pub(crate) const fn disconnected(&mut self) {
        self.connections = self.connections.saturating_sub(1);
    }

    pub(crate) fn sample_targets(&self, at: Time, running: usize, book: &mut Book) {
        book.record(at, self.healthy, f64::from(u32::try_from(running).unwrap_or(u32::MAX)));
        book.record(at, self.unhealthy, 0.0);
    }

    /// The minute is over: the most connections it had at once.
    pub(crate) fn end_minute(&mut self, at: Time, book: &mut Book) {
        if self.most_connections > 0 {
            book.record(at, self.active, f64::from(self.most_connections));
        }
        self.most_connections = self.connections;
    }
}

impl TargetMeters {
    fn new(book: &mut Book, dimensions: &[(&'static str, &str)]) -> Self {
        let mut series = |metric, unit| book.series(NAMESPACE, metric, unit, dimensions);
        Self {
            requests: series("RequestCount", Unit::Count),
            response_time: series("TargetResponseTime", Unit::Seconds),
            ok: series("HTTPCode_Target_2XX_Count", Unit::Count),
            client_error: series("HTTPCode_Target_4XX_Count", Unit::Count),
            server_error: series("HTTPCode_Target_5XX_Count", Unit::Count),
        }
    }
}
