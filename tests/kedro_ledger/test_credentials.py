"""Catalogs must not contain credentials, only their names."""

from __future__ import annotations

from typing import Any

import pytest

from kedro_ledger.credentials import require_no_credentials
from kedro_ledger.errors import LedgerError

PASSWORD = "xyzzy-plugh"
CATALOG = {
    "raw": {"type": "pandas.CSVDataset", "filepath": "raw.csv", "credentials": "export"},
    "other": {"type": "pandas.CSVDataset", "filepath": "abfs://container@account/x.csv"},
}


def test_names_of_credentials_and_of_containers_are_accepted() -> None:
    require_no_credentials(CATALOG)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("raw", {"url": f"http://ada:{PASSWORD}@127.0.0.1/train.csv"}),
        ("raw", {"url": f"http://{PASSWORD}@127.0.0.1/train.csv"}),
        ("raw", {"credentials": {"username": "ada", "password": PASSWORD}}),
        ("other", {"filepath": f"https://{PASSWORD}@127.0.0.1/x.csv"}),
        ("other", {"con": f"postgresql://ada:{PASSWORD}@127.0.0.1/db"}),
        ("other", {"load_args": {"proxies": [f"simplecache::http://ada:{PASSWORD}@127.0.0.1/"]}}),
    ],
)
def test_a_catalog_with_a_password_is_refused(name: str, change: dict[str, Any]) -> None:
    with pytest.raises(LedgerError) as error:
        require_no_credentials({**CATALOG, name: CATALOG[name] | change})
    assert error.value.message.startswith(f"{name}: ")
    assert "expected credentials in a block of credentials.yml" in error.value.message
    assert PASSWORD not in error.value.message
