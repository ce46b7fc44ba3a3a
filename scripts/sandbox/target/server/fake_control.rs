//! A control plane in miniature for the tests: settings to give, metrics to keep.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;

use crate::settings::Settings;

#[derive(Debug, Default)]
pub(super) struct FakeControl {
    pub(super) settings: Mutex<Settings>,
    /// Every batch that came, refused ones too.
    pub(super) batches: Mutex<Vec<Value>>,
    /// How many of the next batches are kept but answered with an error: the answer is lost.
    pub(super) lose: Mutex<u32>,
}

impl FakeControl {
    pub(super) async fn start(settings: Settings) -> (Arc<Self>, String) {
        let control = Arc::new(Self {
            settings: Mutex::new(settings),
            ..Self::default()
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn({
            let control = Arc::clone(&control);
            async move {
                while let Ok((stream, _)) = listener.accept().await {
                    let control = Arc::clone(&control);
                    tokio::spawn(async move {
                        let service = service_fn(|request| control.answer(request));
                        let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                    });
                }
            }
        });
        (control, address)
    }

    /// The sum of a metric over all minutes, each batch number counted once.
    pub(super) fn sum(&self, metric: &str, dimension: Option<&str>) -> f64 {
        let batches = self.batches.lock().unwrap();
        let mut seen = std::collections::BTreeSet::new();
        batches
            .iter()
            .filter(|batch| seen.insert(batch["batch"].as_u64()))
            .flat_map(|batch| batch["points"].as_array().unwrap())
            .filter(|point| point["metric"] == metric)
            .filter(|point| {
                let dimensions = point["dimensions"].as_object().unwrap();
                dimension.map_or(dimensions.is_empty(), |wanted| {
                    dimensions.len() == 1 && dimensions.values().any(|value| value == wanted)
                })
            })
            .map(|point| point["sum"].as_f64().unwrap())
            .sum()
    }

    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
        let path = request.uri().path().to_owned();
        let body = request.into_body().collect().await.unwrap().to_bytes();
        let mut response = Response::new(Full::default());
        if path == "/_sandbox/settings" {
            let settings = serde_json::to_vec(&*self.settings.lock().unwrap()).unwrap();
            *response.body_mut() = Full::from(settings);
        } else {
            self.batches.lock().unwrap().push(serde_json::from_slice(&body).unwrap());
            let mut lose = self.lose.lock().unwrap();
            if *lose > 0 {
                *lose -= 1;
                *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            }
        }
        Ok(response)
    }
}
