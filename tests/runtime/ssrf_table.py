"""What a hostile spec, server, resolver or model may give to make a tool call somebody else. Data only.

`%P` is the port of the trap.
"""

from __future__ import annotations

from tests.runtime.ssrf_addresses import ANSWERS, HOSTS, LEADING_INSIDE, NEVER, REBOUND, SERVICES, name_of

# Whole URLs that one parser reads otherwise than the next one.
URLS = [
    "http://shop.example.com@127.0.0.1:%P/",
    "http://shop.example.com:80@127.0.0.1:%P/",
    "http://shop.example.com%40127.0.0.1:%P/",
    "http://shop.example.com%2f@127.0.0.1:%P/",
    "http://shop.example.com%00@127.0.0.1:%P/",
    "http://user:password@shop.example.com/",
    "http://127.0.0.1:%P\\@shop.example.com/",
    "http://127.0.0.1:%P\\.shop.example.com/",
    "http://shop.example.com\\@127.0.0.1:%P/",
    "http://127.0.0.1:%P#@shop.example.com/",
    "http://127.0.0.1:%P?@shop.example.com/",
    "http://127.0.0.1:%P;@shop.example.com/",
    "http://127.0.0.1%23.shop.example.com:%P/",
    "http://127.0.0.1%00.shop.example.com:%P/",
    "http://127.0.0.1%0d%0aHost:x:%P/",
    "http://127.0.0.1%09:%P/",
    "http://127.0.0.1%20:%P/",
    "http:\\\\127.0.0.1:%P/",
    "http:/\\127.0.0.1:%P/",
    "http:///127.0.0.1:%P/",
    "http:127.0.0.1:%P/",
    "http:/127.0.0.1:%P/",
    "//127.0.0.1:%P/",
    "///127.0.0.1:%P/",
    "\\\\127.0.0.1:%P\\",
    "127.0.0.1:%P/",
    " http://127.0.0.1:%P/",
    "\thttp://127.0.0.1:%P/",
    "ht\ntp://127.0.0.1:%P/",
    "http://127.0.\n0.1:%P/",
    "http://127.0.\t0.1:%P/",
    "http://127.0.0.1\r\nHost: shop.example.com:%P/",
    "http://127.0.0.1 shop.example.com:%P/",
    "http://127.0.0.1,shop.example.com:%P/",
    "http://127.0.0.1:%P,shop.example.com/",
    "http://127.0.0.1:%P:80/",
    "http://127.0.0.1:99999/",
    "http://127.0.0.1:-1/",
    "http://127.0.0.1:\u0661\u0662/",
    "http://[::1/",
    "http://::1]:%P/",
    "http://[::1]x:%P/",
    "http://[[::1]]:%P/",
    "http://::1:%P/",
    "http://",
    "http://?@127.0.0.1:%P/",
    "http://#@127.0.0.1:%P/",
    "http://.:%P/",
    "http://127..0.0.1:%P/",
    "http://-127.0.0.1:%P/",
    "http://localhost\u200b:%P/",
    "http://loc\u00adalhost:%P/",
    "http://\u24dbocalhost:%P/",
    "http://\uff4c\uff4fcalhos\uff54:%P/",
    "http://LOCALHOST:%P/",
    "http://localhost.:%P/",
    "http://anything.localhost.:%P/",
    "HTTP://127.0.0.1:%P/",
    "hTTps://127.0.0.1:%P/",
]
SCHEMES = [
    "file",
    "ftp",
    "ftps",
    "sftp",
    "tftp",
    "gopher",
    "dict",
    "ldap",
    "ldaps",
    "jar",
    "netdoc",
    "unix",
    "ws",
    "wss",
]
SCHEMES += [
    "http+unix",
    "https+unix",
    "view-source",
    "php",
    "expect",
    "phar",
    "imap",
    "smtp",
    "telnet",
    "rtsp",
    "smb",
    "h2c",
]
URLS += [f"{scheme}://127.0.0.1:%P/etc/passwd" for scheme in SCHEMES]
URLS += [
    "file:///etc/passwd",
    "data:text/plain,secret",
    "javascript:alert(1)",
    "blob:http://127.0.0.1:%P/1",
    "about:blank",
]
URLS += ["view-source:http://127.0.0.1:%P/", "feed:http://127.0.0.1:%P/", "url:http://127.0.0.1:%P/"]

# What a redirect may also say: these are relative to the server that sends them, for some parsers.
LOCATIONS = [
    *URLS,
    "/\\127.0.0.1:%P/",
    "/\t/127.0.0.1:%P/",
    "/..//127.0.0.1:%P/",
    "/.//127.0.0.1:%P/",
    "//127.0.0.1/",
    "////127.0.0.1:%P/",
    "\\/\\/127.0.0.1:%P/",
    "?//127.0.0.1:%P/",
    "@127.0.0.1:%P/",
    ":%P/",
    "http:@127.0.0.1:%P/",
    "http://shop.example.com:%P/",
    "http://shop.example.com.:%P/",
    "https://shop.example.com:%P/",
    "http://SHOP.example.com:%P/",
    "http://other.example.com:%P/",
    "http://vault/",
    "http://vault.real.svc/",
    "http://vault.real.svc:%P/v1/sys/health",
    "http://db:5432/",
    "https://kubernetes.default.svc/api/v1/secrets",
    "http://kubernetes.default/",
    *(f"http://{name}/" for name in LEADING_INSIDE),
    *(f"http://{name}/" for name in list(ANSWERS)[::3]),
]

# Arguments: the model's, in one part of a path.
ARGUMENTS = [
    "..", ".", "../", "../..", "../../etc/passwd", "./", "/", "//", "//127.0.0.1", "///127.0.0.1", "\\",
    "\\\\127.0.0.1", "/\\127.0.0.1", "..\\", "..;", "..;/", ";/../", "%2e", "%2e%2e", "%2E%2e", ".%2e",
    "%2e%2e%2f", "..%2f", "..%5c", "%2f", "%5c", "%252e%252e%252f", "%25252f", "%2f%2f127.0.0.1", "@127.0.0.1",
    "@127.0.0.1:%P", ":80@127.0.0.1", "x@127.0.0.1/", ":%P", "?", "?x=1", "#", "#x", "a?b#c", "%3f", "%23",
    "%40127.0.0.1", "http://127.0.0.1:%P/", "http:%2f%2f127.0.0.1", "http:127.0.0.1", "file:///etc/passwd",
    "127.0.0.1:%P", " HTTP/1.1", "x HTTP/1.1\r\nHost: 127.0.0.1", "\r\nHost: 127.0.0.1",
    "%0d%0aHost:%20127.0.0.1", "%250d%250aHost: x", "\n", "\t", "\x00", "%00", "\x7f", "\u2028", "\u200b",
    "\u3002", "\uff0e\uff0e", "\uff0f", "\u2215", "\u29f8", "\uff3c", "\u2024\u2024", "{q}", "{{q}}", "{x}",
    "${x}", "%7bq%7d", "&x=1", "=", "+", "%", "%zz", "\ud800",
]  # fmt: skip

# Templates in which an argument would choose the server; each has the parameter `q`.
TEMPLATES = [
    "http://{q}/",
    "http://{q}.example.com/",
    "http://shop.example.com{q}",
    "http://shop.example.com{q}/x",
    "http://shop.example.com.{q}/",
    "http://shop.example.com:{q}/",
    "http://{q}@shop.example.com/",
    "http://shop.example.com@{q}/",
    "http://[{q}]/",
    "http://[::{q}]/",
    "{q}://shop.example.com/",
    "{q}",
    "//{q}/",
    "http:{q}",
    "http:/{q}",
    "http:\\\\{q}/",
    "http://shop.example.com\\{q}/",
    "http://shop.example.com{q}?x=1",
    "http://shop.example.com#{q}",
    "http://shop.example.com/../{q}",
    "http://shop.example.com/%2e%2e/{q}",
]
# Headers of a spec that would make the request another one.
HEADERS = [
    ("Host", "127.0.0.1"),
    ("host", "127.0.0.1"),
    ("HOST", "127.0.0.1"),
    ("Transfer-Encoding", "chunked"),
    ("Content-Length", "0"),
    ("Connection", "X-Forwarded-For"),
    ("Upgrade", "h2c"),
    ("TE", "trailers"),
    ("Proxy-Authorization", "Basic eDp5"),
    ("X-Key", "a\r\nHost: 127.0.0.1"),
    ("X-Key", "a\nHost: 127.0.0.1"),
    ("X-Key", "a\x00b"),
    ("X-Key\r\nHost", "127.0.0.1"),
    ("X-Key: a\r\nHost", "127.0.0.1"),
    ("X Key", "a"),
    (":authority", "127.0.0.1"),
    ("", "127.0.0.1"),
]
# Where other tools are sent: for each of them by its name, and by what its server answers.
OTHER_TOOLS = ["streamable-http", "sse", "prometheus", "alertmanager", "github", "comment", "agent"]
# An agent may be on a private network, and in the same pod: it says so by being named.
OTHER_NAMES = [name_of("a", address) for address in NEVER] + [
    name for name, address in SERVICES.items() if address in NEVER
]
OTHER_LOCATIONS = [
    "http://127.0.0.1:%P/",
    "http://169.254.169.254/latest/meta-data/",
    "//127.0.0.1:%P/",
    "http://vault.real.svc/",
    "file:///etc/passwd",
    "http://shop.example.com:%P/",
    "http://other.example.com:%P/",
    "https://kubernetes.default.svc/api",
]
STATUSES = [301, 302, 303, 307, 308]


def table() -> set[tuple[str, str]]:
    """Every entry, with the way it comes in."""
    spelled = [*(f"http://{host}:%P/" for host in HOSTS), *URLS]
    found = {("url", url) for url in spelled}
    found |= {("name", name) for name in (*LEADING_INSIDE, *SERVICES, *ANSWERS)}
    found |= {("rebinding", name) for name in REBOUND}
    found |= {(f"redirect {status}", url) for url in (*spelled, *LOCATIONS) for status in STATUSES}
    found |= {("card", url) for url in (*spelled, *LOCATIONS)}
    found |= {("argument", value) for value in ARGUMENTS} | {("template", url) for url in TEMPLATES}
    found |= {("header", f"{name}: {value}") for name, value in HEADERS}
    found |= {(tool, name) for tool in OTHER_TOOLS for name in OTHER_NAMES}
    return found | {(f"{tool} redirect", url) for tool in OTHER_TOOLS for url in OTHER_LOCATIONS}
