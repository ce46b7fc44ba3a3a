//! What the client saw against what AWS counted, by front door.
//!
//! Counts are matched minute by minute, a minute's lead of the client allowed, since a request that is due in one
//! minute may reach the service in the next. That two things happened in the same minute is no proof that one caused
//! the other, and the words say so. Nothing is explained twice, and never more than there is.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::select::Picker;
use super::words::moment;
use crate::load::{Counts, Recording};
use crate::metrics::align::{MINUTE, after, floor};
use crate::metrics::{Series, Statistic};
use crate::scenario::Scope;
use crate::units::{self, Timestamp};

/// The client's failures, explained as far as the numbers allow.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Reconciliation {
    /// Requests that failed or were lost, as the client counted.
    pub client_failures: u64,
    /// 429 answers and 5xx answers among them.
    pub client_429: u64,
    /// See `client_429`.
    pub client_5xx: u64,
    /// What explains them, greatest first; counts never add up to more than the failures.
    pub explained: Vec<Explained>,
    /// What nothing explains.
    pub unexplained: u64,
    /// In one sentence: `519 client failures = 498 Lambda throttles + 12 timeouts + 9 unexplained`.
    pub sentence: String,
}

/// A part of the client's failures with its explanation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Explained {
    /// How many.
    pub count: u64,
    /// `Lambda throttles`, `timeouts`.
    pub by: String,
    /// How it is known, in a sentence.
    pub how: String,
}

/// What stands between the client and the functions. It decides what a throttled function looks like from outside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FrontDoor {
    /// Functions are called themselves: 429.
    Direct,
    /// API Gateway, REST, proxy integration: 500 or 502. A 429 is the gateway's own.
    RestApi,
    /// A load balancer, which answers 502, 503 and 504 itself.
    Alb,
    /// Not known: any of them.
    #[default]
    Other,
}

impl FrontDoor {
    /// How the client may see a throttled function; an inner function's throttle comes out as its caller's 5xx.
    fn of_lambda(self) -> &'static [Class] {
        match self {
            Self::Direct => &[Class::Status429, Class::Status500, Class::Status502],
            Self::RestApi => &[Class::Status500, Class::Status502],
            Self::Alb => &[Class::Status502, Class::Status503, Class::Status500],
            Self::Other => &[Class::Status429, Class::Status500, Class::Status502, Class::Status503],
        }
    }
}

/// Failures that look alike from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    Status429,
    Status500,
    Status502,
    Status503,
    Status504,
    Status5xx,
    Timeout,
    Connection,
    Check,
}

/// Explains the client's failures as far as the series allow.
#[must_use]
pub fn reconcile(recording: &Recording, series: &[Series], door: FrontDoor) -> Reconciliation {
    let mut total = Counts::default();
    Picker::new(recording, &Scope::default())
        .cells()
        .for_each(|cell| total.merge(&cell.counts));
    let classes = classes(&total);
    let of = |class: Class| classes.get(&class).copied().unwrap_or(0);
    let mut matching = Matching::new(recording, series);
    let mut explained = Vec::new();
    matching.lambda(door, &mut explained);
    matching.balancer(&mut explained);
    matching.gateway(door, &mut explained);
    matching.dynamodb(&mut explained);
    matching.the_clients_own(&mut explained);
    let failures = total.errors();
    // The time line adds up to the cells; should it ever hold more, the greatest explanations go first.
    explained.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.by.cmp(&b.by)));
    let mut left = failures;
    for part in &mut explained {
        part.count = part.count.min(left);
        left -= part.count;
    }
    explained.retain(|part| part.count > 0);
    Reconciliation {
        client_failures: failures,
        client_429: of(Class::Status429),
        client_5xx: [
            Class::Status500,
            Class::Status502,
            Class::Status503,
            Class::Status504,
            Class::Status5xx,
        ]
        .into_iter()
        .map(of)
        .sum(),
        sentence: sentence(failures, &explained, left),
        explained,
        unexplained: left,
    }
}

/// The failures by class. Statuses are counted of passed answers as well, so they are cut to what failed.
fn classes(counts: &Counts) -> BTreeMap<Class, u64> {
    let mut classes = BTreeMap::new();
    let mut failed = counts.failed;
    for (status, count) in counts.statuses.iter().rev() {
        let class = match status {
            429 => Class::Status429,
            500 => Class::Status500,
            502 => Class::Status502,
            503 => Class::Status503,
            504 => Class::Status504,
            505..=599 | 501 => Class::Status5xx,
            _ => continue,
        };
        let count = (*count).min(failed);
        failed -= count;
        *classes.entry(class).or_default() += count;
    }
    let kind = |name: &str| counts.failures.get(name).copied().unwrap_or(0);
    classes.insert(Class::Check, (kind("check") + kind("data")).min(failed));
    let timeouts = kind("timeout").min(counts.lost);
    classes.insert(Class::Timeout, timeouts);
    let connections = kind("connect") + kind("tls") + kind("reset") + kind("protocol");
    classes.insert(Class::Connection, connections.min(counts.lost - timeouts));
    classes
}

/// What is still unexplained, by minute and class, beside what AWS counted.
struct Matching<'a> {
    client: BTreeMap<(Timestamp, Class), u64>,
    series: &'a [Series],
    /// Seconds of a stretch: a minute, or a bucket of the time line when that is longer.
    step: u32,
}

impl<'a> Matching<'a> {
    fn new(recording: &Recording, series: &'a [Series]) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "minutes of a bucket, small and positive"
        )]
        let step = ((recording.bucket_seconds / f64::from(MINUTE)).ceil() as u32).max(1) * MINUTE;
        let picker = Picker::new(recording, &Scope::default());
        let mut client = BTreeMap::new();
        for (index, bucket) in recording.timeline.iter().enumerate() {
            let minute = floor(moment(recording, picker.bucket_at(index)), step);
            for (_, cell) in &bucket.cells {
                for (class, count) in classes(&cell.counts) {
                    *client.entry((minute, class)).or_default() += count;
                }
            }
        }
        Self { client, series, step }
    }

    /// What AWS counted, by stretch, all resources together.
    fn counted(&self, metric: &str) -> BTreeMap<Timestamp, u64> {
        let mut counted = BTreeMap::new();
        let wanted = |series: &&Series| series.metric == metric && series.statistic == Statistic::Sum && series.period == MINUTE;
        for (at, value) in self.series.iter().filter(wanted).flat_map(|series| &series.points) {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of events")]
            let value = value.max(0.0).round() as u64;
            *counted.entry(floor(*at, self.step)).or_default() += value;
        }
        counted
    }

    /// Takes failures of these classes that fell into the same minutes, then those a minute earlier.
    fn take(&mut self, mut counted: BTreeMap<Timestamp, u64>, classes: &[Class]) -> u64 {
        let mut taken = 0;
        for lead in [0, self.step] {
            for (minute, left) in &mut counted {
                for class in classes {
                    let client = self
                        .client
                        .iter_mut()
                        .filter(|((at, of), _)| of == class && after(*at, Duration::from_secs(u64::from(lead))) == *minute);
                    for (_, failures) in client {
                        let both = (*left).min(*failures);
                        *left -= both;
                        *failures -= both;
                        taken += both;
                    }
                }
            }
        }
        taken
    }

    fn explain(&mut self, metric: &str, classes: &[Class], by: &str, how: impl Fn(String, String) -> String, out: &mut Vec<Explained>) {
        let counted = self.counted(metric);
        let all: u64 = counted.values().sum();
        let count = self.take(counted, classes);
        out.push(Explained {
            count,
            by: by.to_owned(),
            how: how(units::number(super::tally::float(all)), units::number(super::tally::float(count))),
        });
    }

    fn lambda(&mut self, door: FrontDoor, out: &mut Vec<Explained>) {
        let how =
            |all: String, count| format!("Lambda counted {all} throttles; {count} failures that look like one fell into the same minutes");
        self.explain("aws.lambda.throttles", door.of_lambda(), "Lambda throttles", how, out);
    }

    fn balancer(&mut self, out: &mut Vec<Explained>) {
        for (metric, class, by) in [
            ("aws.alb.http_code_elb_503_count", Class::Status503, "503s of the load balancer"),
            ("aws.alb.http_code_elb_504_count", Class::Status504, "504s of the load balancer"),
            ("aws.alb.http_code_elb_502_count", Class::Status502, "502s of the load balancer"),
            (
                "aws.alb.rejected_connection_count",
                Class::Connection,
                "connections rejected by the load balancer",
            ),
        ] {
            let how = |all: String, count| format!("the balancer counted {all}, {count} of them in minutes in which clients saw the same");
            self.explain(metric, &[class], by, how, out);
        }
    }

    /// The gateway's 429s are among its 4xx, as far as it counts them.
    fn gateway(&mut self, door: FrontDoor, out: &mut Vec<Explained>) {
        if door == FrontDoor::RestApi {
            let how = |all: String, count| {
                format!("up to {count}: the gateway counted {all} answers 4xx; only its access logs tell a throttle from another 429")
            };
            self.explain("aws.rest-api.4xx_error", &[Class::Status429], "API Gateway 429s", how, out);
        }
    }

    /// A refused item may have been tried again inside the application, or not: an upper bound. What indexes and tables
    /// count as events can be several for one request, so requests are counted.
    fn dynamodb(&mut self, out: &mut Vec<Explained>) {
        let classes = [Class::Status500, Class::Status502, Class::Status503, Class::Status5xx];
        let how = |all: String, count| format!("up to {count}: DynamoDB refused {all} requests; whether clients noticed is not known");
        self.explain("aws.dynamodb.throttled_requests", &classes, "DynamoDB throttles", how, out);
    }

    fn the_clients_own(&mut self, out: &mut Vec<Explained>) {
        for (class, by, how) in [
            (
                Class::Timeout,
                "timeouts",
                "no complete answer within the timeout, as the client measured",
            ),
            (
                Class::Connection,
                "connection errors",
                "no connection, or it broke, as the client saw it",
            ),
            (Class::Check, "failed checks", "an answer came whose content was not as it must be"),
        ] {
            let count = self.client.iter().filter(|((_, of), _)| *of == class).map(|(_, count)| count).sum();
            out.push(Explained {
                count,
                by: by.to_owned(),
                how: how.to_owned(),
            });
        }
    }
}

fn sentence(failures: u64, explained: &[Explained], unexplained: u64) -> String {
    if failures == 0 {
        return "no client failures".to_owned();
    }
    let number = |count| units::number(super::tally::float(count));
    let mut parts: Vec<String> = explained
        .iter()
        .map(|part| {
            let up_to = if part.how.starts_with("up to") { "up to " } else { "" };
            let by = if part.count == 1 { singular(&part.by) } else { part.by.clone() };
            format!("{up_to}{} {by}", number(part.count))
        })
        .collect();
    if unexplained > 0 || parts.is_empty() {
        parts.push(format!("{} unexplained", number(unexplained)));
    }
    let noun = if failures == 1 { "client failure" } else { "client failures" };
    format!("{} {noun} = {}", number(failures), parts.join(" + "))
}

/// `timeouts` as `timeout`.
fn singular(by: &str) -> String {
    let mut words: Vec<&str> = by.split(' ').collect();
    for word in &mut words {
        if let Some(one) = word.strip_suffix('s').filter(|one| one.len() > 2) {
            *word = one;
            break;
        }
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::analysis::fixture::{self, answers, small};
    use crate::load::Cell;
    use crate::metrics::{Completeness, Missing};

    /// Failures of a minute: statuses and kinds of lost requests.
    fn failing(statuses: &[(u16, u64)], lost: &[(&str, u64)]) -> Cell {
        let mut cell = answers(&[5], &[]);
        cell.counts.statuses.extend(statuses.iter().copied());
        cell.counts.failures = lost.iter().map(|(kind, count)| ((*kind).to_owned(), *count)).collect();
        cell.counts.failed = statuses.iter().map(|(_, count)| count).sum();
        cell.counts.lost = lost.iter().map(|(_, count)| count).sum();
        cell.counts.started = 1 + cell.counts.errors();
        cell
    }

    /// A counter, minute by minute from 14:04.
    fn counted(metric: &str, counts: &[u32]) -> Series {
        let minutes = (0..).map(|minute: usize| fixture::at(&format!("14:{:02}:00", 4 + minute)));
        Series {
            resource: "x/y".to_owned(),
            part: String::new(),
            metric: metric.to_owned(),
            statistic: Statistic::Sum,
            unit: "count".to_owned(),
            period: MINUTE,
            points: minutes.zip(counts.iter().map(|count| f64::from(*count))).collect(),
            missing: Missing::Zero,
            completeness: Completeness::Settled,
        }
    }

    fn sentence_of(minutes: Vec<Cell>, series: &[Series], door: FrontDoor) -> String {
        let recording = small(&[("load", 300.0)], 60.0, minutes);
        reconcile(&recording, series, door).sentence
    }

    #[test]
    fn the_demo_reads_as_the_mock_up_says() {
        let (recording, series) = (fixture::recording(), fixture::series());
        let found = reconcile(&recording, &series, FrontDoor::RestApi);
        assert_eq!(
            found.sentence,
            "519 client failures = 498 Lambda throttles + 12 timeouts + 9 unexplained"
        );
        assert_eq!(
            (found.client_failures, found.client_429, found.client_5xx, found.unexplained),
            (519, 0, 507, 9)
        );
    }

    #[test]
    fn a_throttled_function_looks_different_through_each_door() {
        let throttles = [counted("aws.lambda.throttles", &[5])];
        for (door, status, explained) in [
            (FrontDoor::Direct, 429, true),
            (FrontDoor::RestApi, 500, true),
            (FrontDoor::RestApi, 502, true),
            (FrontDoor::RestApi, 429, false),
            (FrontDoor::RestApi, 403, false),
            (FrontDoor::Alb, 503, true),
            (FrontDoor::Other, 429, true),
        ] {
            let expected = if explained {
                "5 client failures = 5 Lambda throttles"
            } else {
                "5 client failures = 5 unexplained"
            };
            assert_eq!(
                sentence_of(vec![failing(&[(status, 5)], &[])], &throttles, door),
                expected,
                "{door:?} {status}"
            );
        }
    }

    #[test]
    fn only_the_same_or_the_next_minute_explains_anything() {
        let throttles = [counted("aws.lambda.throttles", &[0, 5, 0, 0])];
        let at = |minute: usize| {
            let mut minutes: Vec<Cell> = (0..4).map(|_| failing(&[], &[])).collect();
            minutes[minute] = failing(&[(500, 5)], &[]);
            sentence_of(minutes, &throttles, FrontDoor::RestApi)
        };
        assert_eq!(at(1), "5 client failures = 5 Lambda throttles");
        assert_eq!(
            at(0),
            "5 client failures = 5 Lambda throttles",
            "due in one minute, throttled in the next"
        );
        assert_eq!(
            at(2),
            "5 client failures = 5 unexplained",
            "a throttle does not cause what came before it was due"
        );
        assert_eq!(at(3), "5 client failures = 5 unexplained");
    }

    #[test]
    fn what_is_only_a_bound_is_worded_as_one() {
        let series = [
            counted("aws.dynamodb.throttled_requests", &[40]),
            counted("aws.rest-api.4xx_error", &[30]),
        ];
        let found = sentence_of(vec![failing(&[(500, 7), (429, 3)], &[])], &series, FrontDoor::RestApi);
        assert_eq!(found, "10 client failures = up to 7 DynamoDB throttles + up to 3 API Gateway 429s");
    }

    #[test]
    fn the_balancers_own_answers_explain_the_same_answers() {
        let series = [
            counted("aws.alb.http_code_elb_503_count", &[4]),
            counted("aws.alb.http_code_elb_504_count", &[1]),
        ];
        let minute = failing(&[(503, 6), (504, 1)], &[("timeout", 1), ("reset", 2)]);
        assert_eq!(
            sentence_of(vec![minute], &series, FrontDoor::Alb),
            "10 client failures = 4 503s of the load balancer + 2 connection errors + 1 504 of the load balancer + 1 timeout + 2 unexplained"
        );
    }

    #[test]
    fn no_failures_need_no_explanation_and_passed_429s_are_none() {
        let mut understood = answers(&[5; 9], &[]);
        understood.counts.statuses.insert(429, 9);
        let series = [counted("aws.lambda.throttles", &[9])];
        assert_eq!(sentence_of(vec![understood], &series, FrontDoor::Direct), "no client failures");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn explanations_never_exceed_the_failures(
            minutes in prop::collection::vec((0u64..50, 0u64..50, 0u64..50, 0u64..20, 0u64..20), 1..5),
            lambda in prop::collection::vec(0u32..100, 1..5), table in prop::collection::vec(0u32..100, 1..5),
            gateway in prop::collection::vec(0u32..100, 1..5), door in 0usize..4,
        ) {
            let cells: Vec<Cell> = minutes
                .iter()
                .map(|(a, b, c, timeouts, resets)| failing(&[(429, *a), (500, *b), (503, *c)], &[("timeout", *timeouts), ("reset", *resets)]))
                .collect();
            let door = [FrontDoor::Direct, FrontDoor::RestApi, FrontDoor::Alb, FrontDoor::Other][door];
            let series = [
                counted("aws.lambda.throttles", &lambda),
                counted("aws.dynamodb.throttled_requests", &table),
                counted("aws.rest-api.4xx_error", &gateway),
                counted("aws.alb.http_code_elb_503_count", &gateway),
            ];
            let end = 60.0 * f64::from(u32::try_from(minutes.len()).unwrap());
            let found = reconcile(&small(&[("load", end)], 60.0, cells), &series, door);
            let explained: u64 = found.explained.iter().map(|part| part.count).sum();
            prop_assert_eq!(explained + found.unexplained, found.client_failures);
            let by = |name: &str| found.explained.iter().find(|part| part.by == name).map_or(0, |part| part.count);
            prop_assert!(by("Lambda throttles") <= lambda.iter().map(|count| u64::from(*count)).sum());
            prop_assert!(by("DynamoDB throttles") <= table.iter().map(|count| u64::from(*count)).sum());
        }
    }
}
