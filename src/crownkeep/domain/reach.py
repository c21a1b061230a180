"""Which addresses outside the house may be reached: not our own machine, not our network, nor a cloud's metadata service.

Addresses come from tenants, so what leads inside is refused unless the operator has named that network (server-side request
forgery). A name is resolved once, and the address that was checked is the one that is connected to.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
"""How IPv6-only networks reach IPv4 (RFC 6052)."""
_INTERNET_6 = ipaddress.ip_network("2000::/3")
"""All that is given out of IPv6. Not in it: site-local, IPv4-compatible, IPv4-translated and local NAT64 addresses."""
# What lies within the public ranges and is not the public internet; Python knows some of it, depending on its version (IANA's
# special-purpose registries): protocol assignments and Teredo, 6to4 and its relays, documentation.
_NEVER = tuple(
    map(ipaddress.ip_network, ("192.0.0.0/24", "192.88.99.0/24", "2001::/23", "2002::/16", "2001:db8::/32", "3fff::/20"))
)


class MayNotReach(Exception):
    """A server is at an address that may not be reached."""


def resolve(host: str, port: int, networks: Sequence[str]) -> str:
    """Return the address to connect to; raises MayNotReach where any of the name's addresses may not be reached, and OSError."""
    found = [str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    if not all(may_reach(address, networks) for address in found):
        raise MayNotReach(f"`{host}` is at an address that may not be reached")
    return found[0]


def may_reach(text: str, networks: Sequence[str]) -> bool:
    """Tell whether an address is on the public internet, or in one of the networks that the operator lets us reach."""
    written = ipaddress.ip_address(text.partition("%")[0])
    meant = _meant(written)
    if is_named(text, networks):
        return True
    if (
        not meant.is_global
        or meant.is_multicast
        or any(meant in network for network in _NEVER if network.version == meant.version)
    ):
        return False
    return meant.version == 4 or meant in _INTERNET_6


def is_named(text: str, networks: Sequence[str]) -> bool:
    """Tell whether an address is in one of the networks that the operator has named."""
    written = ipaddress.ip_address(text.partition("%")[0])
    allowed = [ipaddress.ip_network(each) for each in networks]
    return any(each in network for each in (written, _meant(written)) for network in allowed if network.version == each.version)


def _meant(address: Address) -> Address:
    """Return where packets for an address go: those for some IPv6 addresses go to the IPv4 address that stands in them."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(address.packed[-4:])
    return address.ipv4_mapped or address
