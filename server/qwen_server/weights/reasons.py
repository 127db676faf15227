"""Why weights cannot be had: every reason with its sentence and remedy, as the operator reads it.

It must never hold a token, a signed address or another library's own words: those may carry either.
"""

import json
from enum import StrEnum
from typing import Final, Self

from qwen_server.termination import EXIT_CONFIG, EXIT_SOFTWARE, MESSAGE_BYTES

EXIT_AGAIN: Final = 75
"""EX_TEMPFAIL of sysexits.h: the same Job may succeed later, and goes on where this one ended."""


class Reason(StrEnum):
    """A name for the operator, and the sentence for a person, with places for facts."""

    sentence: str

    def __new__(cls, name: str, sentence: str) -> Self:
        """The name is the value; the sentence hangs on it."""
        member = str.__new__(cls, name)
        member._value_ = name
        member.sentence = sentence
        return member

    INVALID_ARGUMENT = "InvalidArgument", "{why}"
    SOURCE_INVALID = "SourceInvalid", "{uri} is no source of weights: {why}; write {example}."
    SOURCE_UNAUTHORIZED = (
        "SourceUnauthorized",
        "{place} refuses {what}: {why}; {remedy}.",
    )
    SOURCE_GATED = (
        "SourceForbiddenGated",
        "{what} is gated on {place}; accept its conditions there, as the owner of the token in model.credentialsRef.",
    )
    SOURCE_NOT_FOUND = "SourceNotFound", "{place} has no {what}; check the name in model.uri."
    REVISION_NOT_FOUND = (
        "RevisionNotFound",
        "{what} has no revision {revision} on {place}; take a branch, tag or commit that exists.",
    )
    NO_SAFETENSORS = (
        "NoSafetensors",
        "{what} holds no *.safetensors at its top; choose a repository that does: pickled weights are never read.",
    )
    MODEL_INVALID = "ModelInvalid", "{what} is no complete model: {why}; {remedy}."
    MODEL_PATH_NOT_FOUND = (
        "ModelPathNotFound",
        "There is no folder {folder}; check the path in model.uri and what the volume holds.",
    )
    NOT_VERIFIED = "NotVerified", "{folder} is not verified: {why}; {remedy}."
    CHECKSUM_MISMATCH = (
        "ChecksumMismatch",
        "{name} did not have the hash that {place} gives, {times} times; look for a proxy or disk that alters data.",
    )
    RATE_LIMITED = (
        "RateLimited",
        "{place} limits requests (429){pause}; wait, or give a token with a higher limit in model.credentialsRef.",
    )
    SOURCE_UNREACHABLE = (
        "SourceUnreachable",
        "{place} cannot be reached ({why}); check name resolution, proxy and egress rules of the weights Job.",
    )
    SOURCE_FAILED = "SourceFailed", "{place} failed with HTTP status {status}; try again later, or use a mirror."
    DOWNLOAD_STALLED = (
        "DownloadStalled",
        "{place} sent nothing for {seconds} s; check the network, or use a mirror nearer by.",
    )
    OUT_OF_SPACE = (
        "OutOfSpace",
        "{folder} has {free} free and {needed} more are needed; make the claim {least} or larger (cache.size).",
    )
    FOLDER_NOT_WRITABLE = (
        "FolderNotWritable",
        "{folder} cannot be written to ({why}); check the claim's access mode and fsGroup.",
    )
    FOLDER_TAKEN = "FolderTaken", "{folder} holds {found}; give {wanted} a folder of its own."
    FETCH_FAILED = "FetchFailed", "The fetch failed by a defect of its own: {why}."

    def about(self, retry_after: float | None = None, **facts: object) -> "WeightsError":
        """The error with its sentence completed; `retry_after` in seconds if the source asked for a pause."""
        return WeightsError(self, self.sentence.format(**facts), retry_after)


TRANSIENT: Final = frozenset(
    {
        Reason.RATE_LIMITED,
        Reason.SOURCE_UNREACHABLE,
        Reason.SOURCE_FAILED,
        Reason.DOWNLOAD_STALLED,
        Reason.CHECKSUM_MISMATCH,
    }
)
"""What may be gone the next time; everything else but a defect is for the user to mend."""


class WeightsError(Exception):
    """Weights cannot be had."""

    def __init__(self, reason: Reason, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.retry_after = retry_after

    @property
    def exit_status(self) -> int:
        """78 for what a user must mend, 75 for what may pass by itself, 70 for a defect."""
        if self.reason is Reason.FETCH_FAILED:
            return EXIT_SOFTWARE
        return EXIT_AGAIN if self.reason in TRANSIENT else EXIT_CONFIG

    def line(self) -> str:
        """The termination message, in the form of the server's own: `{"reason": …, "message": …}`."""
        sentence = " ".join(self.message.split()).encode(errors="replace")[:MESSAGE_BYTES].decode(errors="ignore")
        return json.dumps({"reason": str(self.reason), "message": sentence}, ensure_ascii=False)
