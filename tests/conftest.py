"""What all tests share: `--update`, which rewrites golden files and README's outputs, and the shared data."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

SHARED = Path(os.environ.get("PACT_SHARED") or Path(__file__).parent.parent.parent / "shared")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update", action="store_true", help="rewrite what golden tests expect; read the diff")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of data beside the checkout, or the one that PACT_SHARED names.

    Without it the test is skipped, or fails where PACT_REQUIRE_SHARED=1 is set, as in `.ci/run`.
    """
    if not SHARED.is_dir():
        message = f"no {SHARED}: real traces and CEL's conformance suite are not here"
        if os.environ.get("PACT_REQUIRE_SHARED") == "1":
            pytest.fail(message)
        pytest.skip(message)
    return SHARED
