"""Twenty-five faults that must leave nothing lost, each with the tests that show it; docs/reliability.md follows."""

from typing import NamedTuple


class Fault(NamedTuple):
    """What goes wrong, and who shows that nothing is lost by it: paths below `tests`, with the names of functions."""

    what: str
    shown: tuple[str, ...]


PROOFS, API = "operator_api/proofs", "operator_api"
FAULTS: tuple[Fault, ...] = (
    Fault(
        "the operator is killed before or after a write",
        (
            f"{PROOFS}/test_crashes.py::test_whatever_befalls_a_write_ends_where_a_quiet_run_does",
            f"{API}/test_process.py::test_killed_and_started_again_it_finds_nothing_to_write",
        ),
    ),
    Fault(
        "a write is carried out and its answer is lost",
        (
            f"{PROOFS}/test_crashes.py::test_whatever_befalls_a_write_ends_where_a_quiet_run_does",
            f"{API}/test_faults.py::test_an_answer_that_is_lost_leads_to_no_second_object",
        ),
    ),
    Fault(
        "a write is answered by 409 or 422",
        (
            f"{PROOFS}/test_crashes.py::test_a_key_is_made_though_a_quota_changed_at_that_moment",
            f"{API}/test_drift.py::test_a_port_that_somebody_renumbered_stands_in_the_way_and_is_told_with_the_way_out",
        ),
    ),
    Fault("429 or 5xx for 1 s, 60 s, 10 min", (f"{PROOFS}/test_outages.py",)),
    Fault(
        "connections are taken and reset again and again",
        (
            f"{API}/test_informer.py::test_a_server_that_hangs_up_at_once_is_asked_at_most_once_a_second",
            f"{PROOFS}/test_outages.py",
        ),
    ),
    Fault(
        "a watch is half open",
        (f"{PROOFS}/test_zombies.py::test_whatever_is_taken_from_it_somebody_knows_within_two_minutes",),
    ),
    Fault(
        "410 on a watch or on a page of a list",
        (
            f"{API}/test_informer.py::test_after_410_it_lists_again_and_infers_what_was_deleted",
            f"{API}/test_emulator.py::test_a_watch_from_before_the_compaction_is_told_gone",
        ),
    ),
    Fault(
        "a child is deleted while nobody watches",
        (
            f"{API}/test_faults.py::test_a_child_that_vanished_unseen_is_made_again_after_a_list",
            f"{API}/test_informer.py::test_what_no_event_told_of_is_seen_within_ten_minutes",
        ),
    ),
    Fault(
        "a model is deleted and made again under its name while the operator is away",
        (
            f"{API}/rights/test_what_is_there.py::test_a_child_of_another_model_of_the_same_name_is_left_alone",
            f"{API}/test_faults.py::test_a_model_that_was_deleted_unseen_gets_no_children_any_more",
        ),
    ),
    Fault("events are lost, doubled, late, out of order", (f"{PROOFS}/test_schedules.py",)),
    Fault(
        "a list at the start is an hour old",
        (f"{PROOFS}/test_strange_beginnings.py::test_a_stale_list_at_the_start_destroys_nothing",),
    ),
    Fault(
        "the token is not taken for half a minute",
        (f"{PROOFS}/test_strange_beginnings.py::test_half_a_minute_without_a_token_that_is_taken_loses_nothing",),
    ),
    Fault(
        "a right is missing on one kind",
        (
            f"{API}/test_faults.py::test_a_forbidden_write_of_one_kind_costs_that_kind_alone",
            f"{API}/test_faults.py::test_a_kind_that_may_not_be_watched_does_not_stop_the_others",
        ),
    ),
    Fault(
        "the definition goes, and comes again",
        (
            f"{PROOFS}/test_leaving.py::test_an_uninstallation_leaves_nothing_in_any_order",
            f"{API}/test_faults.py::test_an_absent_definition_is_one_sentence",
            "cluster/test_uninstall.py::test_a_second_installation_finds_the_models_of_the_first",
        ),
    ),
    Fault(
        "two operators at once, one of them paused, or with a wrong clock",
        (f"{PROOFS}/test_rivals.py::test_of_two_operators_one_writes_and_the_other_takes_over_in_time",),
    ),
    Fault(
        "somebody edits or deletes what is ours",
        (
            f"{API}/test_drift.py::test_every_field_of_ours_comes_back",
            f"{API}/test_operator.py::test_a_deleted_child_is_made_again",
        ),
    ),
    Fault(
        "an autoscaler wants replicas, too",
        (f"{API}/test_scale.py::test_a_real_autoscaler_and_the_operator_do_not_pull_at_replicas",),
    ),
    Fault(
        "a spec is wrong, and is corrected",
        (
            f"{API}/schema/test_rules.py::test_a_bad_spec_is_refused_and_the_field_is_named",
            f"{API}/test_faults.py::test_one_models_trouble_is_not_the_others",
            "cluster/test_reasons.py::test_the_remedy_that_is_printed_mends_it",
        ),
    ),
    Fault(
        "a quota is full, an image or a GPU or a claim is missing",
        (
            "cluster/test_reasons.py::test_the_cause_and_the_remedy_are_named",
            "cluster/test_reasons.py::test_a_claim_that_comes_later_is_noticed",
            "cluster/test_reasons.py::test_a_model_in_trouble_leaves_its_neighbours_alone",
        ),
    ),
    Fault(
        "the operator is uninstalled first",
        (
            f"{PROOFS}/test_leaving.py::test_an_uninstallation_leaves_nothing_in_any_order",
            "cluster/test_uninstall.py::test_the_operator_leaves_first_and_its_models_can_still_be_deleted",
        ),
    ),
    Fault(
        "another release comes, and the former one again",
        ("operator_unit/core/test_release.py::test_a_release_of_the_operator_writes_nothing",),
    ),
    Fault(
        "SIGTERM with streams running",
        (
            "server_unit/test_process.py::test_sigterm_cuts_no_stream",
            "server_unit/test_kept_connections.py::test_no_connection_is_kept_until_requests_are_refused",
            "cluster/test_rollouts.py::test_of_a_thousand_requests_none_fails_and_none_is_cut",
        ),
    ),
    Fault(
        "the engine dies or hangs in the middle of streams",
        (
            "server_engine/test_process_life.py::test_a_killed_worker_ends_every_stream_and_the_process",
            "server_engine/test_process_life.py::"
            "test_a_stopped_engine_is_silence_until_the_stall_limit_and_death_from_then_on",
        ),
    ),
    Fault(
        "a key is changed under load, its file half written, empty or missing",
        ("server_unit/test_keys_under_load.py::test_no_state_of_a_key_file_refuses_a_valid_key_or_lets_in_another",),
    ),
    Fault(
        "weights are half there or damaged",
        (
            "weights_unit/test_kills.py::test_a_fetch_that_is_killed_twenty_times_goes_on_each_time",
            "weights_unit/test_verification.py::test_a_fetch_that_checks_hashes_mends_one_flipped_bit",
            "weights_unit/test_verification.py::test_the_server_refuses_what_is_not_as_it_was_verified",
        ),
    ),
)
