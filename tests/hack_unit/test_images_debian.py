"""The base image for machines that can pull none (hack/images/debian.py)."""

from pathlib import Path

from hack.images import debian
from hack.images.debian import debootstrap_line, settle, thin, upgrade_lines


def test_debian_is_laid_small_and_brought_up_to_date() -> None:
    """The minimal variant, then the security archive."""
    assert debootstrap_line(Path("/r")) == [
        "debootstrap",
        "--variant=minbase",
        "bookworm",
        "/r",
        "http://deb.debian.org/debian",
    ]
    assert [line[-1] for line in upgrade_lines(Path("/r"))] == ["update", "dist-upgrade", "clean"]
    assert "http://deb.debian.org/debian-security bookworm-security main" in debian.SOURCES


def test_the_base_is_named_after_its_recipe() -> None:
    """One name, so that it is made once."""
    assert debian.reference().startswith("localhost/qwen-operator/base:bookworm-")
    assert debian.reference() == debian.reference()


def test_nothing_of_this_machine_and_nothing_unread_stays(tmp_path: Path) -> None:
    """debootstrap copies the resolver and the host's name; apt leaves lists and packages."""
    for name in (*debian.HOST, "usr/share/doc/bash/README", "var/lib/apt/lists/deb_main", "etc/passwd"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")

    thin(tmp_path)

    assert [path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()] == [Path("etc/passwd")]
    assert (tmp_path / "var/lib/apt/lists").is_dir()


def test_packages_installed_later_leave_their_manuals_out(tmp_path: Path) -> None:
    """dpkg is told, since the Dockerfile installs on top."""
    (tmp_path / "etc/apt").mkdir(parents=True)
    (tmp_path / "etc/dpkg/dpkg.cfg.d").mkdir(parents=True)

    settle(tmp_path)

    assert "path-exclude /usr/share/doc/*\n" in (tmp_path / "etc/dpkg/dpkg.cfg.d/unread").read_text()
    assert (tmp_path / "etc/apt/sources.list").read_text() == debian.SOURCES
