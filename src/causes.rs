//! Why a connection failed, in words. Libraries wrap what happened in what they were doing, and TLS hides in
//! I/O errors; what helps is the innermost cause.

use crate::domain::text::one_line;
use rustls::CertificateError;
use std::error::Error;

/// The innermost cause of `error`, for the person who can do something about it: one safe line.
pub fn words(error: &(dyn Error + 'static)) -> String {
    match tls_error(error) {
        Some(rustls::Error::InvalidCertificate(why)) => certificate(why),
        Some(rustls::Error::InvalidMessage(_)) => "it does not speak TLS (https)".into(),
        _ => {
            let text = innermost(error);
            if is_lookup(error) { format!("its host name cannot be resolved ({text})") } else { text }
        }
    }
}

/// Why a server's certificate was rejected.
pub fn certificate(why: &CertificateError) -> String {
    use CertificateError as Refused;
    match why {
        Refused::Expired | Refused::ExpiredContext { .. } => "its certificate has expired".into(),
        Refused::NotValidYet | Refused::NotValidYetContext { .. } => {
            "its certificate is not valid yet".into()
        }
        Refused::NotValidForName | Refused::NotValidForNameContext { .. } => {
            "its certificate is for another host name".into()
        }
        Refused::UnknownIssuer => {
            "its certificate was issued by an authority that this machine does not trust".into()
        }
        other => format!("its certificate was rejected ({})", one_line(&other.to_string(), 200)),
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
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    let text = error.to_string();
    one_line(text.split(" (os error").next().unwrap_or(&text), 200)
}

/// Whether it was looking up a name that failed, as the HTTP client says it.
fn is_lookup(error: &(dyn Error + 'static)) -> bool {
    error.to_string() == "dns error" || error.source().is_some_and(is_lookup)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    #[test]
    fn what_is_at_the_bottom_is_said_and_what_controls_a_terminal_is_not() {
        let inner = io::Error::other("nobody \u{1b}[31mhome\nalone (os error 104)");
        assert_eq!(words(&io::Error::other(inner)), "nobody [31mhome alone");
        let expired = rustls::Error::InvalidCertificate(CertificateError::Expired);
        assert_eq!(words(&io::Error::other(io::Error::other(expired))), "its certificate has expired");
        let plain = rustls::Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType);
        assert_eq!(words(&io::Error::other(plain)), "it does not speak TLS (https)");
    }
}
