"""npm's lock without what is never installed."""

from hack.npm_lock import needed


def test_only_what_is_needed_stays_in_the_lock() -> None:
    """With its hash; neither what a machine may have besides, nor a sponsor's address."""
    agent: dict[str, object] = {"version": "1.0.0", "integrity": "sha512-a"}
    packages: dict[str, dict[str, object]] = {
        "": {"dependencies": {"agent": "1.0.0"}},
        "node_modules/agent": {**agent, "optionalDependencies": {"terminal": "2"}, "funding": {"url": "https://x"}},
        "node_modules/terminal": {"version": "2.0.0", "integrity": "sha512-b", "optional": True},
    }

    assert needed(packages) == {"": packages[""], "node_modules/agent": agent}
