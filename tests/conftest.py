"""Options shared by all tests."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--update-golden` rewrites committed output; then read the diff."""
    parser.addoption("--update-golden", action="store_true", help="rewrite the committed expected output")


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    """Whether to rewrite expected output instead of comparing with it."""
    return bool(request.config.getoption("--update-golden"))
