//! Who is trusted: the system's authorities, those that are named, and servers whose own certificate is named.
//!
//! A certificate made with `openssl req -x509` is an authority and a server in one, which the rules of the web forbid. Named
//! in `ca_file`, byte for byte, it is meant; its name and dates are checked all the same.

use super::Extra;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_name;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};
use std::sync::Arc;
use std::time::Duration;

/// Checks the certificates of servers.
#[derive(Debug)]
pub(super) struct Verifier {
    named: Extra,
    others: rustls_platform_verifier::Verifier,
}

impl Verifier {
    /// One that trusts the system's authorities and `named`.
    ///
    /// # Errors
    /// No authority is trusted at all, or one of `named` is not a certificate.
    pub(super) fn new(named: &Extra, provider: Arc<CryptoProvider>) -> Result<Self, Error> {
        let roots = named.iter().map(|certificate| CertificateDer::from(certificate.clone()));
        let others = rustls_platform_verifier::Verifier::new_with_extra_roots(roots, provider)?;
        Ok(Self { named: named.clone(), others })
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if !self.named.contains(end_entity.as_ref()) {
            return self.others.verify_server_cert(
                end_entity,
                intermediates,
                server_name,
                ocsp_response,
                now,
            );
        }
        let (not_before, not_after) =
            validity(end_entity).ok_or(Error::InvalidCertificate(CertificateError::BadEncoding))?;
        if now < not_before {
            return Err(CertificateError::NotValidYetContext { time: now, not_before }.into());
        }
        if now > not_after {
            return Err(CertificateError::ExpiredContext { time: now, not_after }.into());
        }
        verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.others.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.others.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.others.supported_verify_schemes()
    }
}

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// From when to when a certificate is valid (RFC 5280, 4.1).
fn validity(certificate: &[u8]) -> Option<(UnixTime, UnixTime)> {
    let (_, certificate, _) = element(certificate).filter(|(tag, ..)| *tag == SEQUENCE)?;
    let (_, mut rest, _) = element(certificate).filter(|(tag, ..)| *tag == SEQUENCE)?;
    if rest.first() == Some(&VERSION) {
        rest = element(rest)?.2;
    }
    // The serial number, the algorithm and the issuer come before it.
    for tag in [INTEGER, SEQUENCE, SEQUENCE] {
        rest = element(rest).filter(|(found, ..)| *found == tag)?.2;
    }
    let (_, dates, _) = element(rest).filter(|(tag, ..)| *tag == SEQUENCE)?;
    let (tag, from, dates) = element(dates)?;
    let (until_tag, until, _) = element(dates)?;
    Some((time(tag, from)?, time(until_tag, until)?))
}

/// The tag and the content of the first element of DER, and what follows it.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = der.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match *first {
        short @ 0..=0x7f => (usize::from(short), rest),
        long => {
            let (bytes, rest) =
                rest.split_at_checked(usize::from(long & 0x7f)).filter(|(b, _)| b.len() <= 4)?;
            (bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
        }
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((*tag, content, rest))
}

/// `260314200500Z` or `20260314200500Z`.
fn time(tag: u8, text: &[u8]) -> Option<UnixTime> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let whole = match tag {
        // RFC 5280: years from 50 on are those of the last century.
        UTC_TIME if text.len() == 12 => format!("{}{text}", if text >= "50" { "19" } else { "20" }),
        GENERALIZED_TIME if text.len() == 14 => text.to_owned(),
        _ => return None,
    };
    let time = jiff::civil::DateTime::strptime("%Y%m%d%H%M%S", &whole).ok()?;
    let seconds = time.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_second();
    // What was valid before 1970 was valid from then on.
    Some(UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(seconds).unwrap_or(0))))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn at(year: i16, month: i8) -> UnixTime {
        let day = jiff::civil::date(year, month, 1).to_zoned(jiff::tz::TimeZone::UTC).unwrap();
        UnixTime::since_unix_epoch(Duration::from_secs(day.timestamp().as_second().try_into().unwrap()))
    }

    /// A certificate for `localhost`, valid in 2026: of an authority and a server in one, as `openssl req -x509` makes it.
    fn certificate() -> CertificateDer<'static> {
        let mut params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params.not_before = rcgen::date_time_ymd(2026, 1, 1);
        params.not_after = rcgen::date_time_ymd(2026, 12, 1);
        let key = rcgen::KeyPair::generate().unwrap();
        params.self_signed(&key).unwrap().der().clone()
    }

    fn verify(
        named: &[&CertificateDer<'_>],
        shown: &CertificateDer<'_>,
        name: &str,
        now: UnixTime,
    ) -> Result<(), Error> {
        let named = named.iter().map(|certificate| certificate.to_vec()).collect();
        let verifier = Verifier::new(&named, super::super::provider()).unwrap();
        let name = ServerName::try_from(name).unwrap();
        verifier.verify_server_cert(shown, &[], &name, &[], now).map(drop)
    }

    #[test]
    fn a_server_whose_own_certificate_is_named_is_trusted_and_its_name_and_dates_are_checked() {
        // J6
        let (own, other) = (certificate(), certificate());
        assert_eq!(verify(&[&own], &own, "localhost", at(2026, 6)), Ok(()));
        let refused = |result: Result<(), Error>| match result {
            Err(Error::InvalidCertificate(why)) => why,
            other => panic!("{other:?}"),
        };
        let wrong = refused(verify(&[&own], &own, "mail.example", at(2026, 6)));
        assert!(matches!(wrong, CertificateError::NotValidForNameContext { .. }), "{wrong:?}");
        let early = refused(verify(&[&own], &own, "localhost", at(2025, 12)));
        assert!(matches!(early, CertificateError::NotValidYetContext { .. }), "{early:?}");
        let late = refused(verify(&[&own], &own, "localhost", at(2027, 1)));
        assert!(matches!(late, CertificateError::ExpiredContext { .. }), "{late:?}");
        // Another certificate of the same name is another server.
        refused(verify(&[&own], &other, "localhost", at(2026, 6)));
        refused(verify(&[&own], &other, "mail.example", at(2026, 6)));
    }

    #[test]
    fn dates_are_read_and_what_is_no_certificate_has_none() {
        assert_eq!(validity(&certificate()), Some((at(2026, 1), at(2026, 12))));
        let seconds = |tag, text: &[u8]| time(tag, text).map(|time| time.as_secs());
        assert_eq!(seconds(GENERALIZED_TIME, b"20500101000000Z"), Some(2_524_608_000));
        assert_eq!(seconds(UTC_TIME, b"500101000000Z"), Some(0));
        assert_eq!(seconds(UTC_TIME, b"260314200500Z"), Some(1_773_518_700));
        for bad in [b"2603142005Z" as &[u8], b"260314200500", b"269914200500Z", b"\xff"] {
            assert_eq!(seconds(UTC_TIME, bad), None);
        }
        let whole = certificate();
        for length in 0..120 {
            assert_eq!(validity(&whole[..length]), None, "{length}");
        }
        assert_eq!(element(&[SEQUENCE, 0x85, 1, 1, 1, 1, 1]), None);
    }
}
