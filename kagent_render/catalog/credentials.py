"""What a credential is called."""

import re

_SECRET_NAME = re.compile(r"(api_?-?key|token|passw(or)?d|secret|credential)s?\Z", re.IGNORECASE)


def is_secret_name(name: str) -> bool:
    """Whether a field of this name would hold a credential."""
    return _SECRET_NAME.search(name) is not None
