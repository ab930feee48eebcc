//! Why a connection failed, in words. Libraries wrap what happened in what they were doing, and TLS hides in
//! I/O errors; what helps is the innermost cause. What a library prints for programmers gets into no text.

use crate::domain::text::one_line;
use rustls::{AlertDescription as Alert, CertificateError, PeerIncompatible};
use std::error::Error;

/// Names of a certificate that are shown.
const MAX_NAMES: usize = 6;

/// Why no trusted connection is possible before somebody changes something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TlsCause {
    /// The certificate has expired, on this day.
    Expired(Option<String>),
    /// The certificate is not valid yet, but from this day on.
    NotYetValid(Option<String>),
    /// The certificate is for other hosts: these.
    WrongName(Option<Vec<String>>),
    /// Nobody that is trusted has issued the certificate.
    UnknownIssuer,
    /// The certificate was rejected for another reason.
    Rejected(&'static str),
    /// It speaks only versions before TLS 1.2.
    Outdated,
    /// It does not speak TLS.
    NotTls,
    /// The two sides know no way to encrypt in common.
    NothingInCommon,
    /// It wants to know who we are.
    ClientCertificate,
}

impl TlsCause {
    /// The cause of this error; `None` where the next attempt may pass.
    pub fn of(error: &rustls::Error) -> Option<Self> {
        use rustls::Error as Tls;
        match error {
            Tls::InvalidCertificate(why) => Some(Self::of_certificate(why)),
            Tls::NoCertificatesPresented => Some(Self::Rejected("it shows no certificate")),
            Tls::InvalidMessage(_) => Some(Self::NotTls),
            Tls::PeerIncompatible(
                PeerIncompatible::ServerDoesNotSupportTls12Or13
                | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
                | PeerIncompatible::Tls12NotOffered
                | PeerIncompatible::Tls12NotOfferedOrEnabled,
            )
            | Tls::AlertReceived(Alert::ProtocolVersion) => Some(Self::Outdated),
            Tls::PeerIncompatible(_)
            | Tls::AlertReceived(Alert::HandshakeFailure | Alert::InsufficientSecurity) => {
                Some(Self::NothingInCommon)
            }
            Tls::AlertReceived(Alert::UnrecognisedName) => Some(Self::WrongName(None)),
            Tls::AlertReceived(
                Alert::CertificateRequired
                | Alert::BadCertificate
                | Alert::AccessDenied
                | Alert::UnknownCA
                | Alert::NoCertificate,
            ) => Some(Self::ClientCertificate),
            _ => None,
        }
    }

    fn of_certificate(why: &CertificateError) -> Self {
        use CertificateError as Refused;
        match why {
            Refused::Expired => Self::Expired(None),
            Refused::ExpiredContext { not_after, .. } => Self::Expired(day(not_after.as_secs())),
            Refused::NotValidYet => Self::NotYetValid(None),
            Refused::NotValidYetContext { not_before, .. } => Self::NotYetValid(day(not_before.as_secs())),
            Refused::NotValidForName => Self::WrongName(None),
            Refused::NotValidForNameContext { presented, .. } => {
                Self::WrongName(Some(presented.iter().map(|name| plain_name(name)).collect()))
            }
            Refused::UnknownIssuer => Self::UnknownIssuer,
            Refused::BadEncoding => Self::Rejected("its certificate is malformed"),
            Refused::Revoked => Self::Rejected("its certificate was revoked"),
            Refused::BadSignature => Self::Rejected("the signature of its certificate is wrong"),
            Refused::UnhandledCriticalExtension => {
                Self::Rejected("its certificate demands something that is not supported")
            }
            Refused::UnsupportedSignatureAlgorithmContext { .. }
            | Refused::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
                Self::Rejected("its certificate is signed in a way that is not supported or not secure")
            }
            Refused::InvalidPurpose | Refused::InvalidPurposeContext { .. } => {
                Self::Rejected("its certificate is not meant for servers")
            }
            Refused::Other(inner) => Self::of_verifier(&format!("{inner:?}")),
            _ => Self::Rejected("its certificate was rejected"),
        }
    }

    /// What the verifier says only to programmers; looked through, not shown.
    fn of_verifier(said: &str) -> Self {
        let says = |what: &str| said.contains(what);
        Self::Rejected(match () {
            () if says("CaUsedAsEndEntity") => {
                "its certificate is that of an authority, as self-signed ones often are"
            }
            () if says("EkuError") || says("RequiredEku") => "its certificate is not meant for servers",
            () if says("UnsupportedCertVersion") => {
                "its certificate is of an outdated version (not X.509 v3)"
            }
            () if says("PathLenConstraint") || says("NameConstraint") => {
                "its certificate is not one that its authority may issue"
            }
            () => "its certificate was rejected",
        })
    }

    /// What is wrong.
    pub fn words(&self) -> String {
        match self {
            Self::Expired(None) => "its certificate has expired".into(),
            Self::Expired(Some(day)) => format!("its certificate has expired (on {day})"),
            Self::NotYetValid(None) => "its certificate is not valid yet".into(),
            Self::NotYetValid(Some(day)) => format!("its certificate is not valid yet (only from {day})"),
            Self::WrongName(None) => "its certificate is for another host name".into(),
            Self::WrongName(Some(names)) if names.is_empty() => {
                "its certificate is for another host name (it has no `subjectAltName`)".into()
            }
            Self::WrongName(Some(names)) => {
                let shown: Vec<String> =
                    names.iter().take(MAX_NAMES).map(|name| format!("`{name}`")).collect();
                let more = if names.len() > MAX_NAMES { ", …" } else { "" };
                format!("its certificate is for another host name (it is for {}{more})", shown.join(", "))
            }
            Self::UnknownIssuer => {
                "its certificate was issued by an authority that this machine does not trust".into()
            }
            Self::Rejected(what) => (*what).into(),
            Self::Outdated => "it speaks only TLS older than 1.2, which is not secure".into(),
            Self::NotTls => "it does not speak TLS (https)".into(),
            Self::NothingInCommon => "it knows no encryption that this version supports".into(),
            Self::ClientCertificate => "it requires a client certificate".into(),
        }
    }

    /// What to do: a sentence. `ca_file` is the setting that names what is trusted, `host` the setting with the name of
    /// the host.
    pub fn advice(&self, ca_file: &str, host: &str) -> String {
        match self {
            Self::Expired(_) => {
                "The people who run the server must renew it. If it is not expired, correct the clock \
                                 of this machine."
                    .into()
            }
            Self::NotYetValid(_) => {
                "Correct the clock of this machine, or have the certificate replaced.".into()
            }
            Self::WrongName(Some(names)) if names.is_empty() => format!(
                "Replace the certificate with one whose `subjectAltName` contains the name in `{host}`; a common name \
                 alone does not count."
            ),
            Self::WrongName(_) => {
                format!(
                    "Set `{host}` to a name that is in the certificate, or have the certificate replaced."
                )
            }
            Self::UnknownIssuer => format!(
                "If it is private or self-signed, set `{ca_file}` to a PEM file with the authority's certificate or \
                 the server's own."
            ),
            Self::Rejected(_) => format!(
                "Have the certificate replaced, or set `{ca_file}` to a PEM file with exactly this certificate."
            ),
            Self::Outdated => "The people who run the server must enable TLS 1.2 or 1.3.".into(),
            Self::NotTls => format!("Check `{host}` and the port."),
            Self::NothingInCommon => {
                "The people who run the server must enable the usual ciphers of TLS 1.2 or 1.3.".into()
            }
            Self::ClientCertificate => "Client certificates are not supported.".into(),
        }
    }
}

fn day(seconds: u64) -> Option<String> {
    let time = jiff::Timestamp::from_second(i64::try_from(seconds).ok()?).ok()?;
    Some(time.strftime("%-d %B %Y").to_string())
}

/// `DnsName("mail.example")` as the verifier writes it: the name in it, one safe line.
fn plain_name(name: &str) -> String {
    let inner = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')')).unwrap_or(name);
    one_line(inner.trim_matches('"'), 80)
}

/// The innermost cause of `error`, for the person who can do something about it: one safe line.
pub fn words(error: &(dyn Error + 'static)) -> String {
    let text = innermost(error);
    if is_lookup(error) { format!("its host name cannot be resolved ({text})") } else { text }
}

/// Why TLS failed.
fn tls_words(error: &rustls::Error) -> String {
    match (TlsCause::of(error), error) {
        (Some(cause), _) => cause.words(),
        (None, rustls::Error::AlertReceived(alert)) => {
            format!("it ended the encryption with the TLS alert {}", u8::from(*alert))
        }
        (None, rustls::Error::General(what)) => one_line(what, 200),
        (None, _) => "the encryption failed".into(),
    }
}

/// The failure of TLS below `error`. An I/O error answers with its content's source, not with its content: that
/// is fetched by `get_ref`.
pub fn tls_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    if let Some(found) = error.downcast_ref() {
        return Some(found);
    }
    match error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
        Some(inner) => tls_error(inner),
        None => tls_error(error.source()?),
    }
}

/// The innermost cause: the outer ones say only "error sending request".
pub fn innermost(error: &(dyn Error + 'static)) -> String {
    if let Some(error) = tls_error(error) {
        return tls_words(error);
    }
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    let text = match error.downcast_ref::<std::io::Error>().map(|error| (error.kind(), error.raw_os_error()))
    {
        // Libraries say "tls handshake eof" and "early eof".
        Some((std::io::ErrorKind::UnexpectedEof, None)) => "it closed the connection".into(),
        _ => error.to_string(),
    };
    one_line(text.split(" (os error").next().unwrap_or(&text), 200)
}

/// Whether it was looking up a name that failed, as the HTTP client says it.
fn is_lookup(error: &(dyn Error + 'static)) -> bool {
    error.to_string() == "dns error" || error.source().is_some_and(is_lookup)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::{InvalidMessage, OtherError, PeerMisbehaved};
    use std::io;
    use std::sync::Arc;
    use std::time::Duration;

    #[test]
    fn what_is_at_the_bottom_is_said_and_what_controls_a_terminal_is_not() {
        let inner = io::Error::other("nobody \u{1b}[31mhome\nalone (os error 104)");
        assert_eq!(words(&io::Error::other(inner)), "nobody [31mhome alone");
        let expired = rustls::Error::InvalidCertificate(CertificateError::Expired);
        assert_eq!(words(&io::Error::other(io::Error::other(expired))), "its certificate has expired");
        let plain = rustls::Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType);
        assert_eq!(words(&io::Error::other(plain)), "it does not speak TLS (https)");
    }

    #[test]
    fn every_failure_of_tls_has_words_without_debug_output() {
        // J6, J14
        let names = |names: &[&str]| CertificateError::NotValidForNameContext {
            expected: rustls::pki_types::ServerName::try_from("a.example").unwrap_or_else(|_| unreachable!()),
            presented: names.iter().map(|name| (*name).to_owned()).collect(),
        };
        let time = |secs| rustls::pki_types::UnixTime::since_unix_epoch(Duration::from_secs(secs));
        let other = CertificateError::Other(OtherError(Arc::new(io::Error::other("CaUsedAsEndEntity"))));
        let bad = rustls::Error::InvalidCertificate;
        for (error, expected) in [
            (
                bad(names(&["DnsName(\"b.example\")", "IpAddress(192.0.2.1)"])),
                "(it is for `b.example`, `192.0.2.1`)",
            ),
            (bad(names(&[])), "`subjectAltName`"),
            (
                bad(CertificateError::ExpiredContext { time: time(2), not_after: time(1_772_000_000) }),
                "has expired (on 25 February 2026)",
            ),
            (
                bad(CertificateError::NotValidYetContext { time: time(2), not_before: time(1_772_000_000) }),
                "only from 25 February 2026",
            ),
            (bad(other), "that of an authority"),
            (bad(CertificateError::ApplicationVerificationFailure), "was rejected"),
            (rustls::Error::AlertReceived(Alert::ProtocolVersion), "older than 1.2"),
            (
                rustls::Error::PeerIncompatible(PeerIncompatible::ServerDoesNotSupportTls12Or13),
                "older than 1.2",
            ),
            (rustls::Error::AlertReceived(Alert::HandshakeFailure), "no encryption that"),
            (rustls::Error::AlertReceived(Alert::InternalError), "the TLS alert 80"),
            (rustls::Error::PeerMisbehaved(PeerMisbehaved::TooManyEmptyFragments), "the encryption failed"),
            (rustls::Error::InvalidMessage(InvalidMessage::MessageTooLarge), "does not speak TLS"),
        ] {
            let said = words(&io::Error::other(error.clone()));
            assert!(said.contains(expected), "{said}");
            let advice = TlsCause::of(&error).map(|cause| cause.advice("smtp.ca_file", "smtp.host"));
            for text in [Some(said), advice].into_iter().flatten() {
                assert!(!text.contains(['(', '{']) || !text.contains("Context"), "{text}");
                assert!(!text.contains("Name(") && !text.contains("Other") && !text.contains("::"), "{text}");
            }
        }
        assert_eq!(TlsCause::of(&rustls::Error::AlertReceived(Alert::InternalError)), None, "it may pass");
        let gone = io::Error::new(io::ErrorKind::UnexpectedEof, "tls handshake eof");
        assert_eq!(words(&gone), "it closed the connection");
    }
}
