//! The sandbox's data plane: a simulated service whose capacity obeys the settings of the control plane.
//!
//! `model` is pure and says what happens; `server` puts it behind HTTP; `settings` is the data between them.
//! Nothing here uses the tidegate library: what is tested and what it is tested with share no constants.

mod arguments;
mod model;
mod server;
mod settings;

use std::error::Error;
use std::io::{Read, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::arguments::Arguments;
use crate::server::{Control, Hub, Service};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(arguments.workers.max(1))
        .enable_all()
        .build();
    let ended = runtime.map_err(Into::into).and_then(|runtime| {
        let ended = runtime.block_on(run(&arguments));
        runtime.shutdown_background();
        ended
    });
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            let _ = writeln!(std::io::stderr().lock(), "target: {problem}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    // Signals first: whoever reads the ready line may end us at once.
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    raise_file_limit();
    let listener = server::listen(arguments.port)?;
    say_ready(listener.local_addr()?.port())?;
    let parent_gone = stdin_ended()?;
    let service = Arc::new(Service::new(
        arguments.system,
        Hub::new(arguments.system, arguments.seed, arguments.pace),
    ));
    tokio::spawn({
        let service = Arc::clone(&service);
        async move { service.hub.drive().await }
    });
    let (stop, stopped) = oneshot::channel::<()>();
    let metrics = match &arguments.control {
        Some(address) => talk_with(&Arc::new(Control::new(address, Arc::clone(&service))?), stopped),
        None => tokio::spawn(forget_metrics(Arc::clone(&service), stopped)),
    };
    tokio::select! {
        accepting = server::accept(listener, service) => accepting?,
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        _ = parent_gone => {}
    }
    drop(stop);
    metrics.await?;
    Ok(())
}

/// Settings in, metrics out; ends when the last metrics were sent after `stopped`.
fn talk_with(control: &Arc<Control>, stopped: oneshot::Receiver<()>) -> JoinHandle<()> {
    let (follower, sender) = (Arc::clone(control), Arc::clone(control));
    tokio::spawn(async move { follower.follow_settings().await });
    tokio::spawn(async move { sender.send_metrics(async { drop(stopped.await) }).await })
}

/// Without a control plane nobody wants the metrics, and they must not pile up.
async fn forget_metrics(service: Arc<Service>, mut stopped: oneshot::Receiver<()>) {
    while timeout(Duration::from_secs(1), &mut stopped).await.is_err() {
        drop(service.hub.drain_points());
    }
}

/// A connection is a file, and a load test has thousands. What cannot be raised stays as it is.
fn raise_file_limit() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    let _ = setrlimit(Resource::Nofile, limit);
}

fn say_ready(port: u16) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, r#"{{"ready":true,"port":{port}}}"#)?;
    out.flush()
}

/// Ends when the parent closes its end of our standard input. A thread of its own: a read cannot be given up.
fn stdin_ended() -> std::io::Result<oneshot::Receiver<()>> {
    let (ended, end) = oneshot::channel();
    std::thread::Builder::new().name("stdin".to_owned()).spawn(move || {
        let mut buffer = [0; 256];
        while std::io::stdin().lock().read(&mut buffer).is_ok_and(|count| count > 0) {}
        let _ = ended.send(());
    })?;
    Ok(end)
}
