//! The client of a request: limits are shared between clients, so that one cannot use everything.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use axum::extract::Request;

/// The identity of a client.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Peer {
    /// The address; for IPv6 the first 64 bits, because a network assigns the rest freely.
    Address(IpAddr),
    /// The name of its key, which identifies better than an address: many clients may share a
    /// proxy.
    Key(Arc<str>),
}

impl Peer {
    pub(crate) fn at(address: IpAddr) -> Self {
        Self::Address(match address.to_canonical() {
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
            }
            address => address,
        })
    }

    /// The peer of a request, set from its connection and its key.
    pub(crate) fn of(request: &Request) -> Self {
        let said = request.extensions().get::<Self>().cloned();
        said.unwrap_or(Self::Address(Ipv6Addr::UNSPECIFIED.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_one_network_are_one_peer() {
        let peer = |address: &str| Peer::at(address.parse().unwrap());
        assert_ne!(peer("10.0.0.1"), peer("10.0.0.2"));
        assert_eq!(peer("::ffff:10.0.0.1"), peer("10.0.0.1"));
        assert_eq!(peer("2001:db8::1"), peer("2001:db8::ffff:0:0:1"));
        assert_ne!(peer("2001:db8::1"), peer("2001:db8:0:1::1"));
    }
}
