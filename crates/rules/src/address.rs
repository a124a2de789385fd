//! Network addresses as rules look at them.

use std::net::IpAddr;

/// Whether only this host can reach an address.
pub(crate) fn is_loopback(address: &str) -> bool {
    match address.trim_matches(['[', ']']).parse::<IpAddr>() {
        Ok(ip) => ip.to_canonical().is_loopback(),
        Err(_) => false,
    }
}

/// Whether an address stands for every interface.
pub(crate) fn is_wildcard(address: &str) -> bool {
    match address.trim_matches(['[', ']']).parse::<IpAddr>() {
        Ok(ip) => ip.to_canonical().is_unspecified(),
        Err(_) => matches!(address, "" | "*"),
    }
}

/// Whether a registry, named by host or by CIDR, is on this host.
pub(crate) fn is_loopback_registry(name: &str) -> bool {
    if let Some((network, bits)) = name.split_once('/') {
        let whole = if network.contains(':') { 128 } else { 8 };
        return is_loopback(network) && bits.parse::<u8>().is_ok_and(|bits| bits >= whole);
    }
    let host = host_of(name);
    host == "localhost" || is_loopback(host)
}

/// The host of `host`, `host:port` or `[address]:port`.
pub(crate) fn host_of(name: &str) -> &str {
    if name.starts_with('[') {
        return name.find(']').map_or(name, |end| &name[..=end]);
    }
    match name.rsplit_once(':') {
        Some((host, _)) if !host.contains(':') => host,
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::{host_of, is_loopback, is_loopback_registry, is_wildcard};

    #[test]
    fn loopback_in_every_notation() {
        for address in ["127.0.0.1", "127.9.9.9", "::1", "[::1]", "::ffff:127.0.0.1"] {
            assert!(is_loopback(address), "{address}");
        }
        for address in ["10.0.0.1", "::", "", "127.evil.example"] {
            assert!(!is_loopback(address), "{address}");
        }
        assert!(is_wildcard("0.0.0.0") && is_wildcard("::") && is_wildcard("") && !is_wildcard("10.0.0.1"));
    }

    #[test]
    fn registries() {
        for name in ["127.0.0.0/8", "::1/128", "localhost", "localhost:5000", "127.0.0.1:5000", "[::1]:5000"]
        {
            assert!(is_loopback_registry(name), "{name}");
        }
        for name in ["10.0.0.0/8", "127.0.0.0/1", "registry.example:5000", "localhost.example", "::/0"] {
            assert!(!is_loopback_registry(name), "{name}");
        }
        assert_eq!(host_of("[::1]:5000"), "[::1]");
        assert_eq!(host_of("registry.example:5000"), "registry.example");
        assert_eq!(host_of("fe80::1"), "fe80::1");
    }
}
