"""The ledger as it grows: each file that was verified is written down at once, so that a kill loses none.

It must never hold a file that is not in place.
"""

import threading
from collections.abc import Iterable
from pathlib import Path

from qwen_server.weights import disk
from qwen_server.weights.listing import Listing, RemoteFile
from qwen_server.weights.marker import Manifest, Verified, size_of


class Ledger:
    """What is in place of a listing. `former` is what an earlier fetch into the same folder knew."""

    def __init__(self, folder: Path, listing: Listing, former: Manifest | None) -> None:
        self._folder = folder
        self._listing = listing
        self._former = dict(former.files) if former else {}
        self._files = {file.name: known for file in listing.files if (known := self._still_right(file))}
        self._lock = threading.Lock()

    def _still_right(self, file: RemoteFile) -> Verified | None:
        known = self._former.get(file.name)
        same = known and known.version == file.version and size_of(self._folder / file.name) == known.size
        return known if same else None

    def begin(self) -> None:
        """Write down the commit, before anything else is. Raises WeightsError."""
        self._write()

    def lacks(self, files: Iterable[RemoteFile]) -> list[RemoteFile]:
        """Those that are still to be brought."""
        return [file for file in files if file.name not in self._files]

    def add(self, name: str, file: Verified) -> None:
        """A file is in place. Raises WeightsError."""
        with self._lock:
            self._files[name] = file
            self._write()

    def close(self, wanted: Iterable[RemoteFile]) -> Manifest:
        """All that is wanted is in place: leftovers of another commit go, and the ledger becomes the marker."""
        names = {file.name for file in wanted}
        self._files = {name: file for name, file in self._files.items() if name in names}
        with disk.writing(self._folder):
            for name in self._former.keys() - names:
                (self._folder / name).unlink(missing_ok=True)
            self._write()
            disk.mark(self._folder)
        return self._manifest()

    def _manifest(self) -> Manifest:
        return Manifest(self._listing.uri, self._listing.commit, dict(self._files))

    def _write(self) -> None:
        with disk.writing(self._folder):
            disk.write_ledger(self._folder, self._manifest())
