"""The flow: have a source's files in a folder, verified and marked. One screen.

It must never write the marker before every file is verified, nor ask the source where the folder is marked already:
what was fetched stays as it is, and the network may be gone.
"""

from collections.abc import Iterable
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from qwen_server.weights import disk, selection
from qwen_server.weights.arrival import Failures, Ground, Stopped, bring
from qwen_server.weights.inspection import changed
from qwen_server.weights.ledger import Ledger
from qwen_server.weights.listing import Listing, RemoteFile, bytes_of
from qwen_server.weights.marker import LEDGER, MARKER, Manifest, NoManifest, read_manifest, size_of
from qwen_server.weights.progress import Stage
from qwen_server.weights.reasons import Reason, WeightsError

AT_ONCE: Final = 8
"""Files that are fetched at the same time."""


def fetch(uri: str, ground: Ground, *, thoroughly: bool) -> Manifest:
    """Fill the folder from the origin. `thoroughly` compares every byte of what is there already with its hash.

    Raises:
        WeightsError: for good, or after as many attempts as patience has.
    """

    before = _own(ground.folder / MARKER, uri)
    wrong = _changed(before, ground, thoroughly=thoroughly) if before else []
    if before and not wrong:
        return before
    with disk.alone(ground.folder, partial(_wait, ground)):
        marked = _own(ground.folder / MARKER, uri)
        if marked and not _unmarked(marked, wrong, ground):
            return marked
        return _fill(uri, ground)


def _wait(ground: Ground) -> None:
    ground.gauge.enter(Stage.WAITING)
    ground.journal.note("waiting", message="another fetch holds the folder")


def _own(path: Path, uri: str) -> Manifest | None:
    """What a former fetch of the same source left; nonsense counts as nothing. Raises WeightsError: FolderTaken."""
    try:
        found = read_manifest(path)
    except (NoManifest, OSError):
        return None
    if found is not None and found.source != uri:
        raise Reason.FOLDER_TAKEN.about(folder=path.parent, found=found.source, wanted=uri)
    return found


def _changed(marked: Manifest, ground: Ground, *, thoroughly: bool) -> list[str]:
    """What is not as the marker says. Writes nothing: a claim that is shared is mounted read-only."""
    ground.gauge.enter(Stage.CHECKING)
    with disk.writing(ground.folder):
        return changed(ground.folder, marked, ground.gauge if thoroughly else None)


def _unmarked(marked: Manifest, suspects: list[str], ground: Ground) -> bool:
    """Whether files are wrong still, now that nobody else is at it; then the marker goes, and they with it."""
    few = {name: file for name, file in marked.files.items() if name in suspects}
    wrong = _changed(replace(marked, files=few), ground, thoroughly=True)
    if not wrong:
        return False
    ground.journal.note("changed", "warning", file=wrong[0], files=len(wrong))
    with disk.writing(ground.folder):
        right = {name: file for name, file in marked.files.items() if name not in wrong}
        disk.unmark(ground.folder, replace(marked, files=right))
        for name in wrong:
            (ground.folder / name).unlink(missing_ok=True)
    return True


def _fill(uri: str, ground: Ground) -> Manifest:
    """From the listing to the marker."""
    ground.gauge.enter(Stage.RESOLVING)
    former = _own(ground.folder / LEDGER, uri)
    listing = _listed(ground, former.commit if former else None)
    small = selection.describing(listing)
    ledger = Ledger(ground.folder, listing, former)
    ledger.begin()
    _bring_all(small, ground, ledger)
    wanted = small + selection.tensors(listing, _index(ground.folder, small))
    ground.journal.note("resolved", source=uri, commit=listing.commit, files=len(wanted), bytes=bytes_of(wanted))
    disk.ask_for_room(ground.folder, _to_come(ledger.lacks(wanted), ground.folder))
    ground.gauge.count(bytes_of(wanted), bytes_of(wanted) - bytes_of(ledger.lacks(wanted)))
    ground.gauge.enter(Stage.DOWNLOADING)
    _bring_all(wanted, ground, ledger)
    return ledger.close(wanted)


def _listed(ground: Ground, begun: str | None) -> Listing:
    """At the commit that was begun, where there is one: a branch that moves must not mix two."""
    failures = Failures(ground)
    while True:
        try:
            return ground.origin.listing(begun)
        except WeightsError as error:
            if begun is not None and error.reason is Reason.REVISION_NOT_FOUND:
                begun = None
            else:
                failures.bear(error, 0)


def _index(folder: Path, small: Iterable[RemoteFile]) -> bytes | None:
    there = any(file.name == selection.INDEX for file in small)
    return (folder / selection.INDEX).read_bytes() if there else None


def _to_come(files: Iterable[RemoteFile], folder: Path) -> int:
    """Bytes that need room: not those of parts, nor of files that are there and may turn out to be right."""
    return sum(
        file.size - disk.part_bytes(folder, file)
        for file in files
        if file.digest is None or size_of(folder / file.name) != file.size
    )


def _bring_all(files: list[RemoteFile], ground: Ground, ledger: Ledger) -> None:
    """Several at once; the first that fails for good ends the others."""

    def bring_one(file: RemoteFile) -> None:
        ledger.add(file.name, bring(file, ground))

    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="file") as pool:
        futures = [pool.submit(bring_one, file) for file in ledger.lacks(files)]
        done, _ = wait(futures, return_when=FIRST_EXCEPTION)
        if error := _first_error(done):
            ground.stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise error


def _first_error(done: Iterable[Future[None]]) -> BaseException | None:
    """What ended it all; a file that stopped because of another tells nothing."""
    errors = [error for future in done if (error := future.exception())]
    return next((error for error in errors if not isinstance(error, Stopped)), None)
