"""The sandbox image: one static program and nothing else, as an archive that containerd imports."""

import hashlib
import io
import json
import tarfile
from typing import Final

IMAGE: Final = "localhost/pause:1"
ARCHITECTURES: Final = {"x86_64": "amd64", "aarch64": "arm64"}


def archive(program: bytes, machine: str) -> bytes:
    """The image in `docker save` format; equal input gives equal bytes. `machine` is what `uname -m` prints."""
    layer = _tar({"pause": program}, mode=0o755)
    config = json.dumps(
        {
            "architecture": ARCHITECTURES.get(machine, machine),
            "os": "linux",
            "config": {"Entrypoint": ["/pause"], "User": "65535:65535"},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
        }
    ).encode()
    manifest = json.dumps([{"Config": "config.json", "RepoTags": [IMAGE], "Layers": ["layer.tar"]}]).encode()
    return _tar({"config.json": config, "layer.tar": layer, "manifest.json": manifest}, mode=0o644)


def _tar(files: dict[str, bytes], mode: int) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), mode
            tar.addfile(entry, io.BytesIO(content))
    return stream.getvalue()
