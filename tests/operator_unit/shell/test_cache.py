"""What a cache keeps, what it forgets, and whom it tells."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from qwen_operator.cache import Cache
from qwen_operator.cluster import Page
from qwen_operator.keys import Key

A, B = Key("team", "a"), Key("team", "b")


class Heard:
    """A cache, and the changes it told of, as (place, was there, is there)."""

    def __init__(self) -> None:
        self.changes: list[tuple[Key, bool, bool]] = []
        self.cache = Cache(self.note, group_of=lambda m: (m["metadata"].get("labels") or {}).get("model", ""))

    def note(self, key: Key, old: dict[str, Any] | None, new: dict[str, Any] | None) -> None:
        """Take down a change."""
        self.changes.append((key, old is not None, new is not None))


def an_object(name: str = "a", version: int = 1, model: str = "m", **spec: object) -> dict[str, Any]:
    """An object of a version."""
    metadata = {"namespace": "team", "name": name, "resourceVersion": str(version), "labels": {"model": model}}
    return {"metadata": metadata, "spec": spec}


async def pages(listed: list[dict[str, Any]], version: int) -> AsyncIterator[Page]:
    """A list in pages of one object each."""
    metadata = {"resourceVersion": str(version)}
    yield Page(items=[], metadata=metadata)
    for manifest in listed:
        yield Page(items=[manifest], metadata=metadata | {"resourceVersion": str(version + 100)})


def test_an_older_version_never_overwrites_a_newer_one() -> None:
    """The answer to a write arrives before the events that preceded it."""
    heard = Heard()
    heard.cache.put(an_object(version=5, x=1), silently=True)
    heard.cache.put(an_object(version=4, x=0))
    assert heard.cache.get(A) == an_object(version=5, x=1)
    assert heard.changes == []


def test_our_own_write_that_a_watch_tells_of_before_its_answer_wakes_nobody() -> None:
    """Which of the two comes first is chance."""
    heard = Heard()
    heard.cache.put(an_object(version=1, x=0), silently=True)
    with heard.cache.writing(A):
        heard.cache.put(an_object(version=2, x=1))
        heard.cache.put(an_object(version=2, x=1), silently=True)
    assert heard.cache.get(A) == an_object(version=2, x=1)
    assert heard.changes == []


@pytest.mark.parametrize(("told", "answer"), [((2, 3), 3), ((2, 3), 2), ((2,), 3), ((2,), None)])
def test_what_others_write_meanwhile_is_told_once_the_answer_is_there(
    told: tuple[int, ...], answer: int | None
) -> None:
    """Before it, behind it, or instead of it: an answer that never comes."""
    heard = Heard()
    heard.cache.put(an_object(version=1, x=1), silently=True)
    with heard.cache.writing(A):
        for version in told:
            heard.cache.put(an_object(version=version, x=version))
        assert heard.changes == []
        if answer:
            heard.cache.put(an_object(version=answer, x=answer), silently=True)
    newest = max(*told, answer or 0)
    assert heard.cache.get(A) == an_object(version=newest, x=newest)
    assert heard.changes == [(A, True, True)]


def test_an_object_that_goes_while_it_is_written_is_told_of() -> None:
    """At once; the change before it, which was held back, is told of as what became of it."""
    heard = Heard()
    heard.cache.put(an_object(version=1), silently=True)
    with heard.cache.writing(A):
        heard.cache.put(an_object(version=2, x=2))
        heard.cache.drop(A, 3)
        assert heard.changes == [(A, True, False)]
    assert heard.changes == [(A, True, False), (A, True, False)]


def test_versions_are_compared_as_numbers() -> None:
    """10 is newer than 9."""
    heard = Heard()
    heard.cache.put(an_object(version=9, x=1))
    heard.cache.put(an_object(version=10, x=2))
    assert heard.cache.get(A) == an_object(version=10, x=2)


def test_a_new_version_without_other_changes_wakes_nobody() -> None:
    """A write that changed nothing but bookkeeping is no news; managed fields are dropped."""
    heard = Heard()
    heard.cache.put(an_object(version=1))
    again = an_object(version=2)
    again["metadata"]["managedFields"] = [{"manager": "somebody"}]
    heard.cache.put(again)
    assert heard.changes == [(A, False, True)]
    assert heard.cache.get(A) == an_object(version=2)


async def test_what_a_list_lacks_was_deleted() -> None:
    """Deletions that happened while nobody watched are told of."""
    heard = Heard()
    await heard.cache.replace(pages([an_object("a", 1), an_object("b", 2)], 2), namespace=None)
    heard.changes.clear()
    await heard.cache.replace(pages([an_object("b", 2)], 9), namespace=None)
    assert heard.changes == [(A, True, False)]
    assert heard.cache.get(A) is None


async def test_a_list_that_is_older_than_an_object_does_not_delete_it() -> None:
    """An object that was written after the list was taken is no deletion."""
    heard = Heard()
    heard.cache.put(an_object("a", 8), silently=True)
    await heard.cache.replace(pages([], 7), namespace=None)
    assert heard.cache.get(A) is not None


async def test_a_list_of_one_namespace_says_nothing_about_another() -> None:
    """Informers of several namespaces share a cache."""
    heard = Heard()
    heard.cache.put(an_object("a", 1))
    await heard.cache.replace(pages([], 9), namespace="other")
    assert heard.cache.get(A) is not None


def test_a_late_deletion_of_a_predecessor_is_no_deletion() -> None:
    """Deleted and created again: the old one's event comes last and counts for nothing."""
    heard = Heard()
    heard.cache.put(an_object("a", 8), silently=True)
    heard.cache.drop(A, 7)
    assert heard.cache.get(A) is not None


def test_what_is_said_late_of_an_object_that_is_gone_does_not_bring_it_back() -> None:
    """The answer to a write may come after the event that tells of the end; what is made anew is another one."""
    heard = Heard()
    heard.cache.put(an_object("a", 7))
    heard.cache.drop(A, 9)
    heard.cache.put(an_object("a", 8), silently=True)
    assert heard.cache.get(A) is None
    heard.cache.put(an_object("a", 10))
    assert heard.cache.get(A) is not None


async def test_a_list_ends_the_memory_of_those_that_are_gone() -> None:
    """It says itself what there is; what it was begun before is still remembered."""
    heard = Heard()
    heard.cache.drop(A, 5)
    heard.cache.drop(B, 9)
    await heard.cache.replace(pages([], 7), namespace=None)
    assert heard.cache.gone == {B: 9}


def test_groups_follow_their_label() -> None:
    """An object is found by its group, and leaves it with the label."""
    heard = Heard()
    heard.cache.put(an_object("b", 1, model="m"))
    heard.cache.put(an_object("a", 2, model="m"))
    assert heard.cache.members("team", "m") == (A, B)
    heard.cache.put(an_object("a", 3, model="other"))
    heard.cache.drop(B, 4)
    assert heard.cache.members("team", "m") == ()
    assert heard.cache.members("team", "other") == (A,)
