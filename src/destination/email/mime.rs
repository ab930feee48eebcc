//! A message as it travels: headers, a text part, an HTML part.
//!
//! Nothing of a review stands in any header but the subject, which is one clean line and encoded by lettre.

use super::Mail;
use super::address::Sender;
use crate::domain::{Change, Content, Message, MessageKind};
use lettre::Address;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MessageBuilder, MultiPart, SinglePart};
use sha2::{Digest, Sha256};
use std::time::{Duration, UNIX_EPOCH};

/// Who sends, who is answered, who receives.
pub struct Envelope<'a> {
    /// Who sends.
    pub from: &'a Sender,
    /// Who is answered, where not who sends.
    pub reply_to: Option<&'a Sender>,
    /// Who receives.
    pub to: &'a Address,
}

/// The message, ready to send: the same bytes for the same attempt. `None` where an address cannot be written.
pub fn build(message: &Message, mail: &Mail, envelope: &Envelope<'_>, destination: &str) -> Option<String> {
    let domain = envelope.from.email.domain();
    let millis = u64::try_from(message.now.as_millis()).unwrap_or(0);
    let mut builder = addressed(envelope.from, envelope.to)?
        .subject(mail.subject.clone())
        .date(UNIX_EPOCH + Duration::from_millis(millis))
        .message_id(Some(format!("<{}@{domain}>", message.id)))
        // Programs must not answer programs (RFC 3834); the second is for Exchange.
        .raw_header(header("Auto-Submitted", "auto-generated"))
        .raw_header(header("X-Auto-Response-Suppress", "All"));
    if let Some(reply_to) = envelope.reply_to {
        builder = builder.reply_to(reply_to.clone());
    }
    if let Content::Review { subject, .. } = &message.content {
        let root = root(&subject.review.account, &subject.review.uuid, envelope.to, domain);
        if subject.change != Change::New {
            builder = builder.in_reply_to(root.clone());
        }
        builder = builder.references(root);
    }
    if matches!(message.content.kind(), MessageKind::Digest | MessageKind::Summary) {
        builder = builder
            .raw_header(header("Precedence", "bulk"))
            .raw_header(header("List-Id", &format!("<{destination}.reviews.{domain}>")));
    }
    if message.possible_repeat {
        builder = builder.raw_header(header("X-Review-Bridge-Repeat", "possible"));
    }
    let built = match &mail.html {
        Some(html) => builder.multipart(
            MultiPart::alternative()
                .boundary(boundary(mail, html))
                .singlepart(SinglePart::plain(mail.text.clone()))
                .singlepart(SinglePart::html(html.clone())),
        ),
        None => builder.singlepart(SinglePart::plain(mail.text.clone())),
    };
    built.ok().and_then(|built| String::from_utf8(built.formatted()).ok())
}

/// A message from the one to the other. The envelope is given: read from the headers, a quoted address would be refused.
fn addressed(from: &Sender, to: &Address) -> Option<MessageBuilder> {
    let envelope = lettre::address::Envelope::new(Some(from.email.clone()), vec![to.clone()]).ok()?;
    let to = Mailbox::new(None, to.clone());
    Some(lettre::Message::builder().from(from.clone()).to(to).envelope(envelope))
}

/// Whether messages from `sender` can be written: what the headers cannot hold is refused with the configuration.
pub fn can_be_sender(sender: &Sender) -> bool {
    let built = addressed(sender, &sender.email).map(|builder| builder.date(UNIX_EPOCH).body(String::new()));
    built.is_some_and(|built| built.is_ok())
}

/// The message that all mails on one review to one person refer to, though it was never sent: that is how
/// mail programs show an edit below the review it is of.
fn root(account: &str, uuid: &str, to: &Address, domain: &str) -> String {
    let id = digest(&[account, uuid, &super::address::key(to)]);
    format!("<review.{id}@{domain}>")
}

/// What parts are parted by; made of what they say, so that none of them can hold it.
fn boundary(mail: &Mail, html: &str) -> String {
    format!("part.{}", digest(&[&mail.text, html]))
}

fn digest(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

fn header(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}
