//! Lists read as they arrive, item by item: no page is ever held as a whole. The envelopes are told apart by what stands
//! where, and an item is handed on unread, good or bad by itself.
//!
//! An array is a list; so is an object whose keys are numbers, or an empty one: PHP writes arrays as either.

use super::envelope::{self, Members, Paging, Wrong};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// The maximum of bytes kept of one text in an item: far more than is kept of it later.
const MAX_STRING: usize = 4 * 1024 * 1024;
/// The maximum of bytes kept of one item; the rest of a longer one is skipped, so it cannot be read.
const MAX_ITEM: usize = 16 * 1024 * 1024;
/// The maximum of bytes kept of what stands beside a list.
const MAX_MEMBER: usize = 64 * 1024;
/// The maximum of members that are kept beside a list.
const MAX_MEMBERS: usize = 64;

/// What follows the `\` of an escape: its character, and four digits where that is a `u`.
const ESCAPE: u8 = 5;

/// Reads one page in pieces.
#[derive(Debug, Default)]
pub(super) struct Scanner {
    frames: Vec<Frame>,
    value: Option<Value>,
    /// The key whose value comes next, in the innermost object.
    key: String,
    /// How much of a byte order mark was skipped.
    mark: usize,
    begun: bool,
    done: bool,
    /// Whether there was a list.
    listed: bool,
    /// Whether `data` held something else.
    no_list: bool,
    outer: BTreeMap<String, String>,
    inner: BTreeMap<String, String>,
}

/// Where the scanner stands: in a list, or between the members of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Frame {
    kind: Kind,
    next: Next,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// An array of items.
    List,
    /// The whole body, before its first key and after it.
    Outer,
    /// An object below `data`, before its first key: a page, or a list.
    Data,
    /// A page below `data`.
    Inner,
    /// The `data` of that page, before its first key: a list, or none.
    Deepest,
    /// An object with numbered keys: a list.
    Numbered,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    FirstOrEnd,
    Element,
    Colon,
    MemberValue,
    CommaOrEnd,
}

/// One JSON value under way.
#[derive(Debug)]
struct Value {
    what: What,
    bytes: Vec<u8>,
    limit: usize,
    depth: u32,
    in_string: bool,
    /// Characters of an escape that are still to come.
    escape: u8,
    string_len: usize,
    /// Whether the rest of a text is dropped.
    cut: bool,
    /// Whether it is a number or a word, which ends before what follows it.
    bare: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Key,
    Item,
    Member,
    Skipped,
}

impl Value {
    fn new(what: What) -> Self {
        let limit = match what {
            What::Item => MAX_ITEM,
            What::Member => MAX_MEMBER,
            What::Key => 1024,
            What::Skipped => 0,
        };
        let bytes = Vec::new();
        let (in_string, cut, bare) = (false, false, false);
        Self { what, bytes, limit, depth: 0, in_string, escape: 0, string_len: 0, cut, bare }
    }

    fn keep(&mut self, bytes: &[u8]) {
        let left = self.limit.saturating_sub(self.bytes.len());
        self.bytes.extend_from_slice(&bytes[..bytes.len().min(left)]);
    }

    fn keep_text(&mut self, bytes: &[u8]) {
        self.string_len = self.string_len.saturating_add(bytes.len());
        if !self.cut {
            self.keep(bytes);
        }
    }

    /// Takes what belongs to it from the front of `bytes`, which is not empty; how much that was, and whether it is over.
    fn feed(&mut self, bytes: &[u8]) -> (usize, bool) {
        let mut at = 0;
        while at < bytes.len() {
            let byte = bytes[at];
            if self.in_string {
                at += self.feed_string(&bytes[at..]);
                if !self.in_string && self.depth == 0 {
                    return (at, true);
                }
                continue;
            }
            if self.bare && (byte <= b' ' || matches!(byte, b',' | b']' | b'}' | b':')) {
                return (at, true);
            }
            match byte {
                b'"' => (self.in_string, self.string_len) = (true, 0),
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => self.depth = self.depth.saturating_sub(1),
                _ => self.bare |= self.depth == 0,
            }
            self.keep(&[byte]);
            at += 1;
            if matches!(byte, b'}' | b']') && self.depth == 0 {
                return (at, true);
            }
        }
        (at, false)
    }

    /// The same within a text; of one that is too long the rest is dropped.
    fn feed_string(&mut self, bytes: &[u8]) -> usize {
        let byte = bytes[0];
        if self.escape == ESCAPE || (self.escape > 0 && byte.is_ascii_hexdigit()) {
            self.escape = match (self.escape, byte) {
                (ESCAPE, b'u') => ESCAPE - 1,
                (ESCAPE, _) => 0,
                (digits, _) => digits - 1,
            };
            self.keep_text(&[byte]);
            return 1;
        }
        self.escape = 0;
        // Never within an escape: half of one could not be read.
        self.cut |= self.string_len >= MAX_STRING;
        match byte {
            b'"' => {
                (self.in_string, self.cut) = (false, false);
                self.keep(b"\"");
                1
            }
            b'\\' => {
                self.escape = ESCAPE;
                self.keep_text(b"\\");
                1
            }
            _ => {
                let end = bytes.iter().position(|byte| matches!(byte, b'"' | b'\\')).unwrap_or(bytes.len());
                self.keep_text(&bytes[..end]);
                end
            }
        }
    }
}

impl Scanner {
    /// Reads `bytes`, which follow those before, and hands each item that is complete to `item`.
    pub(super) fn push(&mut self, bytes: &[u8], item: &mut impl FnMut(&str)) -> Result<(), Wrong> {
        let mut at = 0;
        while at < bytes.len() {
            if let Some(value) = &mut self.value {
                let (taken, over) = value.feed(&bytes[at..]);
                at += taken;
                if over && let Some(value) = self.value.take() {
                    self.end_value(value, item)?;
                }
                continue;
            }
            let byte = bytes[at];
            if !self.begun && b"\xEF\xBB\xBF".get(self.mark) == Some(&byte) {
                (self.mark, at) = (self.mark + 1, at + 1);
                continue;
            }
            // Some write other control characters, too, where only space belongs.
            if byte <= b' ' {
                at += 1;
                continue;
            }
            at += usize::from(self.step(byte)?);
        }
        Ok(())
    }

    /// One byte between values; whether it is taken, for a value takes its own first.
    fn step(&mut self, byte: u8) -> Result<bool, Wrong> {
        if self.done {
            return Err(broken());
        }
        let Some(frame) = self.frames.last_mut() else { return self.start(byte) };
        match (frame.next, byte) {
            (Next::FirstOrEnd | Next::CommaOrEnd, b']') if frame.kind == Kind::List => self.close(),
            (Next::FirstOrEnd | Next::CommaOrEnd, b'}') if frame.kind != Kind::List => self.close(),
            (Next::CommaOrEnd, b',') => frame.next = Next::Element,
            (Next::FirstOrEnd | Next::Element, _) if frame.kind == Kind::List => {
                if matches!(byte, b',' | b']' | b'}' | b':') {
                    return Err(broken());
                }
                self.value = Some(Value::new(What::Item));
                return Ok(false);
            }
            (Next::FirstOrEnd | Next::Element, b'"') => {
                self.value = Some(Value::new(What::Key));
                return Ok(false);
            }
            (Next::Colon, b':') => frame.next = Next::MemberValue,
            (Next::MemberValue, _) if !matches!(byte, b',' | b']' | b'}' | b':') => {
                return self.member(byte);
            }
            _ => return Err(broken()),
        }
        Ok(true)
    }

    fn start(&mut self, byte: u8) -> Result<bool, Wrong> {
        self.begun = true;
        match byte {
            b'[' => self.open(Kind::List),
            b'{' => self.open(Kind::Outer),
            _ => return Err(Wrong::Body(envelope::not_json(&char::from(byte).to_string()))),
        }
        Ok(true)
    }

    fn open(&mut self, kind: Kind) {
        self.listed |= kind == Kind::List;
        self.frames.push(Frame { kind, next: Next::FirstOrEnd });
    }

    fn close(&mut self) {
        if let Some(frame) = self.frames.pop() {
            // An empty object is an empty list, wherever one is expected.
            let empty = frame.next == Next::FirstOrEnd;
            self.listed |= empty && matches!(frame.kind, Kind::Outer | Kind::Data | Kind::Deepest);
        }
        match self.frames.last_mut() {
            Some(frame) => frame.next = Next::CommaOrEnd,
            None => self.done = true,
        }
    }

    /// The value of the member `key` begins with `byte`.
    fn member(&mut self, byte: u8) -> Result<bool, Wrong> {
        let kind = self.frames.last().map_or(Kind::Outer, |frame| frame.kind);
        let is_data = self.key == "data";
        match (kind, byte) {
            (Kind::Numbered, _) => self.value = Some(Value::new(What::Item)),
            (Kind::Outer | Kind::Inner, b'[') if is_data => {
                self.open(Kind::List);
                return Ok(true);
            }
            (Kind::Outer, b'{') if is_data => {
                self.open(Kind::Data);
                return Ok(true);
            }
            (Kind::Inner, b'{') if is_data => {
                self.open(Kind::Deepest);
                return Ok(true);
            }
            (Kind::Outer | Kind::Inner, _) => {
                self.no_list |= is_data && byte != b'n';
                self.value = Some(Value::new(What::Member));
            }
            _ => self.value = Some(Value::new(What::Skipped)),
        }
        Ok(false)
    }

    fn end_value(&mut self, value: Value, item: &mut impl FnMut(&str)) -> Result<(), Wrong> {
        if value.what == What::Key {
            return self.end_key(&value.bytes);
        }
        let text = String::from_utf8_lossy(&value.bytes);
        match value.what {
            What::Item => item(&text),
            What::Member if value.bytes.len() < MAX_MEMBER => self.keep_member(text.into_owned()),
            _ => {}
        }
        if let Some(frame) = self.frames.last_mut() {
            frame.next = Next::CommaOrEnd;
        }
        Ok(())
    }

    fn keep_member(&mut self, text: String) {
        let outer = self.frames.last().is_none_or(|frame| frame.kind == Kind::Outer);
        let members = if outer { &mut self.outer } else { &mut self.inner };
        if members.len() < MAX_MEMBERS {
            members.insert(std::mem::take(&mut self.key), text);
        }
    }

    fn end_key(&mut self, bytes: &[u8]) -> Result<(), Wrong> {
        // A key that cannot be read names nothing that is looked for.
        self.key = serde_json::from_slice(bytes).unwrap_or_default();
        let numbered = !self.key.is_empty() && self.key.bytes().all(|byte| byte.is_ascii_digit());
        let Some(frame) = self.frames.last_mut() else { return Err(broken()) };
        let first = frame.next == Next::FirstOrEnd;
        frame.next = Next::Colon;
        frame.kind = match frame.kind {
            Kind::Outer | Kind::Data | Kind::Deepest if first && numbered => Kind::Numbered,
            Kind::Data => Kind::Inner,
            // Items among other members are no list.
            Kind::Numbered if !numbered => return Err(no_list()),
            Kind::Deepest => return Err(no_list()),
            kind => kind,
        };
        self.listed |= frame.kind == Kind::Numbered;
        Ok(())
    }

    /// The end of the body: what it said about other pages.
    pub(super) fn finish(mut self, item: &mut impl FnMut(&str)) -> Result<Paging, Wrong> {
        if !self.begun {
            return Err(Wrong::Body(envelope::not_json("")));
        }
        // A number or a word ends with what follows it.
        if !self.done {
            self.push(b" ", item)?;
            return Err(Wrong::Body("JSON that is cut off".into()));
        }
        let outer = members(&self.outer);
        if !self.listed {
            let said = envelope::error(&outer);
            return Err(match said {
                Some(error) if !self.no_list && self.inner.is_empty() => Wrong::Error(error),
                _ if self.no_list || !self.inner.is_empty() => no_list(),
                _ => Wrong::Body(envelope::describe_without_data(&outer)),
            });
        }
        Ok(envelope::paging(&outer).or(envelope::paging(&members(&self.inner))))
    }
}

fn members(kept: &BTreeMap<String, String>) -> Members<'_> {
    let mut members = Members::new();
    for (key, raw) in kept {
        if let Ok(raw) = serde_json::from_str::<&RawValue>(raw) {
            members.insert(key.clone(), raw);
        }
    }
    members
}

fn broken() -> Wrong {
    Wrong::Body("JSON that is broken".into())
}

fn no_list() -> Wrong {
    Wrong::Body("JSON whose `data` is not a list".into())
}

#[cfg(test)]
#[path = "scan_tests.rs"]
mod tests;
