//! The server in real time: its counts, its manners, and its conversation with a control plane.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

use super::fake_control::FakeControl;
use super::*;
use crate::model::System;
use crate::settings::{FunctionSettings, Settings};

const SUPERVISOR: &str = "hcg-demo-supervisor-agent";

/// A server under test and a client for its own paths.
struct Target {
    address: String,
    service: Arc<Service>,
    client: reqwest::Client,
}

impl Target {
    fn start(system: System) -> Self {
        let listener = listen(0).unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let service = Arc::new(Service::new(system, Hub::new(system, 7, 1)));
        tokio::spawn({
            let service = Arc::clone(&service);
            async move { service.hub.drive().await }
        });
        tokio::spawn(accept(listener, Arc::clone(&service)));
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { address, service, client }
    }

    fn follow(&self, control: &str) -> (oneshot::Sender<()>, tokio::task::JoinHandle<()>) {
        let control = Arc::new(Control::new(control, Arc::clone(&self.service)).unwrap());
        let (stop, stopped) = oneshot::channel::<()>();
        let follower = Arc::clone(&control);
        tokio::spawn(async move { follower.follow_settings().await });
        let sending = tokio::spawn(async move { control.send_metrics(async { drop(stopped.await) }).await });
        (stop, sending)
    }

    async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let answer = self
            .client
            .post(format!("http://{}{path}", self.address))
            .json(body)
            .send()
            .await
            .unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    async fn counts(&self) -> Value {
        self.client
            .get(format!("http://{}/_target/counts", self.address))
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap()
    }

    async fn behave(&self, behaviour: Value) {
        assert_eq!(self.post("/_target/behaviour", &behaviour).await.0, 200);
    }

    async fn wait_for(&self, what: &str, mut is: impl FnMut(&Value) -> bool) {
        for _ in 0..500 {
            if is(&self.counts().await) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("waited in vain: {what}");
    }
}

/// Sends raw bytes and reads until the server ends the connection.
async fn raw(address: &str, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

fn settings(version: u64, supervisor: Option<u32>) -> Settings {
    let mut settings = Settings {
        version,
        ..Settings::hcg_demo()
    };
    settings
        .functions
        .insert(SUPERVISOR.to_owned(), FunctionSettings { reserved: supervisor });
    settings
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_has_its_answer_finds_it_counted() {
    let target = Arc::new(Target::start(System::Empty));
    let clients = (0..8).map(|_| {
        let target = Arc::clone(&target);
        tokio::spawn(async move {
            let mut stream = TcpStream::connect(&target.address).await.unwrap();
            let mut answer = [0; 1024];
            for _ in 0..250 {
                stream.write_all(b"GET /x?y HTTP/1.1\r\nHost: t\r\n\r\n").await.unwrap();
                assert!(stream.read(&mut answer).await.unwrap() > 0);
            }
        })
    });
    for client in clients.collect::<Vec<_>>() {
        client.await.unwrap();
    }
    let counts = target.counts().await;
    let want = json!({"requests": 2000, "answered": 2000, "by_status": {"200": 2000}, "by_path": {"/x": 2000},
        "settings_version": null});
    assert_eq!(counts, want);
    target.post("/_target/reset", &json!({})).await;
    assert_eq!(target.counts().await["requests"], 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_requests_under_way_each_gets_an_answer_of_its_own() {
    let target = Arc::new(Target::start(System::HcgDemo));
    let clients = (0..200).map(|client| {
        let target = Arc::clone(&target);
        tokio::spawn(async move {
            let body = format!(r#"{{"session_id":"{client}"}}"#);
            let request = format!("POST /feedback HTTP/1.1\r\nHost: t\r\nContent-Length: {}\r\n\r\n{body}", body.len());
            let mut stream = TcpStream::connect(&target.address).await.unwrap();
            let until = tokio::time::Instant::now() + Duration::from_millis(300);
            let mut answered = 0_u64;
            while tokio::time::Instant::now() < until {
                stream.write_all(request.as_bytes()).await.unwrap();
                let mut answer = [0; 1024];
                let length = stream.read(&mut answer).await.unwrap();
                let answer = String::from_utf8_lossy(&answer[..length]).into_owned();
                assert!(answer.starts_with("HTTP/1.1 200"), "client {client}: {answer}");
                assert!(answer.contains(&format!(r#""session_id":"{client}""#)), "client {client}: {answer}");
                answered += 1;
            }
            answered
        })
    });
    let mut answered = 0;
    for client in clients.collect::<Vec<_>>() {
        answered += client.await.unwrap();
    }
    let counts = target.counts().await;
    assert_eq!(
        (counts["requests"].as_u64(), counts["answered"].as_u64()),
        (Some(answered), Some(answered))
    );
}

#[tokio::test]
async fn an_answer_to_head_and_pipelined_ones_are_counted() {
    let target = Target::start(System::EcsChatbot);
    let head = raw(&target.address, b"HEAD /health HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.1 200") && head.ends_with("\r\n\r\n"), "{head}");
    let mut stream = TcpStream::connect(&target.address).await.unwrap();
    stream
        .write_all(&b"GET /health HTTP/1.1\r\nHost: t\r\n\r\n".repeat(3))
        .await
        .unwrap();
    target.wait_for("four answers", |counts| counts["answered"] == 4).await;
    assert_eq!(target.counts().await["requests"], 4);
}

#[tokio::test]
async fn old_and_malformed_requests_harm_nobody() {
    let target = Target::start(System::HcgDemo);
    let old = raw(&target.address, b"GET /nope HTTP/1.0\r\n\r\n").await;
    assert!(old.starts_with("HTTP/1.0 403"), "{old}");
    for garbage in [
        &b"\x16\x03\x01\x02\x00"[..],
        b"GARBAGE\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"",
        b"POST /webhook HTTP/1.1\r\nContent-Length: 9\r\n\r\n{",
    ] {
        raw(&target.address, garbage).await;
    }
    let (status, answer) = target.post("/feedback", &json!({"session_id": 7, "rating": 3})).await;
    assert_eq!((status, &answer["session_id"]), (200, &json!(7)));
    let unread = target
        .client
        .post(format!("http://{}/webhook", target.address))
        .body("{")
        .send()
        .await
        .unwrap();
    assert_eq!(unread.status(), 400);
    let long = vec![b' '; (1 << 20) + 1];
    let refused = target
        .client
        .post(format!("http://{}/webhook", target.address))
        .body(long)
        .send()
        .await
        .unwrap();
    assert_eq!(refused.status(), 413);
}

#[tokio::test]
async fn a_client_that_hangs_up_is_a_request_without_an_answer_and_the_function_runs_on() {
    let target = Target::start(System::HcgDemo);
    let body = br#"{"message":"hi"}"#;
    let mut stream = TcpStream::connect(&target.address).await.unwrap();
    let head = format!("POST /webhook HTTP/1.1\r\nHost: t\r\nContent-Length: {}\r\n\r\n", body.len());
    stream.write_all(&[head.as_bytes(), body].concat()).await.unwrap();
    target.wait_for("the request", |counts| counts["requests"] == 1).await;
    drop(stream);
    let (status, _) = target.post("/webhook", &json!({"message": "hi"})).await;
    assert_eq!(status, 200);
    let counts = target.counts().await;
    assert_eq!((&counts["requests"], &counts["answered"]), (&json!(2), &json!(1)));
    let ran = target
        .service
        .hub
        .drain_points()
        .into_iter()
        .find(|point| point.series.metric == "Invocations")
        .unwrap();
    assert_eq!(ran.count, 2);
}

#[tokio::test]
async fn raised_settings_end_the_throttling_and_the_metrics_say_exactly_what_clients_saw() {
    let (control, address) = FakeControl::start(settings(1, Some(2))).await;
    let target = Arc::new(Target::start(System::HcgDemo));
    *control.lose.lock().unwrap() = 1;
    let (stop, sending) = target.follow(&address);
    target
        .wait_for("the first settings", |counts| counts["settings_version"] == 1)
        .await;
    let burst = |target: Arc<Target>| async move {
        let asks = (0..20).map(|_| {
            let target = Arc::clone(&target);
            tokio::spawn(async move { target.post("/webhook", &json!({"message": "hi", "session_id": "s"})).await.0 })
        });
        let mut answered = 0_u32;
        for ask in asks.collect::<Vec<_>>() {
            answered += u32::from(ask.await.unwrap() == 200);
        }
        answered
    };
    assert_eq!(burst(Arc::clone(&target)).await, 2);
    *control.settings.lock().unwrap() = settings(2, Some(50));
    target
        .wait_for("the second settings", |counts| counts["settings_version"] == 2)
        .await;
    assert_eq!(burst(Arc::clone(&target)).await, 20);
    stop.send(()).unwrap();
    sending.await.unwrap();
    let close = |metric, dimension, want: f64| {
        let sum = control.sum(metric, Some(dimension));
        assert!((sum - want).abs() < 1e-6, "{metric} of {dimension}: {sum}");
    };
    close("Throttles", SUPERVISOR, 18.0);
    close("Invocations", SUPERVISOR, 22.0);
    close("Invocations", "hcg-demo-webhook-handler", 40.0);
    close("Count", "hcg-demo-api", 40.0);
    close("5XXError", "hcg-demo-api", 18.0);
    close("ConsumedWriteCapacityUnits", "hcg-demo-conversations", 22.0);
    assert!((control.sum("Throttles", None) - 18.0).abs() < 1e-6);
}

#[tokio::test]
async fn a_target_misbehaves_as_told_and_recovers() {
    let target = Target::start(System::Empty);
    let ask = || async {
        target
            .client
            .get(format!("http://{}/", target.address))
            .send()
            .await
            .map(|answer| answer.status().as_u16())
    };
    target.behave(json!({"status": 429, "delay_ms": 30})).await;
    let before = tokio::time::Instant::now();
    assert_eq!(ask().await.unwrap(), 429);
    assert!(before.elapsed() >= Duration::from_millis(30));
    target.behave(json!({"refuse": true})).await;
    assert!(ask().await.is_err());
    target.behave(json!({})).await;
    assert_eq!(ask().await.unwrap(), 200);
    target.behave(json!({"down_ms": 50})).await;
    let mut refused = 0;
    for _ in 0..500 {
        match ask().await {
            Ok(status) => {
                assert_eq!(status, 200);
                break;
            }
            Err(_) => refused += 1,
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert!(refused > 0);
    assert_eq!(ask().await.unwrap(), 200);
}
