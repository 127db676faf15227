"""Where operators that are broken on purpose are found out, and by what."""

from typing import NamedTuple

from tests.operator_api.emulator.faults import Strike
from tests.operator_api.proofs import breaking
from tests.operator_api.proofs.breaking import Fault
from tests.operator_api.proofs.crashing import Blow, divergences, writes
from tests.operator_api.proofs.outages import Outage, complaints
from tests.operator_api.proofs.schedules import endured


class Shown(NamedTuple):
    """A fault, and where it shows: at which write of which flow, if what befalls it; with no write, without a blow."""

    fault: Fault
    flow: str
    write: str = ""
    blow: Blow = Blow(Strike.BEFORE)

    def lines(self) -> list[str]:
        """What the proof says of such an operator."""
        try:
            with self.fault():
                at = [number for number, each in enumerate(writes(self.flow), 1) if each == self.write]
                found = divergences(self.flow, dict.fromkeys(at[-1:], (self.blow,)))
        except AssertionError as error:
            return [str(error)]
        return [line for lines in found.values() for line in lines]


SHOWN: tuple[Shown, ...] = (
    Shown(breaking.a_conflict_is_an_error, "create", "create secrets ", Blow(Strike.AFTER)),
    Shown(breaking.each_process_has_its_own_secret, "create", "create secrets ", Blow(Strike.AFTER)),
    Shown(breaking.only_what_it_made_is_deleted, "delete", "delete poddisruptionbudgets qwen3"),
    Shown(breaking.a_conflict_is_a_success, "create", "patch services qwen3", Blow(Strike.INSTEAD, False, 409)),
    Shown(breaking.a_failed_write_is_not_repeated, "create", "patch services qwen3", Blow(Strike.INSTEAD, False, 500)),
    Shown(
        breaking.a_failed_status_is_not_repeated,
        "create",
        "patch qwenmodels/status qwen3",
        Blow(Strike.INSTEAD, False, 500),
    ),
    Shown(breaking.stored_progress_is_believed, "create", "patch deployments qwen3"),
    Shown(breaking.no_way_back_is_kept, "rollout and roll-back"),
)


class Withheld(NamedTuple):
    """A fault, and a script that it shows in, in the weather of one of the first hundred seeds."""

    fault: Fault
    script: str

    def lines(self) -> list[str]:
        """What the proof says of such an operator."""
        with self.fault():
            for first in range(1, 101, 10):
                found, broken = endured(self.script, range(first, first + 10))
                if lines := [line for end in found.values() for line in end.wrong] + list(broken.values()):
                    return lines
        return []


WITHHELD: tuple[Withheld, ...] = (
    Withheld(breaking.nothing_lost_is_looked_for, "create"),
    Withheld(breaking.a_list_takes_nothing_away, "fence"),
    Withheld(breaking.every_model_is_taken_for_new, "again"),
    Withheld(breaking.a_former_models_secret_is_taken_for_its_own, "again"),
    Withheld(breaking.whatever_comes_last_is_the_newest, "scale"),
)


class Away(NamedTuple):
    """A fault that shows when the API server is away for ten minutes."""

    fault: Fault

    def lines(self) -> list[str]:
        """What the proof says of such an operator."""
        with self.fault():
            return complaints((Outage(600),))


AWAY: tuple[Away, ...] = (
    Away(breaking.nobody_waits_between_two_tries),
    Away(breaking.an_api_server_is_given_up_for_minutes),
)
