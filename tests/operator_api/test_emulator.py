"""The emulator does what its docstring claims: a test that trusts a wrong stand-in proves nothing."""

import pytest

from qwen_operator.cluster import Cluster
from qwen_operator.core import kinds
from qwen_operator.refusals import Conflict, Gone, NotFound
from tests.operator_api.emulator.app import Emulator
from tests.operator_api.emulator.asking import Asked
from tests.operator_api.emulator.faults import Faults
from tests.operator_api.emulator.objects import Objects
from tests.operator_api.emulator.watching import Watches

SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"namespace": "team", "name": "a", "labels": {"x": "1"}},
    "spec": {"ports": [{"name": "http", "port": 8000}], "selector": {"app": "a"}},
}


def service(**spec: object) -> dict[str, object]:
    """The Service with some other fields in its spec."""
    return SERVICE | {"spec": SERVICE["spec"] | spec}  # type: ignore[operator]


async def test_an_apply_that_changes_nothing_is_no_new_version(cluster: Cluster) -> None:
    """As with a real server: the same apply twice is one write to the store."""
    first = await cluster.apply(kinds.SERVICE, SERVICE)
    second = await cluster.apply(kinds.SERVICE, SERVICE)
    assert first["metadata"]["resourceVersion"] == second["metadata"]["resourceVersion"]


async def test_an_apply_removes_what_its_manager_sent_before_and_leaves_what_others_set(
    cluster: Cluster, emulator: Emulator
) -> None:
    """Fields belong to who applied them."""
    await cluster.apply(kinds.SERVICE, service(publishNotReadyAddresses=True))
    emulator.objects.merge("services", "team", "a", {"spec": {"sessionAffinity": "ClientIP"}})
    living = await cluster.apply(kinds.SERVICE, SERVICE)
    assert "publishNotReadyAddresses" not in living["spec"]
    assert living["spec"]["sessionAffinity"] == "ClientIP"


async def test_an_apply_with_another_uid_is_refused(cluster: Cluster) -> None:
    """A precondition on the uid holds for living and for absent objects."""
    wanted = SERVICE | {"metadata": {"namespace": "team", "name": "a", "uid": "not-this-one"}}
    with pytest.raises(Conflict):
        await cluster.apply(kinds.SERVICE, wanted)
    await cluster.apply(kinds.SERVICE, SERVICE)
    with pytest.raises(Conflict):
        await cluster.apply(kinds.SERVICE, wanted)


async def test_a_delete_with_another_uid_is_refused_and_owned_objects_follow_their_owner(
    cluster: Cluster, emulator: Emulator
) -> None:
    """Deletion names the very object; what it owned goes too."""
    owner = await cluster.apply(kinds.SERVICE, SERVICE)
    reference = {"apiVersion": "v1", "kind": "Service", "name": "a", "uid": owner["metadata"]["uid"]}
    child = {"metadata": {"name": "b", "ownerReferences": [reference]}}
    emulator.objects.create("secrets", "team", child)
    with pytest.raises(Conflict):
        await cluster.delete(kinds.SERVICE, "team", "a", "not-this-one")
    await cluster.delete(kinds.SERVICE, "team", "a", owner["metadata"]["uid"])
    assert list(emulator.objects.all("secrets")) == []
    with pytest.raises(NotFound):
        await cluster.get(kinds.SERVICE, "team", "a")


async def test_a_list_comes_in_pages_and_by_label(cluster: Cluster, emulator: Emulator) -> None:
    """Pages follow one another without gap or repeat."""
    for number in range(5):
        metadata = {"name": f"s{number}", "labels": {"odd": str(number % 2)}}
        emulator.objects.create("services", "team", {"metadata": metadata})
    first = await cluster.list_page(kinds.SERVICE, "team", selector="odd=0", limit=2)
    second = await cluster.list_page(kinds.SERVICE, "team", selector="odd=0", limit=2, rest=first.rest)
    found = [item["metadata"]["name"] for page in (first, second) for item in page.items]
    assert (found, second.rest) == (["s0", "s2", "s4"], "")


async def test_a_watch_from_before_the_compaction_is_told_gone(cluster: Cluster, emulator: Emulator) -> None:
    """History that was forgotten is not made up."""
    emulator.objects.create("services", "team", {"metadata": {"name": "a"}})
    emulator.objects.compact()
    with pytest.raises(Gone):
        async for _ in cluster.watch(kinds.SERVICE, None, version="1000"):
            pass


async def test_a_put_over_a_newer_version_is_refused(cluster: Cluster) -> None:
    """The Lease stands on this."""
    old = await cluster.apply(kinds.SERVICE, SERVICE)
    await cluster.apply(kinds.SERVICE, service(type="NodePort"))
    with pytest.raises(Conflict):
        await cluster.replace(kinds.SERVICE, old, seconds=5)


@pytest.mark.looptime
async def test_a_watch_ends_at_its_time_whatever_fraction_of_it_is_left() -> None:
    """A loop calls what is due within its resolution without waiting: the last picoseconds would never pass."""
    asked = Asked("watch", "", "services", "team", "", "")
    lines = Watches(Objects(), Faults()).begin(asked, {"timeoutSeconds": "60.0000000000002"})

    assert [line async for line in lines] == []
