//! Who asks: limits are shared out by it, so that one client cannot use all that there is.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use axum::extract::Request;

/// A client, as far as it can be told from others.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Peer {
    /// Its address. Of IPv6 the first 64 bits: a network hands out the others as it likes.
    Address(IpAddr),
    /// The name of its key, which says more than an address: many may come through one proxy.
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

    /// The peer of a request: its connection and its key have said so.
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
