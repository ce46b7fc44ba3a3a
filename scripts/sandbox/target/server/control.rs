//! The conversation with the control plane: settings come, metrics go.
//!
//! Knows the contract's two endpoints; knows nothing of what the values mean.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::http::Service;
use crate::model::Point;
use crate::settings::Settings;

const POLL_EVERY: Duration = Duration::from_millis(200);
const POST_EVERY: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_secs(5);
const LAST_PATIENCE: Duration = Duration::from_millis(700);

/// Increments that go together. One that was not accepted is sent again under its number, never split or joined,
/// so that a control plane that knows the number adds nothing twice.
#[derive(Debug, Serialize)]
struct Batch {
    batch: u64,
    points: Vec<Point>,
}

#[derive(Debug)]
pub(crate) struct Control {
    client: reqwest::Client,
    address: String,
    service: Arc<Service>,
}

impl Control {
    pub(crate) fn new(address: &str, service: Arc<Service>) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build()?;
        Ok(Self {
            client,
            address: address.trim_end_matches('/').to_owned(),
            service,
        })
    }

    /// Keeps the model's settings those in force. Never ends.
    pub(crate) async fn follow_settings(&self) {
        let (mut known, mut complained) = (None, None);
        loop {
            // A control plane that is not there yet is nothing to speak of; one that is misunderstood is.
            match self.settings().await {
                Some(Ok(settings)) if known.as_ref() != Some(&settings) => {
                    self.service.hub.apply(&settings);
                    known = Some(settings);
                }
                Some(Err(problem)) if complained.as_ref() != Some(&problem) => {
                    let _ = writeln!(std::io::stderr().lock(), "target: settings not understood: {problem}");
                    complained = Some(problem);
                }
                Some(_) | None => {}
            }
            tokio::time::sleep(POLL_EVERY).await;
        }
    }

    /// Sends the metrics once a second until `stop`, then what is left.
    pub(crate) async fn send_metrics(&self, stop: impl Future<Output = ()>) {
        let mut unsent: Option<Batch> = None;
        let mut number = 0;
        tokio::pin!(stop);
        loop {
            let stopping = tokio::select! {
                () = &mut stop => true,
                () = tokio::time::sleep(POST_EVERY) => false,
            };
            while let Some(batch) = unsent.take().or_else(|| self.next_batch(&mut number)) {
                if !self.post(&batch, if stopping { LAST_PATIENCE } else { PATIENCE }).await {
                    unsent = Some(batch);
                    break;
                }
            }
            if stopping {
                return;
            }
        }
    }

    fn next_batch(&self, number: &mut u64) -> Option<Batch> {
        let points = self.service.hub.drain_points();
        (!points.is_empty()).then(|| {
            *number += 1;
            Batch { batch: *number, points }
        })
    }

    async fn settings(&self) -> Option<Result<Settings, String>> {
        let answer = self.client.get(format!("{}/_sandbox/settings", self.address)).send().await.ok()?;
        let text = answer.error_for_status().ok()?.bytes().await.ok()?;
        Some(serde_json::from_slice(&text).map_err(|problem| problem.to_string()))
    }

    async fn post(&self, batch: &Batch, patience: Duration) -> bool {
        let request = self
            .client
            .post(format!("{}/_sandbox/metrics", self.address))
            .json(batch)
            .timeout(patience);
        request.send().await.is_ok_and(|answer| answer.status().is_success())
    }
}
