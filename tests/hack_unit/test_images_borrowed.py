"""What a build borrows from the machine (hack/images/borrowed.py)."""

import subprocess
from pathlib import Path

import pytest

from hack.images.borrowed import Borrowed, observed, script, secrets, variables
from hack.images.build import private


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home folder with settings of pip and uv, and a bundle of certificates."""
    for name in (".config/pip/pip.conf", ".config/uv/uv.toml", "bundle.crt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    return tmp_path


def test_settings_are_found_where_pip_and_uv_look(home: Path) -> None:
    """The user's own files come before the system's."""
    found = observed({"HOME": str(home), "SSL_CERT_FILE": str(home / "bundle.crt")})

    assert found == Borrowed(
        certificates=home / "bundle.crt",
        pip=home / ".config/pip/pip.conf",
        uv=home / ".config/uv/uv.toml",
        uv_cache=home / ".cache/uv",
        index={},
    )


def test_variables_name_other_places(home: Path) -> None:
    """What a shell says wins over the customary place."""
    other = home / "other.conf"
    other.write_text("")

    found = observed({"HOME": str(home), "PIP_CONFIG_FILE": str(other), "UV_CACHE_DIR": "/caches/uv"})

    assert (found.pip, found.uv_cache) == (other, Path("/caches/uv"))


def test_only_index_variables_are_lent(home: Path) -> None:
    """Paths and passwords of this machine mean nothing to a build."""
    environment = {
        "HOME": str(home),
        "UV_DEFAULT_INDEX": "i",
        "PIP_FIND_LINKS": "/wheels",
        "TOKEN": "t",
        "UV_INDEX": "",
    }

    assert observed(environment).index == {"UV_DEFAULT_INDEX": "i"}


def test_a_build_sees_borrowed_files_as_secrets() -> None:
    """Each file under the name that the Dockerfile mounts."""
    lent = Borrowed(certificates=Path("/ca"), pip=Path("/p"), uv=None, uv_cache=Path("/c"), index={"UV_INDEX": "i"})

    assert secrets(lent, Path("/e")) == {"environment": Path("/e"), "certificates": Path("/ca"), "pip": Path("/p")}
    assert variables(lent, Path("/srv")) == {
        "UV_INDEX": "i",
        "SSL_CERT_FILE": "/run/secrets/certificates",
        "PIP_CERT": "/run/secrets/certificates",
        "PIP_CONFIG_FILE": "/run/secrets/pip",
        "UV_CACHE_DIR": "/srv",
    }


def test_a_machine_without_settings_lends_nothing() -> None:
    """Then a build downloads from the public index with its own certificates."""
    lent = Borrowed(certificates=None, pip=None, uv=None, uv_cache=Path("/c"), index={})

    assert script(lent, None) == ""


def test_a_shell_reads_values_as_they_are() -> None:
    """An index address may hold what a shell would otherwise act on."""
    address = "https://me:p$a'ss`id`@index/simple"
    lent = Borrowed(certificates=None, pip=None, uv=None, uv_cache=Path("/c"), index={"UV_INDEX": address})

    read = subprocess.run(
        ["sh", "-c", script(lent, None) + 'printf %s "$UV_INDEX"'], capture_output=True, text=True, check=True
    )

    assert read.stdout == address


def test_the_file_of_variables_is_private_and_goes_away(tmp_path: Path) -> None:
    """It may hold the password of an index, and an older one of wider rights does not stay."""
    path = tmp_path / "environment"
    path.touch(mode=0o644)

    with private(path, "export A=1\n"):
        assert (path.stat().st_mode & 0o777, path.read_text()) == (0o600, "export A=1\n")

    assert not path.exists()
