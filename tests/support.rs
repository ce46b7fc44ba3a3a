//! A sandbox of its own for each test, and the binary run in it.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::{Value, json};

/// The root of the repository.
pub(crate) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A simulated AWS account with its target. It ends with the test.
pub(crate) struct Sandbox {
    process: Child,
    ready: Value,
    runtime: tokio::runtime::Runtime,
    client: reqwest::Client,
}

impl Sandbox {
    /// The control plane alone, its waiting times short: for tests that drive no load.
    pub(crate) fn control(system: &str) -> Self {
        Self::start(system, &["--no-target", "--pace", "20"])
    }

    /// With its data plane.
    pub(crate) fn whole(system: &str, pace: &str) -> Self {
        let binary = Path::new(env!("CARGO_BIN_EXE_tidegate")).with_file_name("examples").join("target");
        assert!(binary.exists(), "`cargo build --example target` comes first: {}", binary.display());
        Self::start(system, &["--pace", pace, "--target", binary.to_str().unwrap()])
    }

    fn start(system: &str, arguments: &[&str]) -> Self {
        let mut process = Command::new(repository().join("scripts/sandbox/start"))
            .arg(system)
            .arg("--parent-pipe")
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the sandbox starts");
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready = serde_json::from_str(&line).unwrap_or_else(|error| panic!("the sandbox said {line:?}: {error}"));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self {
            process,
            ready,
            runtime,
            client: reqwest::Client::builder().no_proxy().build().unwrap(),
        }
    }

    fn text(&self, key: &str) -> &str {
        self.ready[key].as_str().unwrap_or_else(|| panic!("no {key} in {}", self.ready))
    }

    pub(crate) fn endpoint(&self) -> &str {
        self.text("endpoint")
    }

    pub(crate) fn target(&self) -> &str {
        self.text("target")
    }

    fn ask(&self, method: reqwest::Method, url: &str, body: Option<&Value>) -> Value {
        self.runtime.block_on(async {
            let mut request = self.client.request(method, url);
            if let Some(body) = body {
                request = request.json(body);
            }
            let answer = request.send().await.unwrap_or_else(|error| panic!("{url}: {error:?}"));
            let status = answer.status();
            let text = answer.text().await.unwrap();
            assert!(status.is_success(), "{url}: {status} {text}");
            serde_json::from_str(&text).unwrap_or(Value::Null)
        })
    }

    pub(crate) fn get(&self, path: &str) -> Value {
        self.ask(reqwest::Method::GET, &format!("{}/_sandbox/{path}", self.endpoint()), None)
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Value {
        self.ask(reqwest::Method::POST, &format!("{}/_sandbox/{path}", self.endpoint()), Some(body))
    }

    pub(crate) fn delete(&self, path: &str) {
        self.ask(reqwest::Method::DELETE, &format!("{}/_sandbox/{path}", self.endpoint()), None);
    }

    pub(crate) fn target_get(&self, path: &str) -> Value {
        self.ask(reqwest::Method::GET, &format!("{}/_target/{path}", self.target()), None)
    }

    pub(crate) fn target_post(&self, path: &str, body: &Value) -> Value {
        self.ask(reqwest::Method::POST, &format!("{}/_target/{path}", self.target()), Some(body))
    }

    /// Everything that must be equal again after cleanup.
    pub(crate) fn snapshot(&self) -> Value {
        self.get("snapshot")
    }

    /// Forgets everything: the account as it is at the start.
    pub(crate) fn reset(&self) {
        self.post("reset", &json!({}));
    }

    pub(crate) fn fault(&self, fault: &Value) {
        self.post("faults", &json!({ "faults": [fault] }));
    }

    /// The AWS calls so far.
    pub(crate) fn calls(&self) -> Vec<Value> {
        self.get("calls")["calls"].as_array().unwrap().clone()
    }

    /// Operations of the mutating calls so far, with their resources.
    pub(crate) fn writes(&self) -> Vec<String> {
        let name = |call: &Value| {
            format!(
                "{} {}",
                call["operation"].as_str().unwrap(),
                call["resource"].as_str().unwrap_or("")
            )
        };
        self.calls().iter().filter(|call| call["mutating"] == true).map(name).collect()
    }

    /// Somebody else calls AWS: an operation of the JSON protocols, by its target header.
    pub(crate) fn edit_json(&self, target: &str, body: &Value) {
        self.runtime.block_on(async {
            let answer = self
                .client
                .post(self.endpoint())
                .header("x-amz-target", target)
                .header("content-type", "application/x-amz-json-1.1")
                .header("authorization", self.authorization(target))
                .body(body.to_string())
                .send()
                .await
                .unwrap();
            assert!(answer.status().is_success(), "{target}: {:?}", answer.text().await);
        });
    }

    /// Somebody else sets a function's reserved concurrency.
    pub(crate) fn edit_reserved(&self, function: &str, limit: u32) {
        self.runtime.block_on(async {
            let url = format!("{}/2017-10-31/functions/{function}/concurrency", self.endpoint());
            let answer = self
                .client
                .put(url)
                .header("authorization", self.authorization("lambda"))
                .json(&json!({ "ReservedConcurrentExecutions": limit }))
                .send()
                .await
                .unwrap();
            assert!(answer.status().is_success(), "{:?}", answer.text().await);
        });
    }

    /// The emulator looks only at the service in the credential's scope.
    fn authorization(&self, target: &str) -> String {
        let service = match target {
            "lambda" => "lambda",
            target if target.starts_with("DynamoDB") => "dynamodb",
            target if target.starts_with("AnyScale") => "application-autoscaling",
            _ => "ecs",
        };
        format!(
            "AWS4-HMAC-SHA256 Credential=other/20260101/{}/{service}/aws4_request, SignedHeaders=host, Signature=0",
            self.text("region")
        )
    }

    /// Waits until something is held; the number of the hold.
    pub(crate) fn held(&self) -> Option<Value> {
        self.get("held?wait=30")["held"].as_array().and_then(|held| held.first().cloned())
    }

    pub(crate) fn release_and_drop(&self) {
        self.post("release", &json!({ "id": null, "outcome": "drop" }));
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // Its parent's pipe is its lifeline; closing it ends the sandbox and its target.
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

/// A machine of somebody's: state folder, working folder, environment.
pub(crate) struct Machine {
    home: tempfile::TempDir,
    environment: Vec<(String, String)>,
}

/// What a command left behind.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Machine {
    pub(crate) fn new(sandbox: &Sandbox) -> Self {
        let environment = sandbox.ready["env"].as_object().unwrap();
        Self {
            home: tempfile::tempdir().unwrap(),
            environment: environment
                .iter()
                .map(|(key, value)| (key.clone(), value.as_str().unwrap().to_owned()))
                .collect(),
        }
    }

    /// One that knows no AWS at all.
    pub(crate) fn without_aws() -> Self {
        Self {
            home: tempfile::tempdir().unwrap(),
            environment: vec![("AWS_EC2_METADATA_DISABLED".into(), "true".into())],
        }
    }

    pub(crate) fn set(mut self, key: &str, value: &str) -> Self {
        self.environment.retain(|(other, _)| other != key);
        self.environment.push((key.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tidegate"));
        command
            .args(arguments)
            .current_dir(self.home.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", self.home.path())
            .env("XDG_STATE_HOME", self.home.path().join("state"))
            .env("USER", "maya")
            .env("TIDEGATE_IN_DOUBT", "0.5")
            .envs(self.environment.iter().map(|(key, value)| (key, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        Ran::from(self.command(arguments).output().unwrap())
    }

    /// Starts a command that the test will stop or kill.
    pub(crate) fn spawn(&self, arguments: &[&str]) -> Child {
        self.command(arguments).spawn().unwrap()
    }

    /// The text of the one journal.
    pub(crate) fn journals(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut folders = vec![self.path("state")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                if entry.path().is_dir() {
                    folders.push(entry.path());
                } else if entry.path().extension().is_some_and(|extension| extension == "jsonl") {
                    found.push(entry.path());
                }
            }
        }
        found.sort();
        found
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: code(output.status),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// The exit code, or minus the signal that ended it.
fn code(status: std::process::ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt as _;
    status.code().unwrap_or_else(|| -status.signal().unwrap_or(0))
}

/// Waits for a command that was started.
pub(crate) fn finish(mut child: Child) -> Ran {
    let mut stdout = String::new();
    let mut stderr = String::new();
    // Both pipes are small here: neither can fill up while the other is read.
    child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    Ran {
        code: code(child.wait().unwrap()),
        stdout,
        stderr,
    }
}

impl Ran {
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        let all = format!("{}\n{}", self.stdout, self.stderr);
        // Boxes wrap their text; what they say counts, not where.
        let flat = all
            .replace('│', " ")
            .split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
            .join(" ");
        assert!(all.contains(text) || flat.contains(text), "{text:?} is not in:\n{all}");
        self
    }
}
