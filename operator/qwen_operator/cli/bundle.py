"""`kubectl qwen bundle`: a support archive of one model with secrets scrubbed.

Why it exists: whoever helps needs the model, its children, events and logs, and has no rights in the cluster. It must
never ask for a Secret.
"""

import argparse
import io
import sys
import tarfile
from collections.abc import AsyncIterator, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from qwen_operator.cli import access, chain, endings, output, scrubbing, where, why
from qwen_operator.cli.access import Access
from qwen_operator.cli.around import Around, around
from qwen_operator.cli.endings import Mistake, NotThere, Unknowable
from qwen_operator.core import pods
from qwen_operator.core.excerpt import scrubbed
from qwen_operator.core.resource import InvalidResource, parse
from qwen_operator.core.snapshot import Manifest, Snapshot

OURS = ("deployment", "service", "claim", "disruption_budget", "network_policy")
"""Fields of a snapshot that hold one object."""


def add_to(verbs: Any) -> None:
    """Add the verb to the command line."""
    parser = where.verb(
        verbs,
        "bundle",
        "a support archive with secrets scrubbed",
        "Gather a model, its children, events and logs in a tar.gz, as far as you may read them. No Secret is\n"
        "asked for, and what looks like a key or a password is removed. What is in it is printed.",
        endings.listed(endings.DONE),
    )
    parser.set_defaults(verb=run)
    where.add_model(parser)
    parser.add_argument("--file", metavar="FILE", type=Path, help="default: <NAME>-<time>.tar.gz in this folder")
    output.add_to(parser)


def run(options: argparse.Namespace) -> int:
    """Write it; returns the exit status."""
    now = datetime.now(UTC)
    path = options.file or Path(f"{options.name}-{now:%Y%m%dT%H%M%SZ}.tar.gz")

    async def work(cluster: Access) -> int:
        body = await cluster.model(options.name)
        files = dict(sorted([each async for each in _files(cluster, body, now)]))
        _write(path, files, now)
        if options.output:
            output.write({"file": str(path), "contents": list(files)}, options.output)
        else:
            print(path)
            print("\n".join(f"  {name}  {len(text.encode()):,} bytes" for name, text in files.items()), file=sys.stderr)
        return endings.YES

    return access.carried_out(options, work)


async def _files(cluster: Access, body: Manifest, now: datetime) -> AsyncIterator[tuple[str, str]]:
    """Names and texts."""
    yield "qwenmodel.yaml", _yaml(body)
    try:
        found = await around(cluster, parse(body))
    except InvalidResource:
        found = Around()
    account = chain.account(body, found, now.isoformat(timespec="seconds"))
    yield "why.yaml", output.text(why.document(account), "yaml")
    for name, manifest in _children(found.snapshot):
        yield name, _yaml(manifest)
    yield "events.yaml", "".join(map(_event, _about(body, found)))
    for pod in (*found.snapshot.pods, *found.snapshot.fetchers):
        async for name, text in _logs(cluster, pod):
            yield name, text
    if found.unseen:
        yield "not-seen.txt", "\n".join(found.unseen.values()) + "\n"


def _children(seen: Snapshot) -> Iterator[tuple[str, Manifest]]:
    for field in OURS:
        manifest: Manifest | None = getattr(seen, field)
        if manifest and "spec" in manifest:
            yield f"{field.replace('_', '-')}.yaml", manifest
    for job in seen.jobs:
        yield f"jobs/{job['metadata']['name']}.yaml", job
    for policy in seen.job_policies:
        yield f"jobs/{policy['metadata']['name']}.network-policy.yaml", policy
    for pod in (*seen.pods, *seen.fetchers):
        yield f"pods/{pods.name(pod)}.yaml", pod


async def _logs(cluster: Access, pod: Manifest) -> AsyncIterator[tuple[str, str]]:
    """Logs of the pod's containers, and of the run before the last restart."""
    for status in pod.get("status", {}).get("containerStatuses", ()):
        for previous in (False, *((True,) if status.get("restartCount") else ())):
            name = f"logs/{pods.name(pod)}.{status['name']}{'.previous' if previous else ''}.log"
            try:
                yield name, scrubbed(await cluster.log(pods.name(pod), status["name"], previous=previous))
            except (Unknowable, NotThere) as reason:
                yield name, f"{scrubbed(str(reason))}\n"


def _about(body: Manifest, found: Around) -> Iterable[Manifest]:
    """Events of the model and of what is named after it."""
    name = body["metadata"]["name"]
    for event in found.events:
        about = str((event.get("involvedObject") or event.get("regarding") or {}).get("name", ""))
        if about == name or about.startswith(f"{name}-"):
            yield event


def _event(event: Manifest) -> str:
    about = event.get("involvedObject") or event.get("regarding") or {}
    line = {
        "time": event.get("lastTimestamp") or event.get("eventTime") or "",
        "type": event.get("type", ""),
        "about": f"{about.get('kind', '')}/{about.get('name', '')}",
        "reason": event.get("reason", ""),
        "message": scrubbed(event.get("message") or event.get("note") or ""),
    }
    return output.text([line], "yaml")


def _yaml(manifest: Manifest) -> str:
    return output.text(scrubbing.without_secrets(manifest), "yaml")


def _write(path: Path, files: dict[str, str], now: datetime) -> None:
    folder = path.name.removesuffix(".gz").removesuffix(".tar").removesuffix(".tgz")
    try:
        with tarfile.open(path, "x:gz") as archive:
            for name, text in files.items():
                content = text.encode()
                entry = tarfile.TarInfo(f"{folder}/{name}")
                entry.size, entry.mtime, entry.mode = len(content), int(now.timestamp()), 0o600
                archive.addfile(entry, io.BytesIO(content))
    except OSError as error:
        raise Mistake(f"{path} can't be written: {error.strerror or error}; --file names another.") from None
