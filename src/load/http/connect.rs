//! Connections: TCP, and TLS over it.

use std::cell::Cell;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::Client;
use super::names::Names;
use super::origin::Origin;
use crate::load::error::LoadError;
use crate::load::exchange::Loss;
use crate::load::sample::Failure;

/// A connection, with or without TLS.
pub(super) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// What a target with TLS is connected with; `None` for one without.
pub(super) fn connector(origin: &Origin) -> Result<Option<TlsConnector>, LoadError> {
    if !origin.is_tls {
        return Ok(None);
    }
    let refused = |error: rustls::Error| LoadError::Tls {
        address: origin.authority.clone(),
        reason: error.to_string(),
    };
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(rustls::ConfigBuilder::with_platform_verifier)
        .map_err(refused)?
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Some(TlsConnector::from(Arc::new(config))))
}

impl Stream {
    /// Connects to the next address in turn.
    pub(super) async fn connect(client: &Client, names: &Names) -> Result<(Self, SocketAddr), Loss> {
        let address = names.next().await?;
        let (tcp, address) = match TcpStream::connect(address).await {
            Ok(tcp) => (tcp, address),
            Err(error) => {
                // `localhost` and dual-stack names: the service may listen in the other family only.
                let other = names.other_family(address).ok_or_else(|| refused(&error))?;
                (TcpStream::connect(other).await.map_err(|_| refused(&error))?, other)
            }
        };
        names.answers(address);
        // A request must not wait for the acknowledgement of the one before.
        tcp.set_nodelay(true).map_err(|error| refused(&error))?;
        let Some(tls) = &client.tls else {
            return Ok((Self::Plain(tcp), address));
        };
        let failed = |text: String| Loss {
            failure: Failure::Tls,
            text,
        };
        let name = ServerName::try_from(client.origin.host.clone()).map_err(|error| failed(error.to_string()))?;
        let stream = tls.connect(name, tcp).await.map_err(|error| failed(error.to_string()))?;
        Ok((Self::Tls(Box::new(stream)), address))
    }
}

fn refused(error: &io::Error) -> Loss {
    Loss {
        failure: Failure::Connect,
        text: error.to_string(),
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(self: Pin<&mut Self>, cx: &mut Context<'_>, slices: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
            Self::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(stream) => stream.is_write_vectored(),
            Self::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

/// A stream that tells whether anything was written since it was last asked: only then can the target have seen a
/// request.
pub(super) struct Wire {
    io: TokioIo<Stream>,
    written: Rc<Cell<bool>>,
}

impl Wire {
    pub(super) fn new(stream: Stream, written: Rc<Cell<bool>>) -> Self {
        Self {
            io: TokioIo::new(stream),
            written,
        }
    }

    fn note(&self, result: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(count)) = &result
            && *count > 0
        {
            self.written.set(true);
        }
        result
    }
}

impl Read for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buffer)
    }
}

impl Write for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.io).poll_write(cx, bytes);
        self.note(result)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, cx: &mut Context<'_>, slices: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.io).poll_write_vectored(cx, slices);
        self.note(result)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
