"""What every test stands on."""

import asyncio

import pytest


@pytest.fixture(scope="session", autouse=True)
def no_loop_but_the_tests_own() -> None:
    """Without this, asking for the present loop makes one that nobody closes, and an unclosed loop is an error here."""
    asyncio.set_event_loop(None)
