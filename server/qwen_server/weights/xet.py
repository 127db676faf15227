"""The one door for hf_xet, the hub's fast transfer: ordered content from any byte on, in parallel and deduplicated.

It must never report to its makers, write logs of its own, or hold more memory than a small Job is given. Where it
fails, the same bytes come by plain HTTP.
"""

import threading
from collections.abc import Generator, Iterator, Mapping
from typing import Any, Final

from huggingface_hub import get_hf_file_metadata
from huggingface_hub.utils import XetFileData

from qwen_server.weights.listing import RemoteFile
from qwen_server.weights.reasons import Reason

try:
    import hf_xet
except ImportError:  # there is no build for this processor
    hf_xet = None

MEBIBYTE: Final = 1 << 20
LIMITS: Final = {
    "reconstruction.download_buffer_size": 256 * MEBIBYTE,
    "reconstruction.download_buffer_perfile_size": 32 * MEBIBYTE,
    "reconstruction.download_buffer_limit": 512 * MEBIBYTE,
    "reconstruction.min_prefetch_buffer": 64 * MEBIBYTE,
    "telemetry.enabled": False,
}
"""The library's own buffers are of 1.6 to 6.3 GB, for machines that do nothing else."""


class Xet:
    """Transfers of one repository at one commit; `stall` in seconds."""

    def __init__(self, stall: float) -> None:
        self._stall = stall
        self._lock = threading.Lock()
        self._group: Any = None
        self._given_up = hf_xet is None

    def offer(self, url: str, headers: dict[str, str], endpoint: str) -> XetFileData | None:
        """What the hub names a file by in this transfer; None where it does not, or where it failed before.

        Raises HfHubHTTPError and httpx2's errors.
        """
        if self._given_up:
            return None
        found = get_hf_file_metadata(url, token=False, timeout=self._stall, headers=headers, endpoint=endpoint)
        return found.xet_file_data

    def stream(self, offer: XetFileData, file: RemoteFile, offset: int, headers: dict[str, str]) -> Generator[bytes]:
        """The content from a byte on. Raises WeightsError, once; later files come by HTTP."""
        try:
            info = hf_xet.XetFileInfo(offer.file_hash, file.size)
            stream = self._transfers(offer, headers).download_stream(info, start=offset)
        except Exception as error:
            raise self._failed(error) from None
        try:
            yield from self._pieces(stream, file.size - offset)
        finally:
            stream.cancel()

    def _pieces(self, stream: Any, missing: int) -> Iterator[bytes]:
        """All that is missing. The library ends a stream as if it were complete when another one of the group fails."""
        while missing > 0:
            try:
                piece = bytes(next(stream))
            except Exception as error:
                raise self._failed(error) from None
            missing -= len(piece)
            yield piece

    def _transfers(self, offer: XetFileData, headers: Mapping[str, str]) -> Any:
        """The connections, made once: all files of a commit share one short-lived token of the storage."""
        with self._lock:
            if self._group is None:
                limits = LIMITS | {"client.read_timeout": f"{self._stall:g}s", "client.retry_max_attempts": 2}
                session = hf_xet.XetSession(hf_xet.XetConfig().with_config(limits))
                public = {name: value for name, value in headers.items() if name.lower() != "authorization"}
                self._group = session.new_download_stream_group(
                    token_refresh_url=offer.refresh_route, token_refresh_headers=dict(headers), custom_headers=public
                )
            return self._group

    def _failed(self, error: Exception) -> Exception:
        self._given_up = True
        why = f"the fast transfer ended with {type(error).__name__}, plain HTTP follows"
        return Reason.SOURCE_UNREACHABLE.about(place="The hub's storage", why=why)
