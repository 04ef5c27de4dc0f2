"""The grammars of Kubernetes' texts: each function says what is wrong with a text, or None.

Source: k8s.io/apimachinery, pkg/util/validation/validation.go and pkg/api/resource/quantity.go; others are named.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache

Grammar = Callable[[str], str | None]

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_LABEL_1035 = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_NAME_PART = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
_PERCENT = re.compile(r"[0-9]+%")
_CONFIG_KEY = re.compile(r"[-._a-zA-Z0-9]+")
_HEADER = re.compile(r"[-A-Za-z0-9]+")
_QUANTITY = re.compile(r"([+-]?)([0-9]+(?:\.[0-9]*)?|\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+|)")
_SUFFIXES = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_PORT_CHARACTERS = re.compile(r"[-a-z0-9]+")
# An IPv4 octet with a leading zero is read as octal by some, so it is refused for new objects (ParseCIDRSloppy).
_MAPPED = re.compile(r"::ffff:", re.IGNORECASE)

# Objects share most of their texts, such as the keys of labels.
_kept = lru_cache(maxsize=4096)


def shown(text: object) -> str:
    """A text as messages quote it: short, and on one line."""
    return "`" + str(text)[:40].replace("\n", "\\n") + "`"


@_kept
def label(text: str) -> str | None:
    """RFC 1123 label: IsDNS1123Label."""
    return _bounded(text, 63) or (None if _LABEL.fullmatch(text) else f"{shown(text)} is not a lowercase DNS label")


def label_1035(text: str) -> str | None:
    """RFC 1035 label, which begins with a letter: IsDNS1035Label."""
    message = f"{shown(text)} is not a lowercase DNS label that begins with a letter"
    return _bounded(text, 63) or (None if _LABEL_1035.fullmatch(text) else message)


@_kept
def subdomain(text: str) -> str | None:
    """RFC 1123 subdomain: IsDNS1123Subdomain."""
    return _bounded(text, 253) or (
        None if _SUBDOMAIN.fullmatch(text) else f"{shown(text)} is not a lowercase DNS subdomain"
    )


def path_segment(text: str) -> str | None:
    """What RBAC names may be: IsValidPathSegmentName of pkg/api/validation/path."""
    is_bad = text in (".", "..") or "/" in text or "%" in text
    return f"{shown(text)} may not be `.` or `..` nor have `/` or `%`" if is_bad else None


@_kept
def label_value(text: str) -> str | None:
    """IsValidLabelValue."""
    is_good = not text or _NAME_PART.fullmatch(text)
    return _bounded(text, 63) or (None if is_good else f"{shown(text)} is not a label's value")


@_kept
def qualified_name(text: str) -> str | None:
    """The key of a label: IsQualifiedName."""
    prefix, slash, name = text.rpartition("/")
    if slash and subdomain(prefix) is not None:
        return f"{shown(text)} has a prefix that is not a DNS subdomain"
    return _bounded(name, 63) or (None if _NAME_PART.fullmatch(name) else f"{shown(text)} is not a qualified name")


def annotation_key(text: str) -> str | None:
    """As a label's key, in any case: ValidateAnnotations."""
    return qualified_name(text.lower())


def env_name(text: str) -> str | None:
    """Printable ASCII without `=`, since 1.32: IsRelaxedEnvVarName."""
    is_good = text and all(" " <= character <= "~" and character != "=" for character in text)
    return None if is_good else f"{shown(text)} is not the name of an environment variable"


def config_key(text: str) -> str | None:
    """IsConfigMapKey."""
    is_good = _CONFIG_KEY.fullmatch(text) and not (text == "." or text.startswith(".."))
    return _bounded(text, 253) or (None if is_good else f"{shown(text)} is not the key of a ConfigMap or Secret")


def header_name(text: str) -> str | None:
    """IsHTTPHeaderName."""
    return None if _HEADER.fullmatch(text) else f"{shown(text)} is not the name of an HTTP header"


def port_name(text: str) -> str | None:
    """IsValidPortName: an IANA service name."""
    is_good = (
        0 < len(text) <= 15
        and _PORT_CHARACTERS.fullmatch(text)
        and re.search("[a-z]", text)
        and "--" not in text
        and text.strip("-") == text
    )
    return None if is_good else f"{shown(text)} is not the name of a port"


def port_number(value: int) -> str | None:
    """IsValidPortNum."""
    return None if 1 <= value <= 65535 else f"{shown(value)} is not a port from 1 to 65535"


def port(value: int | str) -> str | None:
    """A number or a name."""
    return port_name(value) if isinstance(value, str) else port_number(value)


def percent(text: str) -> str | None:
    """IsValidPercent."""
    return None if _PERCENT.fullmatch(text) else f"{shown(text)} is neither a number nor a percentage"


@_kept
def cidr(text: str) -> str | None:
    """IsValidCIDR: an address with the length of its prefix."""
    is_good = "/" in text and _network(text) is not None and not _MAPPED.match(text)
    return None if is_good else f"{shown(text)} is not a CIDR such as 10.0.0.0/8"


def is_address(text: str) -> bool:
    """IsValidIP: an IPv4 or IPv6 address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def is_within(inner: str, outer: str) -> bool:
    """Whether the one CIDR is a smaller part of the other; True where one of them is none."""
    small, large = _network(inner), _network(outer)
    if small is None or large is None:
        return True
    return (
        small.version == large.version
        and small.prefixlen > large.prefixlen
        and int(small.network_address) >> (large.max_prefixlen - large.prefixlen)
        == int(large.network_address) >> (large.max_prefixlen - large.prefixlen)
    )


@_kept
def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    length = text.rpartition("/")[2]
    if not length.isdecimal() or (len(length) > 1 and length[0] == "0"):
        return None
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


@_kept
def quantity(value: int | float | str) -> Decimal | None:
    """The amount of a quantity; None for what is none: ParseQuantity."""
    # Spaces around it are taken off before its text is unquoted, so a line's end is not.
    found = _QUANTITY.fullmatch(str(value).strip(" "))
    if found is None:
        return None
    sign, number, suffix = found.groups()
    amount = Decimal(sign + number)
    if suffix[1:] == "i":
        return amount * Decimal(1024) ** ("KMGTPE".index(suffix[0]) + 1)
    exponent = _SUFFIXES.get(suffix)
    return amount.scaleb(exponent if exponent is not None else int(suffix[1:]))


def _bounded(text: str, most: int) -> str | None:
    return f"{shown(text)} has more than {most} characters" if len(text) > most else None
