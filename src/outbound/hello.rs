//! The first bytes of TLS, to find out what a server speaks that does not answer as it should. Nothing is encrypted
//! with them.

use super::trusting_nobody;
use rustls::ClientConnection;
use rustls::pki_types::ServerName;
use std::sync::Arc;

/// What a client of today says first to `host`; `None` where that is no name.
pub fn first_words(host: &str) -> Option<Vec<u8>> {
    let name = ServerName::try_from(host.to_owned()).ok()?;
    let mut connection = ClientConnection::new(Arc::new(trusting_nobody().ok()?), name).ok()?;
    let mut bytes = Vec::new();
    connection.write_tls(&mut bytes).ok()?;
    Some(bytes)
}

/// What a client of TLS 1.0 says first (RFC 2246, 7.4.1.2), with ciphers of its time.
pub fn old_words(host: &str) -> Vec<u8> {
    const CIPHERS: &[u8] = &[
        0xc0, 0x14, 0xc0, 0x13, 0xc0, 0x0a, 0xc0, 0x09, 0x00, 0x39, 0x00, 0x33, 0x00, 0x35, 0x00, 0x2f, 0x00,
        0x0a, 0x00, 0x05, 0x00, 0xff,
    ];
    // Curves P-256, P-384 and P-521, and their points uncompressed.
    const CURVES: &[u8] = &[0x00, 0x0a, 0x00, 0x08, 0x00, 0x06, 0x00, 0x17, 0x00, 0x18, 0x00, 0x19];
    const POINTS: &[u8] = &[0x00, 0x0b, 0x00, 0x02, 0x01, 0x00];
    let mut extensions = Vec::new();
    if matches!(ServerName::try_from(host), Ok(ServerName::DnsName(_))) {
        let name = [&[0], counted(host.as_bytes()).as_slice()].concat();
        extensions.extend([&[0, 0], counted(&counted(&name)).as_slice()].concat());
    }
    extensions.extend([CURVES, POINTS].concat());
    let hello = [
        [3, 1].as_slice(),
        // Its random number protects nothing: the conversation ends with the answer.
        &[0x5a; 32],
        &[0],
        &counted(CIPHERS),
        &[1, 0],
        &counted(&extensions),
    ]
    .concat();
    let handshake = [&[1, 0], counted(&hello).as_slice()].concat();
    [&[22, 3, 1], counted(&handshake).as_slice()].concat()
}

/// `bytes` behind their number, in two bytes.
fn counted(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
    [length.to_be_bytes().as_slice(), bytes].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::PeerIncompatible;

    #[test]
    fn both_are_handshakes_of_their_version() {
        for host in ["mail.example", "192.0.2.1"] {
            let (new, old) = (first_words(host).unwrap_or_default(), old_words(host));
            for (bytes, version) in [(&new, [3, 3]), (&old, [3, 1])] {
                let length = usize::from(bytes[3]) << 8 | usize::from(bytes[4]);
                assert_eq!((bytes[0], bytes.len()), (22, 5 + length));
                assert_eq!((bytes[5], &bytes[9..11]), (1, version.as_slice()), "{host}");
            }
            // A parser of others reads it to its end, and finds that it is too old.
            let mut acceptor = rustls::server::Acceptor::default();
            assert!(acceptor.read_tls(&mut old.as_slice()).is_ok());
            let found = acceptor.accept().map(drop).map_err(|(error, _)| error);
            assert_eq!(found, Err(PeerIncompatible::SignatureAlgorithmsExtensionRequired.into()));
        }
        assert_eq!(first_words("not a name"), None);
    }
}
