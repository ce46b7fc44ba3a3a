//! JSON documents ready to render: all that is fixed is written beforehand, escapes included.

use bytes::{BufMut as _, BytesMut};

use super::render::{Interner, Missing, Source, Values, sources};
use crate::scenario::{JsonTemplate, Part, Template};

/// A JSON document ready to render.
#[derive(Clone, Debug)]
pub(super) struct Document(Vec<JsonPiece>);

#[derive(Clone, Debug)]
enum JsonPiece {
    /// JSON as it stands.
    Raw(String),
    /// A value of its own type.
    Value(Vec<Source>),
    /// A value inside a string.
    Inside(Vec<Source>),
}

impl Document {
    /// Interns the names of a template.
    pub(super) fn new(template: &JsonTemplate, names: &mut Interner) -> Self {
        let mut document = Self(Vec::new());
        document.add(template, names);
        document
    }

    /// The whole document, when no value is in it.
    pub(super) fn fixed(&self) -> Option<&str> {
        match self.0.as_slice() {
            [JsonPiece::Raw(text)] => Some(text),
            _ => None,
        }
    }

    /// Appends the document.
    pub(super) fn render(&self, values: &mut Values<'_>, out: &mut BytesMut) -> Result<(), Missing> {
        for piece in &self.0 {
            match piece {
                JsonPiece::Raw(text) => out.put_slice(text.as_bytes()),
                JsonPiece::Value(sources) => values.find(sources)?.json(out),
                JsonPiece::Inside(sources) => values
                    .find(sources)?
                    .text(|text| escape(text, |piece| out.put_slice(piece.as_bytes()))),
            }
        }
        Ok(())
    }

    fn add(&mut self, template: &JsonTemplate, names: &mut Interner) {
        match template {
            JsonTemplate::Plain(value) => self.raw(&value.to_string()),
            JsonTemplate::Text(Template(parts)) => match parts.as_slice() {
                [Part::Value(candidates)] => self.0.push(JsonPiece::Value(sources(candidates, names))),
                parts => {
                    self.raw("\"");
                    for part in parts {
                        match part {
                            Part::Text(text) => escape(text, |piece| self.raw(piece)),
                            Part::Value(candidates) => self.0.push(JsonPiece::Inside(sources(candidates, names))),
                        }
                    }
                    self.raw("\"");
                }
            },
            JsonTemplate::List(items) => {
                self.raw("[");
                for (position, item) in items.iter().enumerate() {
                    self.raw(if position > 0 { "," } else { "" });
                    self.add(item, names);
                }
                self.raw("]");
            }
            JsonTemplate::Map(entries) => {
                self.raw("{");
                for (position, (key, value)) in entries.iter().enumerate() {
                    self.raw(if position > 0 { ",\"" } else { "\"" });
                    escape(key, |piece| self.raw(piece));
                    self.raw("\":");
                    self.add(value, names);
                }
                self.raw("}");
            }
        }
    }

    fn raw(&mut self, text: &str) {
        match self.0.last_mut() {
            Some(JsonPiece::Raw(last)) => last.push_str(text),
            _ => self.0.push(JsonPiece::Raw(text.to_owned())),
        }
    }
}

/// Writes a text as a JSON string.
pub(super) fn quote(text: &str, out: &mut BytesMut) {
    out.put_u8(b'"');
    escape(text, |piece| out.put_slice(piece.as_bytes()));
    out.put_u8(b'"');
}

/// Writes a text as the inside of a JSON string.
fn escape(text: &str, mut write: impl FnMut(&str)) {
    let mut from = 0;
    for (at, byte) in text.bytes().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        write(&text[from..at]);
        match byte {
            b'"' => write("\\\""),
            b'\\' => write("\\\\"),
            b'\n' => write("\\n"),
            _ => write(&format!("\\u{byte:04x}")),
        }
        from = at + 1;
    }
    write(&text[from..]);
}
