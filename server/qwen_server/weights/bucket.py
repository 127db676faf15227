"""The one door for obstore: the objects under a prefix of an S3-compatible bucket, and their content from any byte on.

Keys, region and endpoint come from the environment by AWS's own names (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY,
AWS_REGION, AWS_ENDPOINT_URL). Without keys the bucket must be a public one. The library's words never leave this
module: they hold access keys.
"""

import hashlib
import re
from collections.abc import Generator, Iterator, Mapping
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
ELSEWHERE: Final = ("PermanentRedirect", "AuthorizationHeaderMalformed")
"""Codes for a bucket of another region; the redirect also comes without a body."""
REDIRECTED: Final = "incorrectly configured region"
CREDENTIALS: Final = frozenset(
    {"AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_SKIP_SIGNATURE"}
)
"""Variables that say who asks. Where there is none, nobody is asked for keys, least of all the machine's own cloud."""


class BucketOrigin:
    """A prefix of a bucket. `endpoint` is None for AWS or what the environment says; `stall` in seconds."""

    def __init__(self, source: Bucket, endpoint: str | None, stall: float, environment: Mapping[str, str]) -> None:
        self._source = source
        self._stall = stall
        self._place = (urlsplit(endpoint).hostname if endpoint else None) or "the object store"
        options: dict[str, Any] = {"endpoint": endpoint} if endpoint else {}
        if not CREDENTIALS & environment.keys():
            options["skip_signature"] = True
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

    def first(self, file: RemoteFile, count: int) -> bytes:
        """The first bytes. Raises WeightsError."""
        with self._translated(file.name):
            length = min(count, file.size)
            return bytes(obstore.get_range(self._store, file.name, start=0, length=length)) if length else b""

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
        if code in ELSEWHERE or REDIRECTED in words:
            why, remedy = (
                "the bucket is in another region",
                "its region as AWS_REGION into the Secret of credentialsRef",
            )
            return Reason.SOURCE_INVALID.about(uri=self._source.uri, why=why, example=remedy)
        if status in (401, 403) or code in UNKNOWN_KEY:
            return self._unauthorized()
        if status == 404:
            return self._not_found(what)
        if status is not None:
            limited = Reason.RATE_LIMITED if status in TOO_MANY else Reason.SOURCE_FAILED
            return limited.about(place=self.place, pause="", status=status)
        if TIMED_OUT.search(words):
            return Reason.DOWNLOAD_STALLED.about(place=self.place, seconds=f"{self._stall:g}")
        return Reason.SOURCE_UNREACHABLE.about(place=self.place, why="the connection failed")

    def _not_found(self, what: str) -> WeightsError:
        return Reason.SOURCE_NOT_FOUND.about(place=self.place, what=what)

    def _elsewhere(self) -> WeightsError:
        why, remedy = "the bucket is in another region", "its region as AWS_REGION into the Secret of credentialsRef"
        return Reason.SOURCE_INVALID.about(uri=self._source.uri, why=why, example=remedy)

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
