//! What the tests of this module share: scenarios, a recording, a target of arithmetic and one of sockets.

use std::time::Duration;

use super::collector::{Collector, Heading};
use super::recorder::Recorder;
use super::recording::{EndReason, Recording};
use super::sample::{Outcome, Sample};
use super::script::Script;
use crate::scenario::{Body, Check, Journey, Literal, Method, Op, Phase, Scenario, Shape, Step, Subject, Target, Template, Test, Think};
use crate::units::{Quantity, Timestamp};

/// A GET whose status must be below 400.
pub(super) fn step(name: &str, path: &str) -> Step {
    Step {
        name: name.to_owned(),
        method: Method::Get,
        path: Template::literal(path),
        query: Vec::new(),
        headers: Vec::new(),
        body: Body::None,
        pass: vec![Check {
            text: "status < 400".to_owned(),
            subject: Subject::Status,
            test: Test::Compare(Op::Less, Literal::Quantity(Quantity::Number(400.0))),
        }],
        save: Vec::new(),
        timeout: None,
    }
}

pub(super) fn journey(name: &str, weight: f64, steps: Vec<Step>) -> Journey {
    Journey {
        name: name.to_owned(),
        weight,
        think: Think::default(),
        tags: Vec::new(),
        cannot_undo: None,
        steps,
    }
}

pub(super) fn phase(name: &str, shape: Shape, duration: Duration) -> Phase {
    Phase {
        name: name.to_owned(),
        duration,
        shape,
        expect: Vec::new(),
    }
}

/// One phase, one journey, one step.
pub(super) fn scenario(url: &str, shape: Shape, seconds: u64) -> Scenario {
    Scenario {
        name: "test".to_owned(),
        description: String::new(),
        phases: vec![phase("only", shape, Duration::from_secs(seconds))],
        journeys: vec![journey("j", 1.0, vec![step("s", "/")])],
        data: Vec::new(),
        target: Target {
            url: url.to_owned(),
            timeout: Duration::from_secs(5),
            headers: Vec::new(),
        },
        observe: Duration::ZERO,
    }
}

pub(super) fn users(count: u32) -> Shape {
    Shape::Users {
        from: count,
        to: count,
        spawn_rate: None,
    }
}

pub(super) fn heading() -> Heading {
    Heading {
        started: Timestamp::UNIX_EPOCH,
        threads: 1,
        seed: 0,
        time_scale: 1.0,
    }
}

/// Two phases of 10 s; journeys `ja` (tag `x`, step `a`) and `jb` (step `b`), each passing once a second.
pub(super) fn recording() -> Recording {
    let mut scenario = scenario("http://localhost", users(1), 10);
    scenario.phases = vec![
        phase("first", users(1), Duration::from_secs(10)),
        phase("second", users(1), Duration::from_secs(10)),
    ];
    scenario.journeys = vec![journey("ja", 1.0, vec![step("a", "/a")]), journey("jb", 1.0, vec![step("b", "/b")])];
    scenario.journeys[0].tags = vec!["x".to_owned()];
    let script = Script::new(scenario, "run").unwrap();
    let mut recorder = Recorder::new(&script);
    let mut collector = Collector::new(&script, heading(), 10);
    for second in 0..20 {
        for journey in 0..2 {
            let due = Duration::from_secs(u64::from(second));
            recorder.started(due, journey, 0);
            let sample = Sample {
                due,
                sent: due,
                done: due + Duration::from_millis(u64::from(second) + 1),
                journey,
                step: 0,
                outcome: Outcome::Passed(200),
                bytes: (0, 10),
                checks: (1, 1),
            };
            recorder.ended(&sample, "");
        }
        collector.absorb(recorder.take(second, 1, 0));
    }
    collector.finish(EndReason::Completed, Timestamp::from_second(20).unwrap(), 0.0)
}

/// A target in this process, on a port of its own, that counts what reaches it.
pub(super) mod server {
    use std::convert::Infallible;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    use bytes::Bytes;
    use http_body_util::{BodyExt as _, Collected, Full};
    use hyper::body::Incoming;
    use hyper::service::service_fn;
    use hyper::{Request, Response};
    use hyper_util::rt::TokioIo;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::sync::Semaphore;

    /// What reached the target.
    #[derive(Debug, Default)]
    pub(crate) struct Counts {
        /// Requests whose head arrived.
        pub(crate) requests: AtomicU64,
        /// Connections accepted.
        pub(crate) connections: AtomicU64,
    }

    impl Counts {
        pub(crate) fn requests(&self) -> u64 {
            self.requests.load(Ordering::SeqCst)
        }

        pub(crate) fn connections(&self) -> u64 {
            self.connections.load(Ordering::SeqCst)
        }
    }

    /// How the target behaves.
    #[derive(Clone)]
    pub(crate) enum Behaviour {
        /// Answers what it was asked: method, path with query, header `x-test` and body, as JSON; `/status/N` with N.
        Echo,
        /// Answers when a permit comes.
        Held(Arc<Semaphore>),
        /// Answers after this long.
        Slow(Duration),
        /// Sends this after a request's head, and closes.
        Raw(&'static [u8]),
        /// Sends this after each request's head, and keeps the connection.
        RawKept(&'static [u8]),
        /// Closes with a reset once a request's head came.
        Reset,
        /// Answers this many requests of a connection, then closes it without saying so.
        Limited(u32),
        /// Answers with an endless body.
        Endless,
    }

    /// Starts a target; it ends with the test's runtime. Gives its address.
    pub(crate) async fn start(behaviour: Behaviour) -> (String, Arc<Counts>) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let counts = Arc::new(Counts::default());
        let shared = Arc::clone(&counts);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                shared.connections.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream, behaviour.clone(), Arc::clone(&shared)));
            }
        });
        (url, counts)
    }

    async fn serve(stream: TcpStream, behaviour: Behaviour, counts: Arc<Counts>) {
        match behaviour {
            Behaviour::Raw(bytes) => raw(stream, &counts, bytes, 1).await,
            Behaviour::RawKept(bytes) => raw(stream, &counts, bytes, u32::MAX).await,
            Behaviour::Limited(requests) => raw(stream, &counts, b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", requests).await,
            Behaviour::Reset => reset(stream, &counts).await,
            Behaviour::Endless => endless(stream, &counts).await,
            behaviour => {
                let service = service_fn(move |request| answer(request, behaviour.clone(), Arc::clone(&counts)));
                let _ = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            }
        }
    }

    async fn answer(request: Request<Incoming>, behaviour: Behaviour, counts: Arc<Counts>) -> Result<Response<Full<Bytes>>, Infallible> {
        counts.requests.fetch_add(1, Ordering::SeqCst);
        match behaviour {
            Behaviour::Held(permits) => permits.acquire().await.unwrap().forget(),
            Behaviour::Slow(time) => tokio::time::sleep(time).await,
            _ => {}
        }
        let (head, body) = request.into_parts();
        let body = body.collect().await.map(Collected::to_bytes).unwrap_or_default();
        let header = head.headers.get("x-test").map(|value| value.to_str().unwrap_or_default());
        let echo = serde_json::json!({
            "method": head.method.as_str(),
            "path": head.uri.to_string(),
            "header": header,
            "body": serde_json::from_slice::<serde_json::Value>(&body).ok(),
            "request": counts.requests(),
        });
        let status = head
            .uri
            .path()
            .strip_prefix("/status/")
            .and_then(|status| status.parse().ok())
            .unwrap_or(200);
        let response = Response::builder().status(status).header("x-answer", "yes");
        Ok(response.body(Full::new(echo.to_string().into())).unwrap())
    }

    /// Reads a request's head; requests of these tests have no body here.
    async fn head(stream: &mut TcpStream, counts: &Counts) -> bool {
        let mut seen = Vec::new();
        while !seen.ends_with(b"\r\n\r\n") {
            match stream.read_u8().await {
                Ok(byte) => seen.push(byte),
                Err(_) => return false,
            }
        }
        counts.requests.fetch_add(1, Ordering::SeqCst);
        true
    }

    async fn raw(mut stream: TcpStream, counts: &Counts, bytes: &[u8], requests: u32) {
        for _ in 0..requests {
            if !head(&mut stream, counts).await || stream.write_all(bytes).await.is_err() {
                return;
            }
        }
    }

    async fn reset(mut stream: TcpStream, counts: &Counts) {
        // What is left unread when a socket closes makes the system reset the connection.
        if stream.read_u8().await.is_ok() {
            counts.requests.fetch_add(1, Ordering::SeqCst);
        }
    }

    async fn endless(mut stream: TcpStream, counts: &Counts) {
        if head(&mut stream, counts).await {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await;
            let chunk = [b"1000\r\n".as_slice(), &[b'x'; 0x1000], b"\r\n"].concat();
            while stream.write_all(&chunk).await.is_ok() {}
        }
    }
}
