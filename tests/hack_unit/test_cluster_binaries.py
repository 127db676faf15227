"""The cache of the built programs (hack/cluster/binaries.py)."""

import re
from pathlib import Path

import pytest

from hack.cluster.binaries import (
    COMPONENTS,
    SOURCES,
    Binaries,
    cache_folder,
    cache_key,
    kubernetes_version,
    link_flags,
    needed_go,
)
from hack.cluster.errors import ClusterError

MAIN = {"main.go": b"package main", "go.mod": b"module a"}


def test_equal_sources_have_one_key_in_any_order() -> None:
    """Two checkouts of one commit share a build."""
    assert cache_key(MAIN, "x86_64") == cache_key(dict(reversed(MAIN.items())), "x86_64")


@pytest.mark.parametrize(
    "changed",
    [
        {**MAIN, "main.go": b"package main\n"},
        {**MAIN, "pause/main.go": b""},
        {"main.go": b"module a", "go.mod": b"package main"},
        {"main.go": b"package mainmodule a", "go.mod": b""},
    ],
)
def test_any_change_of_the_sources_has_another_key(changed: dict[str, bytes]) -> None:
    """A changed byte, a further file, contents that changed places or moved from one file to the next."""
    assert cache_key(changed, "x86_64") != cache_key(MAIN, "x86_64")


def test_another_processor_has_another_key() -> None:
    """A home folder may be shared by machines."""
    assert cache_key(MAIN, "aarch64") != cache_key(MAIN, "x86_64")


def test_the_cache_honours_xdg_cache_home() -> None:
    """The user's wish goes first; an empty one is none."""
    assert cache_folder({"XDG_CACHE_HOME": "/fast", "HOME": "/home/a"}) == Path("/fast/qwen-operator")
    assert cache_folder({"XDG_CACHE_HOME": "", "HOME": "/home/a"}) == Path("/home/a/.cache/qwen-operator")


def test_the_linker_stamps_the_version_that_components_report() -> None:
    """Without it every check of versions would say 0.0.0."""
    flags = link_flags("v1.35.4")

    assert "-X k8s.io/component-base/version.gitVersion=v1.35.4" in flags
    assert "-X k8s.io/component-base/version.gitMajor=1" in flags
    assert "-X k8s.io/component-base/version.gitMinor=35" in flags


def test_versions_come_from_go_mod() -> None:
    """They are written down there and nowhere else."""
    text = "module a\n\ngo 1.26\n\nrequire (\n\tk8s.io/kubectl v0.35.4\n\tk8s.io/kubernetes v1.35.4\n)\n"

    assert needed_go(text) == "1.26"
    assert kubernetes_version(text) == "v1.35.4"


def test_a_broken_go_mod_is_named_with_the_way_to_restore_it() -> None:
    """Not a traceback."""
    with pytest.raises(ClusterError, match="restore it with `git checkout hack/cluster/go`"):
        needed_go("")


def test_the_go_program_answers_to_exactly_the_names_that_are_linked() -> None:
    """main.go and the driver list the same components."""
    source = (SOURCES / "main.go").read_text()

    assert tuple(re.findall(r'^\t"([a-z-]+)": +', source, re.MULTILINE)) == COMPONENTS


def test_every_library_of_kubernetes_is_pinned_to_its_release() -> None:
    """Kubernetes 1.35.4 goes with its libraries at 0.35.4, each replaced."""
    text = (SOURCES / "go.mod").read_text()
    release = kubernetes_version(text).replace("v1.", "v0.")
    replaced = re.findall(r"^\t(k8s\.io/\S+) => (\S+) (\S+)$", text, re.MULTILINE)

    assert len(replaced) == 31
    assert {version for _, _, version in replaced} == {release}
    assert all(module == target for module, target, _ in replaced)


def test_links_are_made_and_mended(tmp_path: Path) -> None:
    """Each component's name leads to the one program, also after an update."""
    old, new = Binaries(tmp_path / "old"), Binaries(tmp_path / "new")

    old.link(tmp_path / "bin")
    new.link(tmp_path / "bin")

    assert {link.name: link.readlink() for link in (tmp_path / "bin").iterdir()} == dict.fromkeys(
        COMPONENTS, new.kubernetes
    )


def test_programs_count_as_built_only_under_their_final_name(tmp_path: Path) -> None:
    """A build that was killed leaves another name."""
    programs = Binaries(tmp_path / "0123")
    (tmp_path / "0123.partial").mkdir()

    assert not programs.built
