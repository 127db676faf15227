"""The command lines for kind (hack/demo/kind.py): where there is no Docker, they are all that can be tested."""

from pathlib import Path

from hack.demo import kind

CONFIG = Path("/checkout/.local/demo/kind-kubeconfig")


def test_the_cluster_has_a_name_and_a_kubeconfig_of_its_own() -> None:
    """The user's own kubeconfig and other kind clusters stay as they are."""
    assert kind.create_line("kind", CONFIG) == [
        "kind",
        "create",
        "cluster",
        "--name=qwen-operator",
        "--kubeconfig=/checkout/.local/demo/kind-kubeconfig",
        "--wait=180s",
    ]


def test_a_cluster_of_an_earlier_run_is_found_again() -> None:
    """Its kubeconfig is written anew, in case `make clean` took it."""
    assert kind.export_line("kind", CONFIG)[:4] == ["kind", "export", "kubeconfig", "--name=qwen-operator"]


def test_images_go_from_docker_onto_the_node() -> None:
    """All in one call, so that shared layers travel once."""
    line = kind.load_line("kind", ["localhost/operator:1", "localhost/server-cpu:1"])

    assert line == [
        "kind",
        "load",
        "docker-image",
        "--name=qwen-operator",
        "localhost/operator:1",
        "localhost/server-cpu:1",
    ]


def test_only_our_cluster_is_deleted() -> None:
    """Never all of them."""
    assert kind.delete_line("kind", CONFIG)[:4] == ["kind", "delete", "cluster", "--name=qwen-operator"]
