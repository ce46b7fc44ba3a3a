//! Puts the model of a run together out of what was recorded, fetched and judged. Pure: the same inputs give the same
//! report, today or from disk in a year.

use hdrhistogram::Histogram;

use super::model::{
    ErrorLine, GeneratorFigures, LoadFigures, Mark, MarkKind, Percentiles, PhaseLine, Report, RunInfo, SettingsFigures, StepLine,
    TimePoint, VERSION,
};
use crate::analysis::select::{Picker, Span};
use crate::analysis::{Reconciliation, Verdict};
use crate::load::{Bucket, Cell, EndReason, ErrorSeen, Recording};
use crate::metrics::{Activity, Ledger, Series, align};
use crate::scenario::{Phase, Scenario, Scope, Shape};
use crate::units::{Timestamp, number};

/// A report never lists more distinct errors than this.
const MAX_ERRORS: usize = 50;

/// Everything that a report is made of.
pub struct Inputs<'a> {
    /// What ran, where and when.
    pub run: RunInfo,
    /// For the phases' shapes.
    pub scenario: &'a Scenario,
    /// The client's record.
    pub recording: &'a Recording,
    /// CloudWatch's.
    pub series: Vec<Series>,
    /// What Application Auto Scaling did.
    pub activities: &'a [Activity],
    /// What tidegate has changed.
    pub settings: SettingsFigures,
    /// Throttles by cause.
    pub ledger: Ledger,
    /// Client against AWS.
    pub reconciliation: Reconciliation,
    /// Criteria, judged.
    pub verdict: Verdict,
    /// When AWS's numbers are final; `None` when they are, or there are none.
    pub provisional_until: Option<Timestamp>,
}

/// The report.
#[must_use]
pub fn assemble(inputs: Inputs<'_>) -> Report {
    let recording = inputs.recording;
    Report {
        version: VERSION,
        end: recording.end.clone(),
        provisional_until: inputs.provisional_until,
        generator: generator(recording),
        load: load(recording),
        phases: phases(recording, inputs.scenario),
        steps: steps(recording),
        errors: errors(recording),
        timeline: timeline(recording),
        bucket_seconds: recording.bucket_seconds,
        marks: marks(recording, &inputs.settings, inputs.activities),
        run: inputs.run,
        verdict: inputs.verdict,
        settings: inputs.settings,
        throttles: inputs.ledger,
        reconciliation: inputs.reconciliation,
        series: inputs.series,
    }
}

/// `500 users`, `100–500 users`, `10/s`: the phases' loads, each once, in order.
#[must_use]
pub fn shape_in_words(scenario: &Scenario) -> String {
    let mut words: Vec<String> = Vec::new();
    for shape in scenario.phases.iter().map(shape) {
        if !words.contains(&shape) {
            words.push(shape);
        }
    }
    words.join(", ")
}

fn shape(phase: &Phase) -> String {
    match phase.shape {
        Shape::Users {
            from,
            to,
            spawn_rate: None,
        } if from == to => users(from),
        Shape::Users {
            from,
            to,
            spawn_rate: Some(rate),
        } if from == to => format!("{} at {rate}", users(from)),
        Shape::Users { from, to, .. } => format!("{}–{}", number(f64::from(from)), users(to)),
        Shape::Arrivals { from, to } if from == to => from.to_string(),
        Shape::Arrivals { from, to } => format!("{}–{to}", number(from.0)),
    }
}

fn users(count: u32) -> String {
    format!("{} {}", number(f64::from(count)), if count == 1 { "user" } else { "users" })
}

fn generator(recording: &Recording) -> GeneratorFigures {
    let generator = &recording.generator;
    let seconds = load_seconds(recording);
    GeneratorFigures {
        threads: generator.threads,
        dropped: generator.dropped,
        imbalance: generator.imbalance,
        lag: generator.lag,
        cpu: if seconds > 0.0 { generator.cpu_seconds / seconds } else { 0.0 },
        invalid: generator.invalid.clone(),
    }
}

/// How long load was asked for: the phases, as far as the run reached them.
fn load_seconds(recording: &Recording) -> f64 {
    let everything = Picker::new(recording, &Scope::default());
    everything.spans().iter().map(Span::seconds).sum()
}

fn load(recording: &Recording) -> LoadFigures {
    let all = merged(recording.cells.iter().map(|(_, cell)| cell));
    let counts = &all.counts;
    let seconds = load_seconds(recording);
    LoadFigures {
        requests: counts.started,
        answered: counts.answered(),
        passed: counts.passed,
        errors: counts.errors(),
        interrupted: counts.interrupted,
        unsent: counts.unsent,
        dropped: recording.generator.dropped,
        rate: rate(counts.started, seconds),
        error_share: share(counts.errors(), counts.ended()),
        statuses: counts.statuses.clone(),
        failures: counts.failures.clone(),
        response: percentiles(&all.response_all()),
        service: percentiles(&all.service),
        seconds,
    }
}

fn phases(recording: &Recording, scenario: &Scenario) -> Vec<PhaseLine> {
    let lines = recording.phases.iter().zip(0u16..).map(|(phase, index)| {
        let all = merged(recording.cells.iter().filter(|(key, _)| key.phase == index).map(|(_, cell)| cell));
        PhaseLine {
            name: phase.name.clone(),
            shape: scenario
                .phases
                .iter()
                .find(|known| known.name == phase.name)
                .map(shape)
                .unwrap_or_default(),
            from: phase.from,
            to: phase.to,
            requests: all.counts.started,
            rate: rate(all.counts.started, phase.to - phase.from),
            error_share: share(all.counts.errors(), all.counts.ended()),
            response: percentiles(&all.response_all()),
        }
    });
    lines.collect()
}

fn steps(recording: &Recording) -> Vec<StepLine> {
    let seconds = load_seconds(recording);
    let mut lines = Vec::new();
    for (journey, journey_index) in recording.journeys.iter().zip(0u16..) {
        for (step, step_index) in journey.steps.iter().zip(0u16..) {
            let cells = recording
                .cells
                .iter()
                .filter(|(key, _)| key.journey == journey_index && key.step == step_index);
            let all = merged(cells.map(|(_, cell)| cell));
            lines.push(StepLine {
                journey: journey.name.clone(),
                step: step.clone(),
                requests: all.counts.started,
                rate: rate(all.counts.started, seconds),
                errors: all.counts.errors(),
                error_share: share(all.counts.errors(), all.counts.ended()),
                response: percentiles(&all.response_all()),
                response_failed: percentiles(&all.response_failed),
                service: percentiles(&all.service),
            });
        }
    }
    lines
}

fn errors(recording: &Recording) -> Vec<ErrorLine> {
    let mut seen: Vec<&ErrorSeen> = recording.errors.iter().collect();
    seen.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.first.total_cmp(&b.first)));
    seen.into_iter()
        .take(MAX_ERRORS)
        .map(|error| error_line(recording, error))
        .collect()
}

fn error_line(recording: &Recording, error: &ErrorSeen) -> ErrorLine {
    let journey = recording.journeys.get(usize::from(error.journey));
    let step = journey.and_then(|journey| journey.steps.get(usize::from(error.step)));
    ErrorLine {
        journey: journey.map(|journey| journey.name.clone()).unwrap_or_default(),
        step: step.cloned().unwrap_or_default(),
        kind: error.failure.kind().to_owned(),
        status: error.status,
        text: error.text.clone(),
        count: error.count,
        first: error.first,
        last: error.last,
    }
}

fn timeline(recording: &Recording) -> Vec<TimePoint> {
    let picker = Picker::new(recording, &Scope::default());
    let points = recording.timeline.iter().enumerate();
    points.map(|(index, bucket)| time_point(picker.bucket_at(index), bucket)).collect()
}

fn time_point(at: f64, bucket: &Bucket) -> TimePoint {
    let mut all = Cell::new();
    bucket.cells.iter().for_each(|(_, slice)| slice.add_to(&mut all));
    let response = percentiles(&all.response_all());
    TimePoint {
        at,
        users: bucket.users,
        in_flight: bucket.in_flight,
        requests: all.counts.started,
        errors: all.counts.errors(),
        dropped: bucket.dropped,
        p50: response.map(|response| response.p50),
        p95: response.map(|response| response.p95),
        p99: response.map(|response| response.p99),
        max: response.map(|response| response.max),
    }
}

/// What happened, in order of time.
fn marks(recording: &Recording, settings: &SettingsFigures, activities: &[Activity]) -> Vec<Mark> {
    let mark = |at, kind, text: String| Mark { at, kind, text };
    let phases = recording
        .phases
        .iter()
        .map(|phase| mark(align::offset(recording.started, phase.from), MarkKind::Phase, phase.name.clone()));
    let changes = settings.outstanding.iter().map(|change| {
        mark(
            change.at,
            MarkKind::Change,
            format!("{} {} → {}", change.setting, change.before, change.now),
        )
    });
    let scaling = activities.iter().map(|activity| {
        mark(
            activity.at,
            MarkKind::Scaling,
            format!("{}: {}", activity.resource_id, activity.description),
        )
    });
    let stop = stopped(&recording.end).map(|why| mark(recording.ended, MarkKind::Stop, why));
    let mut marks: Vec<Mark> = phases.chain(changes).chain(scaling).chain(stop).collect();
    marks.sort_by_key(|mark| mark.at);
    marks
}

fn stopped(end: &EndReason) -> Option<String> {
    Some(match end {
        EndReason::Completed => return None,
        EndReason::Aborted { criterion } => format!("stopped by criterion {criterion}"),
        EndReason::Interrupted { signal: 2 } => "interrupted".to_owned(),
        EndReason::Interrupted { signal } => format!("stopped by signal {signal}"),
        EndReason::Killed => "killed".to_owned(),
    })
}

fn merged<'c>(cells: impl Iterator<Item = &'c Cell>) -> Cell {
    let mut all = Cell::new();
    cells.for_each(|cell| all.merge(cell));
    all
}

/// Out of a histogram of microseconds; `None` when it is empty.
fn percentiles(histogram: &Histogram<u64>) -> Option<Percentiles> {
    if histogram.is_empty() {
        return None;
    }
    let at = |share| seconds(histogram.value_at_quantile(share));
    Some(Percentiles {
        avg: histogram.mean() / 1e6,
        min: seconds(histogram.min()),
        p50: at(0.5),
        p90: at(0.9),
        p95: at(0.95),
        p99: at(0.99),
        max: seconds(histogram.max()),
    })
}

fn seconds(micros: u64) -> f64 {
    float(micros) / 1e6
}

fn rate(count: u64, seconds: f64) -> f64 {
    if seconds > 0.0 { float(count) / seconds } else { 0.0 }
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { float(part) / float(whole) }
}

#[expect(clippy::cast_precision_loss, reason = "runs stay far below 2^52 events")]
fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
pub(crate) mod fixture {
    use super::*;
    use crate::analysis::{fixture, judge, reconcile};
    use crate::report::model::ChangeLine;

    /// The report of the demo's run: 500 users, throttled by a reserved limit of 100, FAIL.
    pub(crate) fn report() -> Report {
        let (recording, series, activities) = (fixture::recording(), fixture::series(), fixture::activities());
        let scenario = fixture::scenario();
        let evidence = fixture::evidence(&recording, &series, &activities);
        assemble(Inputs {
            run: run(&recording, &scenario),
            verdict: judge(&fixture::criteria(), &scenario, &evidence),
            scenario: &scenario,
            ledger: Ledger::of(&series, &fixture::limits(), Some(fixture::window().to)),
            reconciliation: reconcile(&recording, &series, fixture::DOOR),
            activities: &activities,
            settings: settings(),
            provisional_until: None,
            recording: &recording,
            series: series.clone(),
        })
    }

    fn run(recording: &Recording, scenario: &Scenario) -> RunInfo {
        RunInfo {
            id: "2026-11-21T1404-hcg-demo".to_owned(),
            profile: "hcg-demo".to_owned(),
            scenario: scenario.name.clone(),
            description: scenario.description.clone(),
            account: "123456789012".to_owned(),
            region: "ap-southeast-1".to_owned(),
            endpoint: None,
            target: scenario.target.url.clone(),
            started: recording.started,
            ended: recording.ended,
            time_scale: recording.time_scale,
            seed: recording.seed,
            tool: "tidegate 0.1.0".to_owned(),
            shape: shape_in_words(scenario),
        }
    }

    fn settings() -> SettingsFigures {
        let change = |setting: &str, before: &str, now: &str| ChangeLine {
            setting: setting.to_owned(),
            before: before.to_owned(),
            now: now.to_owned(),
            at: fixture::at("14:02:12"),
        };
        SettingsFigures {
            wished: 2,
            in_force: 2,
            outstanding: vec![
                change("lambda/hcg-demo-supervisor-agent reserved concurrency", "unset", "100"),
                change("dynamodb/hcg-demo-conversations write scaling", "none", "5–100 at 70%"),
            ],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::fixture::report;
    use super::*;
    use crate::analysis::Status;

    #[test]
    fn the_demo_reads_as_the_mock_up_says() {
        let report = report();
        assert_eq!(report.load.requests, 22_480);
        assert_eq!(report.load.errors, 519);
        assert_eq!(report.verdict.overall, Status::Fail);
        assert!((report.throttles.total("lambda") - 498.0).abs() < 1e-9);
        assert_eq!(
            report.reconciliation.sentence,
            "519 client failures = 498 Lambda throttles + 12 timeouts + 9 unexplained"
        );
        assert_eq!(report.run.shape, "500 users at 10/s");
        let statuses: Vec<Status> = report.verdict.criteria.iter().map(|judged| judged.status).collect();
        assert_eq!(statuses, [Status::Pass, Status::Fail, Status::Fail, Status::Pass, Status::Pass]);
    }

    #[test]
    fn parts_add_up_to_the_whole() {
        let report = report();
        assert_eq!(report.steps.iter().map(|step| step.requests).sum::<u64>(), report.load.requests);
        assert_eq!(report.steps.iter().map(|step| step.errors).sum::<u64>(), report.load.errors);
        assert_eq!(report.phases.iter().map(|phase| phase.requests).sum::<u64>(), report.load.requests);
        assert_eq!(
            report.timeline.iter().map(|point| point.requests).sum::<u64>(),
            report.load.requests
        );
        assert_eq!(report.timeline.iter().map(|point| point.errors).sum::<u64>(), report.load.errors);
        assert!((report.load.rate - 22_480.0 / 300.0).abs() < 1e-9);
    }

    #[test]
    fn what_happened_stands_in_order_of_time() {
        let report = report();
        assert!(report.marks.is_sorted_by_key(|mark| mark.at));
        let kinds: Vec<MarkKind> = report.marks.iter().map(|mark| mark.kind).collect();
        assert_eq!(kinds, [MarkKind::Change, MarkKind::Change, MarkKind::Phase, MarkKind::Scaling]);
    }

    #[test]
    fn errors_are_greatest_first_and_named() {
        let report = report();
        assert_eq!(report.errors[0].count, 507);
        assert_eq!(
            (report.errors[0].journey.as_str(), report.errors[0].step.as_str()),
            ("kb-query", "ask")
        );
        assert_eq!(report.errors[1].kind, "timeout");
    }

    #[test]
    fn the_model_survives_its_own_format() {
        let report = report();
        let text = serde_json::to_string(&report).unwrap();
        let again: Report = serde_json::from_str(&text).unwrap();
        // Floats may lose their last bit on the way.
        assert_eq!(again.load.statuses, report.load.statuses);
        assert_eq!(again.throttles, report.throttles);
        assert_eq!(again.marks, report.marks);
        assert_eq!(again.verdict.overall, report.verdict.overall);
    }
}
