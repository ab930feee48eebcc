//! `[smtp]`: the server that all e-mail destinations send through.

use super::address::{self, Sender};
use super::dialogue::{PATIENCE, Patience};
use super::pool::Pool;
use crate::outbound::certificates;
use crate::settings::{Secret, Table};
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

/// What the configuration says of the server.
#[derive(Clone, Debug)]
pub enum Smtp {
    /// There is no `[smtp]`.
    Absent,
    /// It is wrong, and that has been recorded.
    Wrong,
    /// This.
    Set(Arc<Server>),
}

/// A mail server.
#[derive(Debug)]
pub struct Server {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// When the connection is encrypted.
    pub tls: Tls,
    /// Who logs in, where anybody does.
    pub login: Option<Login>,
    /// Who sends, unless the destination says so.
    pub from: Option<Sender>,
    /// Who is answered, unless the destination says so.
    pub reply_to: Option<Sender>,
    /// The name that the bridge gives itself; its address unless set.
    pub helo: Option<String>,
    /// A certificate authority, or the server's own certificate, to trust beside the system's.
    pub ca_file: Option<PathBuf>,
    /// How long it may take at each step.
    pub(super) patience: Patience,
    /// Its connections, shared by all destinations that trust no authority of their own.
    pub(super) pool: Arc<Pool>,
}

/// When a connection is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// After the command STARTTLS, always: without it nothing is sent.
    StartTls,
    /// From the first byte.
    Implicit,
    /// Never.
    None,
}

/// A name and its password.
#[derive(Clone, Debug)]
pub struct Login {
    /// The name.
    pub username: String,
    /// The password.
    pub password: Secret,
}

impl Smtp {
    /// Reads `[smtp]` of the root table. What is wrong is recorded with its table.
    pub fn read(root: &Table<'_>) -> Self {
        let Some(table) = root.table("smtp") else {
            return if root.has("smtp") { Self::Wrong } else { Self::Absent };
        };
        let server = Server::read(&table);
        table.finish();
        server.map_or(Self::Wrong, |server| Self::Set(Arc::new(server)))
    }
}

impl Server {
    fn read(table: &Table<'_>) -> Option<Self> {
        let tls = match table.one_of("tls", &["starttls", "implicit", "none"]) {
            Some("implicit") => Tls::Implicit,
            Some("none") => Tls::None,
            _ => Tls::StartTls,
        };
        let port = table.integer("port", 1..=65_535).and_then(|port| u16::try_from(port).ok());
        let host = read_host(table);
        let login = read_login(table);
        let local = host.as_deref().is_some_and(is_loopback);
        let open = tls == Tls::None && matches!(login, Ok(Some(_))) && host.is_some() && !local;
        if open {
            let hint = "write tls = \"starttls\" (port 587) or tls = \"implicit\" (port 465), or remove the password";
            table.problem("tls", "would send the password unencrypted", hint);
        }
        let ca_file = table.file("ca_file");
        if let Some(Err(what)) = ca_file.as_deref().map(certificates) {
            table.problem(
                "ca_file",
                what,
                "set it to a PEM file with the authority's certificate, or the server's own",
            );
        }
        let from = address::read(table, "from");
        let reply_to = address::read(table, "reply_to");
        let helo = table.has("helo").then(|| read_helo(table));
        let login = login.ok().filter(|_| !open)?;
        let (pool, port) = (Arc::default(), port.unwrap_or(tls.usual_port()));
        let helo = helo.map_or(Some(None), |helo| helo.map(Some))?;
        Some(Self { host: host?, port, tls, login, from, reply_to, helo, ca_file, patience: PATIENCE, pool })
    }

    /// Host and port.
    pub fn address(&self) -> String {
        match self.host.contains(':') {
            true => format!("[{}]:{}", self.host, self.port),
            false => format!("{}:{}", self.host, self.port),
        }
    }

    /// What tells it and its login from others, without secrets.
    pub fn key(&self) -> String {
        let login = self.login.as_ref().map(|login| format!("{}@", login.username)).unwrap_or_default();
        format!("smtp:{login}{}", self.address())
    }
}

impl Tls {
    /// The port where such connections are usual.
    pub fn usual_port(self) -> u16 {
        match self {
            Self::StartTls => 587,
            Self::Implicit => 465,
            Self::None => 25,
        }
    }
}

fn read_host(table: &Table<'_>) -> Option<String> {
    let hint = "write the name of your mail server: host = \"mail.example\"";
    let text = table.required_text("host", hint)?;
    let host = text.trim().trim_start_matches('[').trim_end_matches(']');
    let good = host.parse::<IpAddr>().is_ok() || matches!(url::Host::parse(host), Ok(url::Host::Domain(_)));
    if !good {
        table.problem("host", "is not a valid server name", hint);
    }
    good.then(|| host.to_owned())
}

/// The name for `EHLO`: a host name, or an address in brackets (RFC 5321, 4.1.3).
fn read_helo(table: &Table<'_>) -> Option<String> {
    let text = table.text("helo")?;
    let literal = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let helo = match literal {
        Some(address) => address::literal(address),
        None => match url::Host::parse(&text) {
            Ok(url::Host::Domain(name)) if !name.contains('_') => Some(name),
            _ => None,
        },
    };
    if helo.is_none() {
        let hint = "write the full host name of this machine: helo = \"bridge.shop.example\", or an address: helo = \
                    \"[192.0.2.1]\"";
        table.problem("helo", "is not a host name or an address in brackets", hint);
    }
    helo
}

/// The login; the error has been recorded.
fn read_login(table: &Table<'_>) -> Result<Option<Login>, ()> {
    let has_password = table.has("password") || table.has("password_file");
    let (username, password) = (table.text("username"), table.secret("password"));
    match (table.has("username"), has_password) {
        (false, false) => return Ok(None),
        (true, false) => {
            table.problem("password", "is missing", "write password or password_file, or remove username")
        }
        (false, true) => {
            table.problem("username", "is missing", "write username = \"…\", or remove the password")
        }
        (true, true) => {}
    }
    let username = username.ok_or(())?;
    if username.trim().is_empty() || username.chars().any(char::is_control) {
        table.problem("username", "is not a valid name", "write username = \"…\"");
        return Err(());
    }
    Ok(Some(Login { username, password: password.ok_or(())? }))
}

/// Whether `host` is this machine.
pub fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}
