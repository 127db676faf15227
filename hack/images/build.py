"""Builds what is missing of an order and pushes it, one image after the other, and says what each is called."""

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hack.cluster.packages import search_path
from hack.cluster.steps import Report, Running, silence, step
from hack.images import borrowed, debian, recipe, tools, wheel
from hack.images.buildah import Buildah
from hack.images.builder import Builder, Plan
from hack.images.docker import BASE
from hack.images.errors import ImageError
from hack.images.process import Runner
from hack.images.storage import CHECKOUT, Storage, storage

GIB = 1 << 30


@dataclass(frozen=True, kw_only=True)
class Order:
    """Images to build by target; with a registry (`host[:port][/path]`) they bear its name, and are pushed if so asked.

    `base` is an image with Debian bookworm's apt to stand on instead of the one that is made or pulled. `docker` says
    whether docker will do where it works: by default it pushes to no registry that speaks plain HTTP.
    """

    targets: tuple[str, ...]
    registry: str | None = None
    push: bool = False
    base: str | None = None
    docker: bool = True


def build(order: Order, report: Report = silence) -> dict[str, str]:
    """Build, and push if asked; what is there under its name is not built again.

    Returns:
        The whole reference of every image by its target, also of those that were not asked for and need not exist.

    Raises:
        ImageError: a target is unknown, a tool is missing, the disk is too small, or a build or a push failed.
        ClusterError: a Debian package could not be installed.
    """
    unknown = [target for target in order.targets if target not in recipe.IMAGES]
    if unknown:
        raise ImageError(f"There is no image {unknown[0]}: choose from {', '.join(recipe.IMAGES)}.")
    kept = storage()
    lent = borrowed.observed()
    with step("Build tools", report) as now:
        builder = tools.builder(kept, lent, docker=order.docker)
        now.detail("buildah" if isinstance(builder, Buildah) else "docker")
    with alone(kept, report), swept(builder):
        return Work(builder, kept, lent, report).carry_out(order)


@contextmanager
def alone(kept: Storage, report: Report) -> Iterator[None]:
    """Hold the one right to build; waits for another run to end."""
    kept.folder.mkdir(parents=True, exist_ok=True)
    with kept.lock.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with step("Other build", report) as now:
                now.detail("waiting until another build of images has ended")
                fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def sweep(builder: Buildah) -> None:
    """Remove containers and temporary files of every build, of one that was killed too; only while nobody builds."""
    subprocess.run(builder.sweep_line(), capture_output=True, check=False)
    temporary = builder.storage.temporary
    if str(temporary) not in Path("/proc/self/mountinfo").read_text():  # never delete through a mount
        shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True, exist_ok=True)


@contextmanager
def swept(builder: Builder) -> Iterator[None]:
    """Sweep around a block; docker does so itself."""
    if not isinstance(builder, Buildah):
        yield
        return
    sweep(builder)
    try:
        yield
    finally:
        sweep(builder)


@dataclass(frozen=True)
class Work:
    """A build under way: the program, where things lie, what is lent, and who watches."""

    builder: Builder
    storage: Storage
    lent: borrowed.Borrowed
    report: Report

    def carry_out(self, order: Order) -> dict[str, str]:
        """The steps of `build`, once nobody else builds."""
        with step("Wheel", self.report) as now:
            made = wheel.make(CHECKOUT, self._runner(now))
            now.detail(made.name)
        with step("Base image", self.report) as now:
            base = order.base or self._base(now)
            now.detail(base)
        tags = {target: recipe.tag(contents(image, made, base)) for target, image in recipe.IMAGES.items()}
        for target in order.targets:
            with step(f"Image {target}", self.report) as now:
                now.detail(self._provide(recipe.IMAGES[target], tags[target], base, order, now))
        return {target: recipe.reference(order.registry, target, tagged) for target, tagged in tags.items()}

    def _base(self, now: Running) -> str:
        return debian.make(self.builder, self._runner(now)) if isinstance(self.builder, Buildah) else BASE

    def _provide(self, image: recipe.Image, tagged: str, base: str, order: Order, now: Running) -> str:
        here, there = (recipe.reference(where, image.target, tagged) for where in (None, order.registry))
        runner = self._runner(now)
        found = runner.succeeds(self.builder.find_line(here))
        if not found:
            self._build(image, here, base, runner)
        if there != here:
            runner.run(self.builder.tag_line(here, there))
        if order.push:
            now.detail(f"pushing {there}")
            runner.run(self.builder.push_line(there))
        return f"{there} {'was there' if found else 'built'}{', pushed' if order.push else ''}"

    def _build(self, image: recipe.Image, reference: str, base: str, runner: Runner) -> None:
        free = shutil.disk_usage(self.storage.folder).free
        if isinstance(self.builder, Buildah) and free < image.disk:
            raise ImageError(
                f"{free / GIB:.1f} GiB are free in {self.storage.folder}, and the image {image.target} may need "
                f"{image.disk / GIB:.0f} GiB: free some, or name a folder on a larger disk with XDG_CACHE_HOME."
            )
        self.lent.uv_cache.mkdir(parents=True, exist_ok=True)
        with private(self.storage.environment, borrowed.script(self.lent, self.builder.uv_cache)) as environment:
            secrets = borrowed.secrets(self.lent, environment)
            plan = Plan(target=image.target, reference=reference, base=base, secrets=secrets)
            runner.run(self.builder.build_line(plan, CHECKOUT))

    def _runner(self, now: Running) -> Runner:
        own = {**self.builder.environment, "PATH": search_path(), "DEBIAN_FRONTEND": "noninteractive"}
        return Runner(self.storage.log, {**os.environ, **own}, CHECKOUT, now.detail)


def contents(image: recipe.Image, made: Path, base: str) -> Mapping[str, bytes]:
    """Everything that goes into an image, by name."""
    read = {name: (CHECKOUT / name).read_bytes() for name in recipe.files(image)}
    return read | {"wheel": made.read_bytes(), "base": base.encode()}


@contextmanager
def private(path: Path, text: str) -> Iterator[Path]:
    """A file for the time of a block that only this user may read."""
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(text)
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)
