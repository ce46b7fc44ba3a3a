//! One user's connection, and one request over it.

use std::cell::Cell;
use std::error::Error as _;
use std::future::{Future as _, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::header::HeaderMap;
use http_body_util::Full;
use hyper::body::{Body as _, Frame, Incoming};
use hyper::client::conn::http1::{self, Connection, SendRequest};
use tokio::time::{Instant, Sleep};

use super::Http;
use super::connect::{Stream, Wire};
use super::gate::{Gate, Gatekeeper};
use crate::load::check::Answer;
use crate::load::dice::Dice;
use crate::load::exchange::{Line, Loss, Request};
use crate::load::sample::Failure;

/// The longest body that is read.
const BODY_MAX: u64 = 16 * 1024 * 1024;

type Body = Full<Bytes>;

/// A user's way to the target.
pub(in crate::load) struct HttpLine {
    http: Rc<Http>,
    link: Option<Link>,
    deadline: Deadline,
    gates: Gatekeeper,
    dice: Dice,
}

/// A connection. It is polled by whoever uses it, never by a task of its own.
struct Link {
    sender: SendRequest<Body>,
    /// `None` when it has ended.
    connection: Option<Pin<Box<Connection<Wire, Body>>>>,
    /// Whether anything was written since the flag was last taken down.
    written: Rc<Cell<bool>>,
    peer: SocketAddr,
    generation: u32,
    /// The last answer's headers, empty: its memory is the next request's.
    spare: HeaderMap,
}

impl HttpLine {
    pub(super) fn new(http: Rc<Http>) -> Self {
        thread_local!(static LINES: Cell<u64> = const { Cell::new(0) });
        let nth = LINES.replace(LINES.get() + 1);
        Self {
            http,
            link: None,
            deadline: Deadline::default(),
            gates: Gatekeeper::default(),
            dice: Dice::new(0, [0, nth]),
        }
    }
}

impl Line for HttpLine {
    async fn exchange(&mut self, request: &Request<'_>, answer: &mut Answer, sent: &Cell<Option<Instant>>) -> Result<(), Loss> {
        leave_old_addresses(&self.http, &mut self.link, &mut self.dice);
        self.deadline.set(request.now + request.timeout);
        let gates = &mut self.gates;
        let (gate, waker) = poll_fn(|cx| Poll::Ready(gates.gate(cx.waker()).clone())).await;
        let result = {
            let turn = Turn {
                http: &self.http,
                request,
                sent,
                gate: &gate,
            };
            let mut work = pin!(attempt(&mut self.link, &turn, answer));
            let deadline = &mut self.deadline;
            poll_fn(|cx| match gate.poll(&waker, |cx| work.as_mut().poll(cx)) {
                Poll::Ready(result) => Poll::Ready(result),
                Poll::Pending => deadline.poll(cx).map(|()| {
                    Err(Loss {
                        failure: Failure::Timeout,
                        text: format!("no complete answer within {:?}", request.timeout),
                    })
                }),
            })
            .await
        };
        if result.is_err() {
            // What is left of an answer must not be taken for the next one.
            self.link = None;
        }
        result
    }
}

/// Gives up a connection that should lead to another address by now.
fn leave_old_addresses(http: &Http, link: &mut Option<Link>, dice: &mut Dice) {
    if let Some(open) = link
        && open.generation != http.names.generation()
    {
        open.generation = http.names.generation();
        if http.names.moves(open.peer, dice.unit()) {
            *link = None;
        }
    }
}

/// One request under way.
struct Turn<'a> {
    http: &'a Http,
    request: &'a Request<'a>,
    sent: &'a Cell<Option<Instant>>,
    gate: &'a Gate,
}

/// Sends the request over the connection, or over a new one, and reads the answer.
async fn attempt(link: &mut Option<Link>, turn: &Turn<'_>, answer: &mut Answer) -> Result<(), Loss> {
    if let Some(open) = link {
        if open.is_usable(turn).await {
            match open.send(turn, turn.request.now).await {
                Ok(response) => return open.read(response, turn, answer).await,
                // The connection ended while it was idle and nothing of this request was written: not a failure of
                // the request, which goes over a new connection once.
                Err(Unsent::Untouched) => {}
                Err(Unsent::Lost(loss)) => return Err(loss),
            }
        }
        *link = None;
    }
    let open = link.insert(Link::open(turn.http).await?);
    match open.send(turn, Instant::now()).await {
        Ok(response) => open.read(response, turn, answer).await,
        Err(Unsent::Untouched) => Err(Loss {
            failure: Failure::Reset,
            text: "the connection was closed before the request could be sent".to_owned(),
        }),
        Err(Unsent::Lost(loss)) => Err(loss),
    }
}

/// Why there is no response.
enum Unsent {
    /// Nothing was written; the request can be sent again.
    Untouched,
    /// The request is lost.
    Lost(Loss),
}

impl Link {
    async fn open(http: &Http) -> Result<Self, Loss> {
        let generation = http.names.generation();
        let (stream, peer) = Stream::connect(&http.client, &http.names).await?;
        let written = Rc::new(Cell::new(false));
        let wire = Wire::new(stream, Rc::clone(&written));
        let (sender, connection) = http1::Builder::new()
            .writev(false)
            .handshake(wire)
            .await
            .map_err(|error| loss(&error))?;
        Ok(Self {
            sender,
            connection: Some(Box::pin(connection)),
            written,
            peer,
            // The first look-up happens while connecting.
            generation: generation.max(http.names.generation()),
            spare: HeaderMap::new(),
        })
    }

    /// Drives the connection as far as it goes. `true` when it has ended.
    fn drive(&mut self, cx: &mut Context<'_>) -> bool {
        if let Some(connection) = &mut self.connection
            && connection.as_mut().poll(cx).is_ready()
        {
            // Its error reaches the request as well.
            self.connection = None;
        }
        self.connection.is_none()
    }

    /// Whether the connection can take a request; one that the target closed while idle cannot.
    async fn is_usable(&mut self, turn: &Turn<'_>) -> bool {
        poll_fn(|cx| {
            turn.gate.settle();
            if self.drive(cx) {
                return Poll::Ready(false);
            }
            self.sender.poll_ready(cx).map(|ready| ready.is_ok())
        })
        .await
    }

    async fn send(&mut self, turn: &Turn<'_>, now: Instant) -> Result<http::Response<Incoming>, Unsent> {
        let client = &turn.http.client;
        let spare = std::mem::take(&mut self.spare);
        let message = client.messages[turn.request.step]
            .request(&client.origin, turn.request, spare)
            .map_err(Unsent::Lost)?;
        self.written.set(false);
        turn.sent.set(Some(now));
        let mut response = pin!(self.sender.try_send_request(message));
        let connection = &mut self.connection;
        let result = poll_fn(|cx| {
            turn.gate.settle();
            if let Some(open) = connection
                && open.as_mut().poll(cx).is_ready()
            {
                *connection = None;
            }
            response.as_mut().poll(cx)
        })
        .await;
        result.map_err(|mut error| {
            if self.written.get() {
                return Unsent::Lost(loss(error.error()));
            }
            turn.sent.set(None);
            match error.take_message() {
                Some(_) => Unsent::Untouched,
                None => Unsent::Lost(loss(error.error())),
            }
        })
    }

    /// Reads the answer to its end; the body is kept only when it is wanted.
    async fn read(&mut self, response: http::Response<Incoming>, turn: &Turn<'_>, answer: &mut Answer) -> Result<(), Loss> {
        let request = turn.request;
        let (mut head, mut body) = response.into_parts();
        answer.status = head.status.as_u16();
        answer.size = 0;
        answer.body.clear();
        answer.headers.clear();
        answer.headers.extend(request.wants_headers.iter().map(|name| {
            let value = head.headers.get(name)?;
            Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
        }));
        head.headers.clear();
        self.spare = head.headers;
        while !body.is_end_stream() {
            let Some(frame) = poll_fn(|cx| self.poll_frame(&mut body, turn.gate, cx)).await else {
                break;
            };
            let frame = frame.map_err(|error| loss(&error))?;
            let Some(data) = frame.data_ref() else {
                continue;
            };
            answer.size += data.len() as u64;
            if answer.size > BODY_MAX {
                return Err(Loss {
                    failure: Failure::Protocol,
                    text: format!("the answer is larger than {} MB", BODY_MAX / 1024 / 1024),
                });
            }
            if request.wants_body {
                answer.body.extend_from_slice(data);
            }
        }
        if self.connection.is_none() {
            // Nothing to keep alive; the next request connects anew.
            self.written.set(false);
        }
        Ok(())
    }

    fn poll_frame(&mut self, body: &mut Incoming, gate: &Gate, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut *body).poll_frame(cx) {
            return Poll::Ready(frame);
        }
        // Asking for a frame lets the connection read it; it may be there already.
        gate.settle();
        self.drive(cx);
        Pin::new(body).poll_frame(cx)
    }
}

/// Classifies what hyper says.
fn loss(error: &hyper::Error) -> Loss {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    let is_io = cause.downcast_ref::<io::Error>();
    let failure = if error.is_parse() || error.is_user() {
        Failure::Protocol
    } else if let Some(io) = is_io {
        match io.kind() {
            io::ErrorKind::TimedOut => Failure::Timeout,
            io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => Failure::Protocol,
            _ => Failure::Reset,
        }
    } else {
        Failure::Reset
    };
    let text = if error.is_incomplete_message() {
        "the connection was closed before the answer was complete".to_owned()
    } else if error.source().is_some() {
        format!("{error}: {cause}")
    } else {
        error.to_string()
    };
    Loss { failure, text }
}

/// A deadline that is moved with every request. The timer behind it is armed only when it fires too early, not once a
/// request.
#[derive(Default)]
struct Deadline {
    at: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
    /// Who the timer wakes.
    woken: Option<Waker>,
}

impl Deadline {
    fn set(&mut self, at: Instant) {
        self.at = Some(at);
        if let Some(timer) = &mut self.timer
            && (timer.deadline() > at || timer.is_elapsed())
        {
            timer.as_mut().reset(at);
            self.woken = None;
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(at) = self.at else {
            return Poll::Pending;
        };
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(at)));
        // Asking a timer that is armed for this very task costs more than it tells.
        if !timer.is_elapsed() && self.woken.as_ref().is_some_and(|woken| woken.will_wake(cx.waker())) {
            return Poll::Pending;
        }
        loop {
            if timer.as_mut().poll(cx).is_pending() {
                self.woken = Some(cx.waker().clone());
                return Poll::Pending;
            }
            if Instant::now() >= at {
                return Poll::Ready(());
            }
            timer.as_mut().reset(at);
        }
    }
}
