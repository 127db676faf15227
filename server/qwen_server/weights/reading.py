"""Files of a folder that anybody may have filled, opened with care.

Why it exists: whoever looks at a claim must neither wait at a pipe nor run out of memory because of what lies under the
name of a small file. It must never open anything but a regular file, or read more than it was told to.
"""

import os
import stat
from pathlib import Path
from typing import IO, Final

LONGEST: Final = 64 << 20
"""Bytes of a configuration, an index or a manifest; the longest index of a known model has about 9 MB."""


def regular(file: Path) -> IO[bytes]:
    """Open a file. Raises OSError, and ValueError for a pipe, a device or a folder, without waiting for it."""
    descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    opened = os.fdopen(descriptor, "rb")
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        opened.close()
        raise ValueError(file.name)
    return opened


def content(file: Path, longest: int = LONGEST) -> bytes:
    """All that a file holds. Raises as `regular`, and ValueError for more than so many bytes."""
    with regular(file) as opened:
        read = opened.read(longest + 1)
    if len(read) > longest:
        raise ValueError(file.name)
    return read
