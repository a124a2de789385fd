//! When a certificate was issued: `validity.notBefore` of X.509 (RFC 5280, section 4.1).

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

/// DER tags (X.690): SEQUENCE, the explicit `[0]` of the version, UTCTime and GeneralizedTime.
const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// When the first certificate in `pem` begins to be valid, in seconds since the Unix epoch.
pub(super) fn issued_at(pem: &str) -> Option<i64> {
    not_before(&CertificateDer::from_pem_slice(pem.as_bytes()).ok()?)
}

/// When a certificate in DER begins to be valid.
pub(super) fn not_before(certificate: &[u8]) -> Option<i64> {
    let mut fields = Der(Der(Der(certificate).expect(SEQUENCE)?).expect(SEQUENCE)?);
    // version (optional), serialNumber, signature, issuer, validity.
    if fields.0.first() == Some(&VERSION) {
        fields.next()?;
    }
    for _ in 0..3 {
        fields.next()?;
    }
    let (tag, time) = Der(fields.expect(SEQUENCE)?).next()?;
    seconds(tag, std::str::from_utf8(time).ok()?)
}

/// What is left of a series of DER values.
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    /// The content of the next value, which must have this tag.
    fn expect(&mut self, tag: u8) -> Option<&'a [u8]> {
        self.next().filter(|(found, _)| *found == tag).map(|(_, content)| content)
    }

    /// Tag and content of the next value.
    fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let (&[tag, first], mut rest) = self.0.split_first_chunk::<2>()?;
        let length = if first < 0x80 {
            usize::from(first)
        } else {
            let (digits, tail) = rest.split_at_checked(usize::from(first & 0x7f))?;
            rest = tail;
            if digits.is_empty() || digits.len() > 4 {
                return None;
            }
            digits.iter().fold(0, |length, digit| (length << 8) | usize::from(*digit))
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((tag, content))
    }
}

/// `YYMMDDhhmmssZ` (up to 2049) or `YYYYMMDDhhmmssZ`.
fn seconds(tag: u8, text: &str) -> Option<i64> {
    let digits = text.strip_suffix('Z').filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()))?;
    let (year, rest) = match tag {
        UTC_TIME => (2000 + digits.get(..2)?.parse::<i16>().ok()?, digits.get(2..)?),
        GENERALIZED_TIME => (digits.get(..4)?.parse().ok()?, digits.get(4..)?),
        _ => return None,
    };
    let year = if tag == UTC_TIME && year >= 2050 { year - 100 } else { year };
    let part = |at: usize| rest.get(at..at + 2)?.parse::<i8>().ok();
    let time = jiff::civil::DateTime::new(year, part(0)?, part(2)?, part(4)?, part(6)?, part(8)?, 0).ok()?;
    Some(time.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A root of a real swarm (Docker 20.10.24).
    const SWARM_ROOT: &str = "-----BEGIN CERTIFICATE-----\n\
        MIIBajCCARCgAwIBAgIUVPFVG4QZ4XoK1MHwaEKP/yuJ5UkwCgYIKoZIzj0EAwIw\n\
        EzERMA8GA1UEAxMIc3dhcm0tY2EwHhcNMjYxMTI0MDYyMDAwWhcNNDYxMTE5MDYy\n\
        MDAwWjATMREwDwYDVQQDEwhzd2FybS1jYTBZMBMGByqGSM49AgEGCCqGSM49AwEH\n\
        A0IABG+9hQ0CDqNBs9/j5R5fLB2pYTKWen24z6LzC+oYHzj+VTFkPvCHuHYS1Hdo\n\
        gpwuoapltEfSPdlphFwpaToD7vujQjBAMA4GA1UdDwEB/wQEAwIBBjAPBgNVHRMB\n\
        Af8EBTADAQH/MB0GA1UdDgQWBBSP3dF9mMqxK+VmBwVLBZtPmAlKtDAKBggqhkjO\n\
        PQQDAgNIADBFAiEAw2roUVvwll/mJ0J/DgvEUBYRtXUvtT28lnufu6myHeUCID8b\n\
        jw7Fj9/0/I1/shu3j0kGa2NmVOfy/+P4piz3uXZ/\n\
        -----END CERTIFICATE-----\n";

    #[test]
    fn a_swarms_root_has_a_date() {
        assert_eq!(issued_at(SWARM_ROOT), Some(1_795_501_200));
        assert_eq!(issued_at(""), None);
        assert_eq!(issued_at("-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"), None);
    }

    #[test]
    fn damaged_certificates_have_none() {
        let der = CertificateDer::from_pem_slice(SWARM_ROOT.as_bytes()).unwrap();
        for end in 0..der.len() {
            let mut outer = Der(&der[..end]);
            assert!(outer.expect(SEQUENCE).is_none());
        }
        assert!(Der(&[0x30, 0x85, 1, 1, 1, 1, 1]).next().is_none());
        assert!(Der(&[0x30, 0x80]).next().is_none());
    }

    #[test]
    fn both_forms_of_time_are_read() {
        assert_eq!(seconds(UTC_TIME, "700101000000Z"), Some(0));
        assert_eq!(seconds(GENERALIZED_TIME, "20500101000000Z"), Some(2_524_608_000));
        assert_eq!(seconds(UTC_TIME, "7013010000Z"), None);
        assert_eq!(seconds(UTC_TIME, "-00101000000Z"), None);
    }
}
