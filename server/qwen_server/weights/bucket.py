"""The one door for obstore: the objects under a prefix of an S3-compatible bucket, and their content from any byte on.

Keys, region and endpoint come from the environment by AWS's own names (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY,
AWS_REGION, AWS_ENDPOINT_URL; AWS_SKIP_SIGNATURE=true for a public bucket). The library's words never leave this
module.
"""

import hashlib
import re
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError, PreconditionError
from obstore.store import S3Store

from qwen_server.weights.listing import Algorithm, Digest, Listing, RemoteFile
from qwen_server.weights.reasons import Reason, WeightsError
from qwen_server.weights.source import Bucket

PIECE: Final = 1 << 16
"""Bytes handed on at once; what waits to become a piece is lost with its connection."""
SUMS: Final = "SHA256SUMS"
"""Hashes that whoever filled the bucket laid beside the files, in the form of `sha256sum`."""
SUM: Final = re.compile(r"([0-9a-f]{64}) [ *](?:\./)?([^/\s]+)")
STATUS: Final = re.compile(r"status code: (\d{3})")
CODE: Final = re.compile(r"<Code>(\w+)</Code>")
TIMED_OUT: Final = re.compile(r"TimedOut|timed out")
TOO_MANY: Final = (429, 503)
"""An object store says SlowDown with 503."""
UNKNOWN_KEY: Final = ("InvalidAccessKeyId", "XAdminUserNotFound")
"""Codes for an access key that nobody has, whatever the status."""
NO_KEYS: Final = "169.254.169.254"
"""Where the library looks for keys when it was given none: a cloud's service for its own machines."""


class BucketOrigin:
    """A prefix of a bucket. `endpoint` is None for AWS or what the environment says; `stall` in seconds."""

    def __init__(self, source: Bucket, endpoint: str | None, stall: float) -> None:
        self._source = source
        self._stall = stall
        self._place = (urlsplit(endpoint).hostname if endpoint else None) or "the object store"
        options: dict[str, Any] = {"endpoint": endpoint} if endpoint else {}
        self._store = S3Store(
            source.bucket,
            prefix=source.prefix or None,
            client_options={
                "timeout": "30days",  # of a whole file; silence is what is limited
                "read_timeout": f"{round(stall * 1000)}ms",
                "connect_timeout": f"{round(stall * 1000)}ms",
                "allow_http": (endpoint or "").startswith("http://"),
            },
            retry_config={"max_retries": 0},  # patience counts and tells every attempt
            **options,
        )

    @property
    def place(self) -> str:
        """The store's host."""
        return self._place

    def listing(self, commit: str | None) -> Listing:
        """The objects right under the prefix; the commit is a digest of names, sizes and ETags. Raises WeightsError."""
        del commit  # a bucket has no past
        with self._translated(self._source.uri):
            found = obstore.list_with_delimiter(self._store)["objects"]
            names = {_name(meta["path"]): meta for meta in found}
            sums = self._sums() if SUMS in names else {}
        files = tuple(_remote_file(name, meta, sums.get(name)) for name, meta in sorted(names.items()))
        if not files:
            raise Reason.SOURCE_NOT_FOUND.about(place=self.place, what=self._source.uri)
        return Listing(self._source.uri, _digest(files), files)

    def stream(self, file: RemoteFile, offset: int) -> Generator[bytes]:
        """The content from a byte on, as long as it is the content that was listed. Raises WeightsError."""
        with self._translated(file.name):
            etag = None if file.digest else file.version
            got = obstore.get(
                self._store, file.name, options={"range": {"offset": offset}, **({"if_match": etag} if etag else {})}
            )
            for piece in got.stream(PIECE):
                yield bytes(piece)

    def _sums(self) -> dict[str, str]:
        written = bytes(obstore.get(self._store, SUMS).bytes()).decode(errors="replace")
        return {matched[2]: matched[1] for line in written.splitlines() if (matched := SUM.fullmatch(line))}

    @contextmanager
    def _translated(self, what: str) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise self._not_found(what) from None
        except PreconditionError:
            why, remedy = f"{what} was changed while it was fetched", "fetch it again when nobody writes to the bucket"
            raise Reason.MODEL_INVALID.about(what=self._source.uri, why=why, remedy=remedy) from None
        except (BaseError, OSError) as error:
            raise self._failure(str(error), what) from None

    def _failure(self, words: str, what: str) -> WeightsError:
        """What the library's one general error means: status and code stand in its text alone."""
        status, code = _status(words), _code(words)
        if status in (401, 403) or code in UNKNOWN_KEY or NO_KEYS in words:
            return self._unauthorized()
        if status == 404:
            return self._not_found(what)
        if status in TOO_MANY:
            return Reason.RATE_LIMITED.about(place=self.place, pause="")
        if status is not None:
            return Reason.SOURCE_FAILED.about(place=self.place, status=status)
        if TIMED_OUT.search(words):
            return Reason.DOWNLOAD_STALLED.about(place=self.place, seconds=f"{self._stall:g}")
        return Reason.SOURCE_UNREACHABLE.about(place=self.place, why="the connection failed")

    def _not_found(self, what: str) -> WeightsError:
        return Reason.SOURCE_NOT_FOUND.about(place=self.place, what=what)

    def _unauthorized(self) -> WeightsError:
        return Reason.SOURCE_UNAUTHORIZED.about(
            place=self.place,
            what=self._source.uri,
            why="the keys are wrong or missing, or may not list and read it",
            remedy="put valid ones into the Secret of model.credentialsRef",
        )


def _status(words: str) -> int | None:
    matched = STATUS.search(words)
    return int(matched[1]) if matched else None


def _code(words: str) -> str:
    matched = CODE.search(words)
    return matched[1] if matched else ""


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _remote_file(name: str, meta: Any, sha256: str | None) -> RemoteFile:
    version = sha256 or meta["e_tag"] or str(meta["last_modified"])
    return RemoteFile(name, meta["size"], version, Digest(Algorithm.SHA256, sha256) if sha256 else None)


def _digest(files: tuple[RemoteFile, ...]) -> str:
    lines = "".join(f"{file.name} {file.size} {file.version}\n" for file in files)
    return "listing-" + hashlib.sha256(lines.encode()).hexdigest()[:16]
