"""`kubectl qwen keys`: list, create, rotate and revoke the API keys of a model, with the rights of whoever types.

Why it exists: keys are people's business, and the operator holds no right to read them. It must never print a key but
the one that was just made, once, alone on standard output; none is ever taken from the command line.
"""

import argparse
import sys
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from qwen_operator.api_key import new_key
from qwen_operator.cli import access, endings, key_secret, keyring, models, output, values, where
from qwen_operator.cli.access import Access
from qwen_operator.cli.endings import Mistake, NotThere
from qwen_operator.cli.key_secret import Change, Keys
from qwen_operator.cli.keyring import Entry
from qwen_operator.cli.spans import since

OVERLAP = "24h"
STATES = {"Active": "green", "Expired": "dim", "Unusable": "red"}
IN_FORCE = "The server takes it up within seconds of the kubelet bringing it, a minute or so, without a restart."


def add_to(verbs: Any) -> None:
    """Add the verb, and its own four."""
    parser: argparse.ArgumentParser = verbs.add_parser(
        "keys", help="list, create, rotate and revoke API keys", description="The API keys of a model."
    )
    own = parser.add_subparsers(required=True, metavar="VERB")
    _add(own, "list", _list, "names, ends and fingerprints of all keys, never a key", named=False)
    create = _add(own, "create", _create, "a new key, shown once on standard output")
    rotate = _add(own, "rotate", _rotate, "a new value for a key; the former one lives on for a while")
    _add(own, "revoke", _revoke, "take a key away, with former values that still live")
    for each in (create, rotate):
        each.add_argument("--stdin", action="store_true", help="read the key from standard input instead of making one")
        each.add_argument("--expires", metavar="WHEN", type=_when, help="RFC 3339 time, or from now on: 30d, 12h")
    create.add_argument(
        "--hash", action="store_true", help="store only sha256:<hex>, from which nobody can tell the key"
    )
    rotate.add_argument(
        "--overlap", metavar="TIME", type=values.duration, default=values.duration(OVERLAP), help=f"default: {OVERLAP}"
    )


def _add(own: Any, name: str, run: Any, what: str, *, named: bool = True) -> argparse.ArgumentParser:
    parser = where.verb(own, name, what, f"{what[0].upper()}{what[1:]}.", endings.listed(endings.DONE))
    parser.set_defaults(verb=run)
    where.add_model(parser)
    if named:
        parser.add_argument("key", metavar="KEY", type=_name, help="name of the key")
    output.add_to(parser)
    return parser


def _list(options: argparse.Namespace) -> int:
    async def work(cluster: Access) -> int:
        keys = await key_secret.read(cluster, await models.parsed(cluster, options.name))
        found = keyring.entries(keys.data, keys.born, datetime.now(UTC))
        if options.output:
            output.write({"secret": keys.secret, "keys": [each._asdict() for each in found]}, options.output)
        else:
            Console(highlight=False).print(table(found, datetime.now(UTC)))
        return endings.YES

    return access.carried_out(options, work)


def _create(options: argparse.Namespace) -> int:
    key, now = _key(options), datetime.now(UTC)

    def decide(keys: Keys) -> Change:
        if options.key in keys.data:
            raise Mistake(
                f"There is a key {options.key} in Secret {keys.secret} already; "
                f"kubectl qwen keys rotate {options.name} {options.key} gives it a new value."
            )
        hashed = options.hash or key.startswith("sha256:")
        value = key if key.startswith("sha256:") else keyring.stored(key, hashed=hashed)
        patch = keyring.added(options.key, value, options.expires)
        return Change(patch, keyring.born_after(keys.born, patch, options.key, now))

    async def work(cluster: Access) -> int:
        keys = await key_secret.change(cluster, await models.parsed(cluster, options.name), decide, make=True)
        _tell(f"Key {options.key} is in Secret {keys.secret}. {IN_FORCE}")
        _show_once(options, key)
        return endings.YES

    return access.carried_out(options, work, writes=True)


def _rotate(options: argparse.Namespace) -> int:
    key, now = _key(options), datetime.now(UTC)

    def decide(keys: Keys) -> Change:
        _must_be_there(keys, options)
        data, name = keys.data, options.key
        end = next(each for each in keyring.entries(data, {}, now) if each.name == name)
        if end.state == "Expired" and options.expires is None:
            raise Mistake(f"Key {name} ended at {end.expires}; give the new value an end of its own with --expires.")
        hashed = keyring.is_hashed(data, name) and not key.startswith("sha256:")
        value = keyring.stored(key, hashed=hashed)
        patch = keyring.rotated(data, name, value, options.expires, now, options.overlap)
        return Change(patch, keyring.born_after(keys.born, patch, name, now))

    async def work(cluster: Access) -> int:
        keys = await key_secret.change(cluster, await models.parsed(cluster, options.name), decide)
        until = f"is valid until {now + options.overlap:%Y-%m-%dT%H:%M:%SZ} at most" if options.overlap else "is gone"
        _tell(f"Key {options.key} has a new value in Secret {keys.secret}; the former one {until}. {IN_FORCE}")
        _show_once(options, key)
        return endings.YES

    return access.carried_out(options, work, writes=True)


def _revoke(options: argparse.Namespace) -> int:
    def decide(keys: Keys) -> Change:
        _must_be_there(keys, options)
        patch = keyring.revoked(keys.data, options.key)
        return Change(patch, keyring.born_after(keys.born, patch, None, datetime.now(UTC)))

    async def work(cluster: Access) -> int:
        keys = await key_secret.change(cluster, await models.parsed(cluster, options.name), decide)
        gone = [options.key, *keyring.earlier_of(keys.data, options.key)]
        if options.output:
            output.write({"secret": keys.secret, "revoked": gone}, options.output)
        _tell(f"{', '.join(gone)} gone from Secret {keys.secret}; the server refuses it a minute or so from now.")
        if not any(keyring.is_key(name) and name not in gone for name in keys.data):
            _tell("That was the last key: nobody can call the model until there is another one.")
        return endings.YES

    return access.carried_out(options, work, writes=True)


def table(found: list[Entry], now: datetime) -> Table:
    """Keys for a terminal."""
    shown = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for column in ("NAME", "STATE", "FINGERPRINT", "STORED AS", "AGE", "EXPIRES"):
        shown.add_column(column, no_wrap=True)
    for each in found:
        age = since(each.created, now.isoformat()) if each.created else "-"
        kept = "digest" if each.hashed else "key"
        row = (each.fingerprint or "-", kept, age, each.expires or "never")
        shown.add_row(Text(each.name, "bold"), Text(each.state, STATES[each.state]), *row)
    return shown


def _must_be_there(keys: Keys, options: argparse.Namespace) -> None:
    if options.key not in keys.data or not keyring.is_key(options.key):
        raise NotThere(
            f"There is no key {options.key} in Secret {keys.secret}; "
            f"kubectl qwen keys list {options.name} names those that are."
        )


def _key(options: argparse.Namespace) -> str:
    """A new key, or the one that comes from standard input."""
    if not options.stdin:
        return new_key()
    key = sys.stdin.read().strip()
    if keyring.digest(key.encode()) is None:
        raise Mistake(
            "Standard input holds no key: one line of visible ASCII without spaces, or sha256:<64 hex digits>."
        )
    return key


def _show_once(options: argparse.Namespace, key: str) -> None:
    """The key and nothing else, so that it can be piped; whoever brought it knows it."""
    mark = (keyring.digest(key.encode()) or b"").hex()[:8]
    if options.output:
        brought = {} if options.stdin else {"key": key}
        output.write({"name": options.key, **brought, "fingerprint": mark}, options.output)
    elif not options.stdin:
        print(key)


def _tell(sentence: str) -> None:
    print(sentence, file=sys.stderr)


def _name(text: str) -> str:
    if not keyring.NAME.fullmatch(text) or not keyring.is_key(text):
        raise argparse.ArgumentTypeError(
            f"must be letters, digits, '-', '_' and '.', at most 100, and not end in {keyring.COMPANION}, not {text!r}"
        )
    return text


def _when(text: str) -> datetime:
    found = keyring.moment(text) or datetime.now(UTC) + values.duration(text)
    if found <= datetime.now(UTC):
        raise argparse.ArgumentTypeError(f"must be in the future, not {text!r}")
    return found
