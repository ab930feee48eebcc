//! A mail server on this machine that says what a test wants at each command, hangs up, or keeps silent.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// What the server does at a command.
#[derive(Clone, Copy)]
pub enum Do {
    /// Says this; `\r\n` is added.
    Say(&'static str),
    /// Says this once over all connections, and what is usual afterwards.
    SayOnce(&'static str),
    /// Says these bytes, and nothing else.
    Bytes(&'static [u8]),
    /// Says these bytes and closes the connection.
    LastBytes(&'static [u8]),
    /// Says this without end.
    Endless(&'static [u8]),
    /// Says what is usual, so late.
    Late(std::time::Duration),
    /// Closes the connection.
    HangUp,
    /// Says nothing until the other side goes away.
    KeepSilent,
}

/// What differs from the usual: by command, `""` for the greeting and `"."` for the end of a message.
pub type Script = &'static [(&'static str, Do)];

/// A server.
pub struct Fake {
    pub port: u16,
    seen: Arc<Seen>,
}

#[derive(Default)]
struct Seen {
    commands: Mutex<Vec<String>>,
    mails: Mutex<Vec<String>>,
    connections: AtomicUsize,
    open: AtomicUsize,
    most: AtomicUsize,
    once: AtomicUsize,
    endless: AtomicUsize,
}

impl Fake {
    pub fn start(script: Script) -> Self {
        Self::start_with(script, Some)
    }

    /// A server whose connections `accept` makes of TCP.
    pub fn start_with<S: Read + Write>(
        script: Script,
        accept: impl Fn(TcpStream) -> Option<S> + Clone + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Seen::default());
        let shared = seen.clone();
        std::thread::spawn(move || {
            for tcp in listener.incoming().map_while(Result::ok) {
                let (seen, accept) = (shared.clone(), accept.clone());
                std::thread::spawn(move || {
                    seen.connections.fetch_add(1, Ordering::SeqCst);
                    let open = seen.open.fetch_add(1, Ordering::SeqCst) + 1;
                    seen.most.fetch_max(open, Ordering::SeqCst);
                    let _ = accept(tcp).and_then(|stream| serve(stream, script, &seen));
                    seen.open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Self { port, seen }
    }

    /// Every command so far.
    pub fn commands(&self) -> Vec<String> {
        self.seen.commands.lock().unwrap().clone()
    }

    /// Every message so far.
    pub fn mails(&self) -> Vec<String> {
        self.seen.mails.lock().unwrap().clone()
    }

    /// How many connections there were.
    pub fn connections(&self) -> usize {
        self.seen.connections.load(Ordering::SeqCst)
    }

    /// How many bytes of endless replies went out.
    pub fn endless_bytes(&self) -> usize {
        self.seen.endless.load(Ordering::SeqCst)
    }

    /// How many of them at a time.
    pub fn most_at_a_time(&self) -> usize {
        self.seen.most.load(Ordering::SeqCst)
    }
}

fn usual(command: &str) -> &'static str {
    match command {
        "" => "220 fake ESMTP",
        "EHLO" => "250-fake\r\n250-AUTH PLAIN LOGIN\r\n250-8BITMIME\r\n250 SIZE 1000000",
        "AUTH" => "235 2.7.0 welcome",
        "DATA" => "354 go on",
        "." => "250 2.0.0 queued as 42",
        "QUIT" => "221 bye",
        _ => "250 2.0.0 fine",
    }
}

/// `None` where the connection ended.
fn serve<S: Read + Write>(stream: S, script: Script, seen: &Seen) -> Option<()> {
    let mut stream = BufReader::new(stream);
    answer(&mut stream, "", script, seen)?;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let command = line.split([' ', '\r']).next().unwrap_or_default().to_uppercase();
        seen.commands.lock().unwrap().push(line.trim_end().to_owned());
        answer(&mut stream, &command, script, seen)?;
        if command == "QUIT" {
            return None;
        }
        if command == "DATA" && says_yes(script) {
            let mut mail = String::new();
            while !mail.ends_with("\r\n.\r\n") {
                if stream.read_line(&mut mail).ok()? == 0 {
                    return None;
                }
            }
            seen.mails.lock().unwrap().push(mail);
            answer(&mut stream, ".", script, seen)?;
        }
    }
}

fn says_yes(script: Script) -> bool {
    script.iter().all(|(command, what)| *command != "DATA" || matches!(what, Do::Late(_)))
}

fn answer<S: Read + Write>(
    stream: &mut BufReader<S>,
    command: &str,
    script: Script,
    seen: &Seen,
) -> Option<()> {
    let mut text = usual(command);
    match script.iter().find(|(known, _)| *known == command) {
        None => {}
        Some((_, Do::Say(other))) => text = other,
        Some((_, Do::SayOnce(other))) if seen.once.fetch_add(1, Ordering::SeqCst) == 0 => text = other,
        Some((_, Do::SayOnce(_))) => {}
        Some((_, Do::Bytes(bytes))) => return stream.get_mut().write_all(bytes).ok(),
        Some((_, Do::LastBytes(bytes))) => {
            stream.get_mut().write_all(bytes).ok()?;
            return None;
        }
        Some((_, Do::Endless(bytes))) => loop {
            stream.get_mut().write_all(bytes).ok()?;
            seen.endless.fetch_add(bytes.len(), Ordering::SeqCst);
        },
        Some((_, Do::Late(by))) => std::thread::sleep(*by),
        Some((_, Do::HangUp)) => return None,
        Some((_, Do::KeepSilent)) => {
            let _ = stream.read_to_end(&mut Vec::new());
            return None;
        }
    }
    stream.get_mut().write_all(format!("{text}\r\n").as_bytes()).ok()?;
    // A closing reply closes.
    (!text.starts_with("421")).then_some(())
}
