"""The one door for huggingface_hub: a revision's files with their hashes, and their content from any byte on.

The library does addresses, redirects, token and errors. Its download function is not used: since release 2 it writes
each attempt into a new temporary file, so that a killed download begins anew, and it compares no hash. The library's
own words never leave this module, since they hold signed addresses.
"""

import re
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlsplit

import httpx2
from huggingface_hub import HfApi, hf_hub_url
from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, HFValidationError, RevisionNotFoundError
from huggingface_hub.hf_api import RepoSibling
from huggingface_hub.utils import build_hf_headers, get_session, hf_raise_for_status

from qwen_server.weights.listing import Algorithm, Digest, Listing, RemoteFile
from qwen_server.weights.reasons import Reason, WeightsError
from qwen_server.weights.source import EXAMPLES, Hub
from qwen_server.weights.xet import Xet

LARGE: Final = 1 << 20
"""Bytes from which on it is worth asking for the fast transfer."""
PARTIAL_CONTENT: Final = 206
TOO_MANY_REQUESTS: Final = 429
WINDOW: Final = re.compile(r";\s*t=(\d+)")
"""Seconds until the hub's window ends, in its header `ratelimit: "api";r=0;t=55`."""


class HubOrigin:
    """A repository at one revision. `token` is None for an anonymous caller; `stall` in seconds."""

    def __init__(self, source: Hub, endpoint: str, token: str | None, stall: float) -> None:
        self._source = source
        self._endpoint = endpoint.rstrip("/")
        self._token: str | bool = token or False
        self._stall = stall
        self._commit = ""
        self._xet = Xet(stall)

    @property
    def place(self) -> str:
        """The hub's host."""
        return urlsplit(self._endpoint).hostname or self._endpoint

    def listing(self, commit: str | None) -> Listing:
        """The files of a commit, or of the revision, which is resolved to one. Raises WeightsError."""
        with self._translated():
            api = HfApi(endpoint=self._endpoint, token=self._token)
            info = api.model_info(
                self._source.repository,
                revision=commit or self._source.revision,
                files_metadata=True,
                timeout=self._stall,
            )
        self._commit = info.sha or ""
        files = tuple(self._remote_file(sibling) for sibling in info.siblings or ())
        return Listing(self._source.uri, self._commit, files)

    def stream(self, file: RemoteFile, offset: int) -> Generator[bytes]:
        """The content from a byte on: by the fast transfer where it is offered, else by HTTP. Raises WeightsError."""
        url, headers = self._request(file)
        with self._translated():
            offer = self._xet.offer(url, headers, self._endpoint) if file.size > LARGE else None
            if offer:
                yield from self._xet.stream(offer, file, offset, headers)
            else:
                yield from self._http(url, headers | _range(offset), offset)

    def first(self, file: RemoteFile, count: int) -> bytes:
        """The first bytes, by HTTP: the fast transfer would bring hundreds of megabytes ahead. Raises WeightsError."""
        url, headers = self._request(file)
        got = bytearray()
        with self._translated(), closing(self._http(url, headers | _range(0, count), 0)) as pieces:
            while len(got) < count and (piece := next(pieces, None)) is not None:
                got += piece
        return bytes(got[:count])

    def _remote_file(self, sibling: RepoSibling) -> RemoteFile:
        """Large files carry the SHA-256 of their content, small ones git's hash. Some mirrors leave both out."""
        if sibling.lfs is not None:
            large = Digest(Algorithm.SHA256, sibling.lfs.sha256.lower())
            return RemoteFile(sibling.rfilename, sibling.lfs.size, large.value, large)
        if sibling.size is None or not sibling.blob_id:
            why, remedy = f"{self.place} gives no size or hash of {sibling.rfilename}", "use a mirror that does"
            raise Reason.MODEL_INVALID.about(what=self._source.uri, why=why, remedy=remedy)
        small = Digest(Algorithm.GIT_BLOB, sibling.blob_id.lower())
        return RemoteFile(sibling.rfilename, sibling.size, small.value, small)

    def _request(self, file: RemoteFile) -> tuple[str, dict[str, str]]:
        url = hf_hub_url(self._source.repository, file.name, revision=self._commit, endpoint=self._endpoint)
        return url, build_hf_headers(token=self._token) | {"Accept-Encoding": "identity"}

    def _http(self, url: str, headers: dict[str, str], offset: int) -> Generator[bytes]:
        """The bytes from an offset on, which is left out here where the source sends all the same."""
        with get_session().stream("GET", url, headers=headers, timeout=self._stall, follow_redirects=True) as response:
            hf_raise_for_status(response)
            skipped = offset if response.status_code != PARTIAL_CONTENT else 0
            for piece in response.iter_bytes():  # as they come: what waits for company is lost with the connection
                if kept := piece[skipped:]:
                    yield kept
                skipped = max(0, skipped - len(piece))

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except HfHubHTTPError as error:
            raise self._refusal(error) from None
        except HFValidationError:
            raise Reason.SOURCE_INVALID.about(
                uri=self._source.uri, why="the hub allows no such name", example=EXAMPLES["hf"]
            ) from None
        except httpx2.TimeoutException:
            raise Reason.DOWNLOAD_STALLED.about(place=self.place, seconds=f"{self._stall:g}") from None
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise Reason.SOURCE_UNREACHABLE.about(place=self.place, why=type(error).__name__) from None

    def _refusal(self, error: HfHubHTTPError) -> WeightsError:
        """What a status means; the hub names the finer cases in a header, which the library reads."""
        status, what = error.response.status_code, self._source.repository
        if isinstance(error, GatedRepoError):
            return Reason.SOURCE_GATED.about(what=what, place=self.place)
        if isinstance(error, RevisionNotFoundError):
            return Reason.REVISION_NOT_FOUND.about(
                what=what, place=self.place, revision=self._source.revision or "that was begun"
            )
        if status in (401, 403):
            return self._unauthorized(status)
        if status == 404:
            return Reason.SOURCE_NOT_FOUND.about(place=self.place, what=what)
        if status == TOO_MANY_REQUESTS:
            pause = _retry_after(error.response.headers)
            asked = f", and asks to wait {pause:g} s" if pause else ""
            return Reason.RATE_LIMITED.about(pause, place=self.place, pause=asked)
        return Reason.SOURCE_FAILED.about(place=self.place, status=status)

    def _unauthorized(self, status: int) -> WeightsError:
        """The hub also says 401 to somebody without a token where a repository does not exist."""
        if not self._token:
            why = "there is no such repository, or it is private"
            remedy = "check the name in model.uri, or name a token in model.credentialsRef"
        elif status == 403:
            why, remedy = "the token has no right to read it", "give the token read access to this repository"
        else:
            why, remedy = "the token is wrong or has expired", "put a valid one into the Secret of model.credentialsRef"
        return Reason.SOURCE_UNAUTHORIZED.about(place=self.place, what=self._source.repository, why=why, remedy=remedy)


def _range(offset: int, end: int | None = None) -> dict[str, str]:
    """The header for the bytes from an offset on, or up to an end; none for all of them."""
    if not offset and end is None:
        return {}
    return {"Range": f"bytes={offset}-{'' if end is None else end - 1}"}


def _retry_after(headers: httpx2.Headers) -> float | None:
    """Seconds that are asked for: by the hub's own rate-limit header, or by the general one, a number or a date."""
    own = WINDOW.search(headers.get("ratelimit", ""))
    asked = own[1] if own else headers.get("retry-after", "").strip()
    if asked.isdigit():
        return float(asked)
    try:
        return max(0.0, (parsedate_to_datetime(asked) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):  # a date without a zone, or nothing of the kind
        return None
