"""A release of the chart on the real API server, and whoever holds its token."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.operator_api.rights import account
from tests.operator_api.rights.account import Account


@pytest.fixture(scope="session")
def admin(control_plane: Path) -> Iterator[Account]:
    with account.administrator(control_plane) as admin:
        account.install(admin)
        yield admin


@pytest.fixture(scope="session")
def bearer(admin: Account) -> str:
    return account.token(admin)


@pytest.fixture(scope="session")
def operator(control_plane: Path, bearer: str) -> Iterator[Account]:
    with account.holder(control_plane, bearer) as holder:
        account.await_policy(holder)
        yield holder
