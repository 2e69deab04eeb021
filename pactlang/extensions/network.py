"""CEL's network extension: addresses and networks, IPv4 and IPv6.

In: texts, `IP`, `CIDR`.  Out: the same, bools and ints; ValueError for a text that is neither.

The one idea: an address is a family and a number, so every question is arithmetic.  An IPv4 address
written as IPv6 in hexadecimal (`::ffff:c0a8:1`) is that IPv4 address; written with dots it is refused,
as are zones, leading zeros, and such an address in a network.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from pactlang.values import CIDR, IP, format_ip

BITS = {4: 32, 6: 128}
MAPPED = 0xFFFF  # what stands above the lowest 32 bits of an IPv4 address in IPv6
MAX_TEXT = 64  # characters; the longest address has 45
PREFIX = re.compile(r"0|[1-9][0-9]{0,2}")


# Texts ---------------------------------------------------------------------------------------


def _address(text: str) -> IP:
    """An address as it is written.  A zone would be lost, so it is no address."""
    from ipaddress import ip_address  # here, so that `import pactlang` stays cheap

    if len(text) > MAX_TEXT or "%" in text:
        raise ValueError(f"not an IP address: {text[:MAX_TEXT]!r}")
    found = ip_address(text)
    return IP(found.version, int(found))


def _is_mapped(ip: IP) -> bool:
    return ip.family == 6 and ip.number >> 32 == MAPPED


def to_ip(text: str) -> IP:
    """ip(string)."""
    found = _address(text)
    if not _is_mapped(found):
        return found
    if "." in text:
        raise ValueError(f"an IPv4 address within an IPv6 address: {text!r}")
    return IP(4, found.number & 0xFFFF_FFFF)


def to_cidr(text: str) -> CIDR:
    """cidr(string): an address, of which host bits stay, and the length of the prefix."""
    address, _, prefix = text.rpartition("/")
    if not PREFIX.fullmatch(prefix):
        raise ValueError(f"not the length of a prefix: {prefix[:MAX_TEXT]!r}")
    found = _address(address)
    if _is_mapped(found):
        raise ValueError(f"an IPv4 address within an IPv6 address: {text!r}")
    if int(prefix) > BITS[found.family]:
        raise ValueError(f"a prefix of {prefix} bits: an address has {BITS[found.family]}")
    return CIDR(found, int(prefix))


def _reads(read: Callable[[str], object]) -> Callable[[str], bool]:
    def test(text: str) -> bool:
        try:
            read(text)
        except ValueError:
            return False
        return True

    return test


def is_canonical(text: str) -> bool:
    """True for an address in the one form that string() gives it."""
    return format_ip(to_ip(text)) == text


# Addresses -----------------------------------------------------------------------------------


def _in(ip: IP, family: int, number: int, prefix: int) -> bool:
    """True if the address lies in a network."""
    host = BITS[family] - prefix
    return ip.family == family and ip.number >> host == number >> host


def is_unspecified(ip: IP) -> bool:
    """0.0.0.0 and ::."""
    return ip.number == 0


def is_loopback(ip: IP) -> bool:
    """127.0.0.0/8 and ::1."""
    return _in(ip, 4, 127 << 24, 8) or _in(ip, 6, 1, 128)


def is_multicast(ip: IP) -> bool:
    """224.0.0.0/4 and ff00::/8."""
    return _in(ip, 4, 0xE << 28, 4) or _in(ip, 6, 0xFF << 120, 8)


def is_link_local_multicast(ip: IP) -> bool:
    """224.0.0.0/24 and ff02::/16, with any flags in place of the 0."""
    return _in(ip, 4, 0xE << 28, 24) or (ip.family == 6 and ip.number >> 112 & 0xFF0F == 0xFF02)


def is_link_local_unicast(ip: IP) -> bool:
    """169.254.0.0/16 and fe80::/10."""
    return _in(ip, 4, 0xA9FE << 16, 16) or _in(ip, 6, 0xFE80 << 112, 10)


def is_global_unicast(ip: IP) -> bool:
    """All that none of the others is, but the broadcast address; private addresses too."""
    apart = (is_unspecified, is_loopback, is_multicast, is_link_local_unicast)
    return ip != IP(4, 0xFFFF_FFFF) and not any(test(ip) for test in apart)


# Networks ------------------------------------------------------------------------------------


def contains_ip(cidr: CIDR, ip: IP) -> bool:
    """True if the address lies in the network."""
    return _in(ip, cidr.ip.family, cidr.ip.number, cidr.prefix)


def contains_cidr(cidr: CIDR, other: CIDR) -> bool:
    """True if all of the other network lies in this one."""
    return cidr.prefix <= other.prefix and contains_ip(cidr, other.ip)


def masked(cidr: CIDR) -> CIDR:
    """The network with its host bits zero."""
    host = BITS[cidr.ip.family] - cidr.prefix
    return CIDR(IP(cidr.ip.family, cidr.ip.number >> host << host), cidr.prefix)


def _itself(value: Any) -> Any:
    return value


COMPUTE: dict[str, Callable[..., Any]] = {
    "ip_from_string": to_ip,
    "ip_from_ip": _itself,
    "ip_of_cidr": lambda cidr: cidr.ip,
    "is_ip": _reads(to_ip),
    "is_canonical": is_canonical,
    "family": lambda ip: ip.family,
    "isUnspecified": is_unspecified,
    "isLoopback": is_loopback,
    "isGlobalUnicast": is_global_unicast,
    "isLinkLocalMulticast": is_link_local_multicast,
    "isLinkLocalUnicast": is_link_local_unicast,
    "cidr_from_string": to_cidr,
    "cidr_from_cidr": _itself,
    "is_cidr": _reads(to_cidr),
    "contains_ip": contains_ip,
    "contains_ip_string": lambda cidr, text: contains_ip(cidr, to_ip(text)),
    "contains_cidr": contains_cidr,
    "contains_cidr_string": lambda cidr, text: contains_cidr(cidr, to_cidr(text)),
    "masked": masked,
    "prefix_length": lambda cidr: cidr.prefix,
    "string_from_ip": str,
    "string_from_cidr": str,
}
