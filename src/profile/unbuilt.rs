//! The parts of the profile language that later versions will have.
//!
//! They are refused by name, so that nothing of a profile is ever silently left undone. Owns only the list.

/// Said of most of them.
const LATER: &str = "leave it out or comment it out; the rest of the profile works without it";

/// Table, key, help. The table is what `Fields` calls its scope; the empty one is the file itself.
const UNBUILT: &[(&str, &str, &str)] = &[
    ("", "rds", "leave it out: databases cannot be watched yet"),
    ("", "elasticache", "leave it out: caches cannot be watched yet"),
    ("", "sqs", "leave it out: queues cannot be watched yet"),
    ("", "s3", "leave it out: buckets cannot be watched yet"),
    (
        "",
        "http-api",
        "only REST APIs can be watched yet; give the address as `[target] url`",
    ),
    ("", "alarm", "leave it out; judge the metric by a `[[criterion]]` instead"),
    (
        "",
        "dashboard",
        "leave it out; the report charts every metric of the listed resources",
    ),
    ("", "log-group", LATER),
    ("", "cloudwatch", LATER),
    ("", "kubernetes", LATER),
    ("", "prometheus", LATER),
    ("", "user-class", LATER),
    ("", "event", LATER),
    ("", "check", LATER),
    ("", "test-data", "leave it out, and delete what the test created yourself"),
    ("", "cost", LATER),
    ("", "guard", "leave it out, and run `tidegate cleanup` after the test"),
    ("", "runner", "leave it out: the load comes from this machine"),
    ("", "report", "leave it out, and choose formats on the command line"),
    ("target", "auth", "leave it out; a fixed header goes into `headers`"),
    ("target", "retry", LATER),
    ("target", "http", "leave it out: only HTTP/1.1 is spoken"),
    ("target", "trace", LATER),
    ("lambda", "alias", LATER),
    ("lambda.set", "provisioned-concurrency", LATER),
    (
        "ecs.set",
        "container-insights",
        "leave it out, and turn Container Insights on yourself if you need it",
    ),
    ("scenario", "weights", LATER),
    ("scenario", "intensity", "leave it out, and write the users or rates themselves"),
    ("scenario", "day", LATER),
    ("scenario", "runner", "leave it out: the load comes from this machine"),
    (
        "scenario.phase",
        "rate-per-user",
        "use `users` with the journeys' `think-time`, or `rate`",
    ),
    ("scenario.phase", "at-once", LATER),
    ("journey", "at-start", LATER),
    ("journey", "auth", LATER),
    ("journey", "headers", "write `headers` at `[target]` or at the steps"),
    ("journey.step", "form", "write it as `body`, with a `content-type` header"),
    ("journey.step", "multipart", LATER),
    ("journey.step", "fallback", LATER),
    ("journey.step", "repeat", "write the step as often as it shall be done"),
    ("journey.step", "poll", LATER),
    ("journey.step", "stream", LATER),
    ("journey.step", "retry", LATER),
    ("journey.step", "auth", LATER),
    ("data", "csv", "write the rows as `rows`"),
    ("criterion", "class", LATER),
    ("criterion", "while", LATER),
    ("criterion", "each", LATER),
];

/// The help of a key that is known but not built; `None` when it is not such a key.
pub(super) fn help(scope: &str, key: &str) -> Option<&'static str> {
    UNBUILT
        .iter()
        .find(|(at, name, _)| *at == scope && *name == key)
        .map(|(_, _, help)| *help)
}

/// The keys of a table that are known but not built.
pub(super) fn keys(scope: &str) -> impl Iterator<Item = &'static str> {
    UNBUILT.iter().filter(move |(at, _, _)| *at == scope).map(|(_, key, _)| *key)
}
