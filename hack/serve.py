"""The server on this machine with the scripted engine and a throw-away key: `make serve`; no model, no cluster."""

import secrets
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

PORT = 8000
MANAGEMENT_PORT = 8001


def curl(key: str) -> str:
    """The line that tries it."""
    body = '{"model": "qwen3", "messages": [{"role": "user", "content": "Hello"}]}'
    headers = f"-H 'Authorization: Bearer {key}' -H 'Content-Type: application/json'"
    return f"curl {headers} http://localhost:{PORT}/v1/chat/completions -d '{body}'"


def command(folder: Path) -> list[str]:
    """The server's own command line, as the operator writes it for a pod."""
    arguments = {
        "--model": folder / "model",
        "--served-model-name": "qwen3",
        "--device": "cpu",
        "--engine": "scripted",
        "--keys": folder / "keys",
        "--port": PORT,
        "--management-port": MANAGEMENT_PORT,
        "--endpoint-delay": 0,
        "--drain-timeout": 5,
        "--termination-log": folder / "termination-log",
    }
    words = [str(word) for pair in arguments.items() for word in pair]
    return [sys.executable, "-m", "qwen_server", *words]


def main() -> int:
    """Serve until interrupted; the server's own exit status."""
    with tempfile.TemporaryDirectory(prefix="qwen-serve-") as name:
        folder, key = Path(name), secrets.token_urlsafe(24)
        for part in ("model", "keys"):
            (folder / part).mkdir()
        (folder / "keys/default").write_text(key)
        if not sys.stderr.isatty():  # there the server itself says how to ask
            print(f"Try it in another terminal, end it here with Ctrl-C:\n\n  {curl(key)}\n", flush=True)
        with subprocess.Popen(command(folder)) as server:
            signal.signal(signal.SIGTERM, lambda *_: server.terminate())
            try:
                return server.wait()
            except KeyboardInterrupt:
                return server.wait()  # the terminal has sent it the signal too; it drains and ends


if __name__ == "__main__":
    sys.exit(main())
