//! From a request to a call on the model, and from its outcome to the words of an answer.
//!
//! Knows paths and JSON of both front doors; knows no capacity.

use std::borrow::Cow;

use bytes::Bytes;
use hyper::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::model::{Call, Failure, Outcome, System};

/// A call and what its answer repeats of the request.
#[derive(Debug)]
pub(crate) struct Routed {
    pub(crate) call: Call,
    echo: Echo,
}

#[derive(Debug, Default)]
struct Echo {
    session: Value,
    conversation: Option<String>,
    topic: usize,
}

#[derive(Debug, Deserialize)]
struct Chat<'a> {
    #[serde(borrow)]
    message: Cow<'a, str>,
    #[serde(default, alias = "session")]
    session_id: Value,
    #[serde(default)]
    conversation_id: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Feedback {
    #[serde(default)]
    session_id: Value,
}

const ANSWERS: [&str; 4] = [
    "You will find that on the intranet, under People.",
    "Please restart the device and try once more.",
    "Expenses are paid with the next salary.",
    "The office is open from eight to six.",
];

/// The path inside the API: without query, and without an emulator's or a stage's prefix.
pub(crate) fn path_in_api(path: &str) -> &str {
    let path = path
        .strip_prefix("/restapis/")
        .and_then(|rest| rest.split_once("/_user_request_"))
        .map_or(path, |(_, inner)| inner);
    let path = path.strip_prefix("/prod").filter(|rest| rest.starts_with('/')).unwrap_or(path);
    if path.is_empty() { "/" } else { path }
}

pub(crate) fn route(system: System, method: &Method, path: &str, body: &[u8]) -> Routed {
    match (system, method, path) {
        (System::HcgDemo, &Method::POST, "/webhook") => message(body, |text| Call::Webhook {
            ticket: text.to_ascii_lowercase().contains("ticket"),
        }),
        (System::HcgDemo, &Method::POST, "/feedback") => match serde_json::from_slice::<Feedback>(body) {
            Ok(feedback) => Routed {
                call: Call::Feedback,
                echo: Echo {
                    session: feedback.session_id,
                    ..Echo::default()
                },
            },
            Err(_) => Routed::bare(Call::Malformed),
        },
        (System::EcsChatbot, &Method::POST, "/api/chat") => message(body, |_| Call::Chat),
        (System::EcsChatbot, &Method::GET | &Method::HEAD, "/health") | (System::Empty, _, _) => Routed::bare(Call::Health),
        _ => Routed::bare(Call::Unknown),
    }
}

fn message(body: &[u8], call: impl FnOnce(&str) -> Call) -> Routed {
    match serde_json::from_slice::<Chat<'_>>(body) {
        Ok(message) => {
            let echo = Echo {
                topic: message.message.len() % ANSWERS.len(),
                session: message.session_id,
                conversation: message.conversation_id,
            };
            Routed {
                call: call(&message.message),
                echo,
            }
        }
        Err(_) => Routed::bare(Call::Malformed),
    }
}

impl Routed {
    fn bare(call: Call) -> Self {
        Self {
            call,
            echo: Echo::default(),
        }
    }

    /// The answer's body. `number` tells one conversation from another.
    pub(crate) fn words(self, outcome: Outcome, number: u64) -> Bytes {
        match outcome {
            Outcome::Answered => self.answer(number),
            Outcome::Malformed => Bytes::from_static(br#"{"error":"the body is not what this path expects"}"#),
            Outcome::Forbidden => Bytes::from_static(br#"{"message":"Missing Authentication Token"}"#),
            Outcome::NotFound => Bytes::from_static(br#"{"detail":"Not Found"}"#),
            Outcome::TooManyRequests => Bytes::from_static(br#"{"message":"Too Many Requests"}"#),
            Outcome::FrontThrottled => Bytes::from_static(br#"{"message":"Internal server error"}"#),
            Outcome::Failed(failure) => Bytes::from_static(failure_words(failure)),
            Outcome::NoCapacity => Bytes::from_static(br#"{"message":"503 Service Temporarily Unavailable"}"#),
            Outcome::TimedOut => Bytes::from_static(br#"{"message":"504 Gateway Time-out"}"#),
        }
    }

    fn answer(self, number: u64) -> Bytes {
        let Echo {
            session,
            conversation,
            topic,
        } = self.echo;
        let text = ANSWERS.get(topic).copied().unwrap_or_default();
        let body = match self.call {
            Call::Webhook { .. } => {
                let conversation = conversation.unwrap_or_else(|| format!("conversation-{number}"));
                json!({"answer": text, "conversation_id": conversation, "session_id": session})
            }
            Call::Chat => json!({"answer": text, "session": session}),
            Call::Feedback => json!({"stored": true, "session_id": session}),
            Call::Health | Call::Malformed | Call::Unknown => return Bytes::from_static(br#"{"status":"ok"}"#),
        };
        Bytes::from(body.to_string())
    }
}

const fn failure_words(failure: Failure) -> &'static [u8] {
    match failure {
        Failure::FunctionThrottled => br#"{"error":"TooManyRequestsException","message":"Rate Exceeded."}"#,
        Failure::TableThrottled => br#"{"error":"ProvisionedThroughputExceededException","message":"the table has no units left"}"#,
        Failure::TableMissing => br#"{"error":"ResourceNotFoundException","message":"the table is not there"}"#,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_to_write_a_path_are_understood() {
        assert_eq!(path_in_api("/webhook"), "/webhook");
        assert_eq!(path_in_api("/restapis/a1b2/prod/_user_request_/webhook"), "/webhook");
        assert_eq!(path_in_api("/restapis/a1b2/prod/_user_request_"), "/");
        assert_eq!(path_in_api("/prod/webhook"), "/webhook");
        assert_eq!(path_in_api("/products"), "/products");
    }

    #[test]
    fn a_message_about_a_ticket_goes_on_to_the_ticket_system() {
        let call = |text: &[u8]| route(System::HcgDemo, &Method::POST, "/webhook", text).call;
        assert_eq!(
            call(br#"{"message":"Please open a Ticket","session_id":1}"#),
            Call::Webhook { ticket: true }
        );
        assert_eq!(call(br#"{"message":"hello \u00e9"}"#), Call::Webhook { ticket: false });
        assert_eq!(call(b"{"), Call::Malformed);
        assert_eq!(call(br#"{"session_id":"s"}"#), Call::Malformed);
        assert_eq!(route(System::HcgDemo, &Method::GET, "/webhook", b"").call, Call::Unknown);
    }

    #[test]
    fn an_answer_repeats_the_session() {
        let routed = route(
            System::HcgDemo,
            &Method::POST,
            "/webhook",
            br#"{"message":"hi","session_id":"s-1"}"#,
        );
        let answer: Value = serde_json::from_slice(&routed.words(Outcome::Answered, 5)).unwrap();
        assert_eq!(answer["session_id"], "s-1");
        assert_eq!(answer["conversation_id"], "conversation-5");
        assert!(answer["answer"].is_string());
    }
}
