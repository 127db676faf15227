"""Write the golden files anew; review what changed with `git diff tests/golden`."""

from pathlib import Path

from tests.golden.written import files

HERE = Path(__file__).parent


def main() -> None:
    """Write every file, remove those of examples that are gone."""
    written = files()
    for path in (HERE / "children").glob("*.yaml"):
        if f"children/{path.name}" not in written:
            path.unlink()
    for name, text in written.items():
        (HERE / name).parent.mkdir(exist_ok=True)
        (HERE / name).write_text(text)


if __name__ == "__main__":
    main()
