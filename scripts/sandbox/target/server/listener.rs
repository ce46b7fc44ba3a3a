//! The listening socket: accepts, and goes away for a while when a test asks for it.
//!
//! Knows nothing of what is said on a connection.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket};

use super::http::Service;

/// How many connections may wait to be accepted: a thousand users may come within one moment.
const BACKLOG: u32 = 4096;
/// How long to wait when no more files can be opened.
const OUT_OF_FILES: Duration = Duration::from_millis(20);

pub(crate) fn listen(port: u16) -> io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
    socket.listen(BACKLOG)
}

/// Accepts connections. Ends only when the port cannot be had again after an absence.
pub(crate) async fn accept(mut listener: TcpListener, service: Arc<Service>) -> io::Result<()> {
    let port = listener.local_addr()?.port();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    tokio::spawn(Arc::clone(&service).serve(stream));
                }
                Err(_) => tokio::time::sleep(OUT_OF_FILES).await,
            },
            () = service.manner.went_down.notified() => {
                drop(listener);
                while let Some(absence) = service.manner.down_for() {
                    tokio::time::sleep(absence).await;
                    service.manner.is_up();
                }
                listener = listen(port)?;
            }
        }
    }
}
