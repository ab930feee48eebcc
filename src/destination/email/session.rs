//! One conversation with a mail server: open, log in, hand over one message for one recipient.
//!
//! lettre's own `send` does not tell how far it came, and whether a message may have arrived depends on that.

use super::settings::Server;
use super::wire::{self, Refusal};
use lettre::Address;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail, Rcpt, Rset};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use lettre::transport::smtp::response::Response;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU8, Ordering};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// How far a conversation has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Connecting.
    Connect,
    /// Until the server has said what it offers, encrypted where that is asked for.
    Greeting,
    /// Name and password.
    Login,
    /// Who sends.
    Sender,
    /// Who receives.
    Recipient,
    /// The wish to send a message.
    Data,
    /// The message itself: from here on it may have arrived.
    Content,
}

const STEPS: [Step; 7] =
    [Step::Connect, Step::Greeting, Step::Login, Step::Sender, Step::Recipient, Step::Data, Step::Content];

/// Remembers how far a conversation came, also where it was given up from outside.
#[derive(Debug, Default)]
pub struct Progress(AtomicU8);

impl Progress {
    /// Where it is.
    pub fn step(&self) -> Step {
        STEPS[usize::from(self.0.load(Ordering::Relaxed)).min(STEPS.len() - 1)]
    }

    fn at(&self, step: Step) {
        self.0.store(step as u8, Ordering::Relaxed);
    }
}

/// Why a conversation ended.
#[derive(Debug)]
pub enum Failure {
    /// There was no connection to speak on.
    Wire(Refusal),
    /// What was said.
    Smtp(lettre::transport::smtp::Error),
    /// The server takes no address beyond ASCII.
    NoUtf8,
}

impl Failure {
    /// The server's reply, where it gave one: its code and words.
    pub fn reply(&self) -> Option<(u16, String)> {
        match self {
            Self::Wire(Refusal::Reply(code, words)) => Some((*code, words.clone())),
            Self::Smtp(error) => {
                let code = error.status()?.into();
                Some((code, std::error::Error::source(error).map(ToString::to_string).unwrap_or_default()))
            }
            _ => None,
        }
    }
}

/// Opens a connection and logs in.
pub async fn open(
    server: &Server,
    tls: Option<&TlsConnector>,
    progress: &Progress,
) -> Result<AsyncSmtpConnection, Failure> {
    progress.at(Step::Connect);
    let tcp = wire::connect(server).await.map_err(Failure::Wire)?;
    let hello = hello(&tcp);
    progress.at(Step::Greeting);
    let wire = wire::secure(tcp, server, tls, &hello.to_string()).await.map_err(Failure::Wire)?;
    let connection = AsyncSmtpConnection::connect_with_transport(Box::new(wire), &hello).await;
    let mut connection = connection.map_err(Failure::Smtp)?;
    if let Some(login) = &server.login {
        progress.at(Step::Login);
        let credentials = Credentials::new(login.username.clone(), login.password.expose().to_owned());
        let mechanisms = [Mechanism::Plain, Mechanism::Login];
        connection.auth(&mechanisms, &credentials).await.map_err(Failure::Smtp)?;
    }
    Ok(connection)
}

/// How we name ourselves: by address, since the name of a container means nothing to anybody.
fn hello(tcp: &TcpStream) -> ClientId {
    match tcp.local_addr().map(|address| address.ip()) {
        Ok(IpAddr::V4(address)) => ClientId::Ipv4(address),
        Ok(IpAddr::V6(address)) => ClientId::Ipv6(address),
        Err(_) => ClientId::default(),
    }
}

/// Hands over `message`.
pub async fn hand_over(
    connection: &mut AsyncSmtpConnection,
    from: &Address,
    to: &Address,
    message: &str,
    progress: &Progress,
) -> Result<Response, Failure> {
    progress.at(Step::Sender);
    let mut parameters = Vec::new();
    if !to.to_string().is_ascii() {
        if !connection.server_info().supports_feature(Extension::SmtpUtfEight) {
            return Err(Failure::NoUtf8);
        }
        parameters.push(MailParameter::SmtpUtfEight);
    }
    if !message.is_ascii() && connection.server_info().supports_feature(Extension::EightBitMime) {
        parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
    }
    connection.command(Mail::new(Some(from.clone()), parameters)).await.map_err(Failure::Smtp)?;
    progress.at(Step::Recipient);
    connection.command(Rcpt::new(to.clone(), Vec::new())).await.map_err(Failure::Smtp)?;
    progress.at(Step::Data);
    connection.command(Data).await.map_err(Failure::Smtp)?;
    progress.at(Step::Content);
    connection.message(message.as_bytes()).await.map_err(Failure::Smtp)
}

/// Whether the connection is good for another message after `failure`: a refusal alone ends nothing.
pub async fn is_usable(connection: &mut AsyncSmtpConnection, failure: &Failure, step: Step) -> bool {
    match failure.reply() {
        None => matches!(failure, Failure::NoUtf8),
        Some((421, _)) => false,
        Some(_) if step == Step::Content => true,
        Some(_) => connection.command(Rset).await.is_ok(),
    }
}
