"""A release of the chart on both API servers, and whoever holds its token."""

from collections.abc import Iterator

import pytest

from tests.operator_api.backends import Backend
from tests.operator_api.rights import account
from tests.operator_api.rights.account import Account


@pytest.fixture(scope="session")
def admin(backend: Backend) -> Iterator[Account]:
    with backend.client() as client:
        admin = Account(client)
        account.install(admin)
        yield admin


@pytest.fixture(scope="session")
def bearer(admin: Account) -> str:
    return account.token(admin)


@pytest.fixture(scope="session")
def operator(backend: Backend, bearer: str) -> Iterator[Account]:
    with backend.client(bearer) as client:
        holder = Account(client)
        account.await_policy(holder)
        yield holder
