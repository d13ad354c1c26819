"""The demo company's calendar and its records with a history."""

from datetime import UTC, datetime

import numpy as np
import pandas as pd

from orchestration.sources.demo.base import NEVER, Versions, add_months, ids, join_versions, seconds, stamp
from orchestration.sources.demo.files import decimal


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def test_month_ends_keep_their_day_where_the_month_is_long_enough():
    start = np.full(4, at("2024-01-31T10:30:00"))
    assert add_months(start, np.array([0, 1, 2, 13])).tolist() == [
        at(t) for t in ("2024-01-31T10:30", "2024-02-29T10:30", "2024-03-31T10:30", "2025-02-28T10:30")
    ]


def test_never_is_no_time_and_negative_numbers_are_no_id():
    assert np.isnat(stamp(np.array([NEVER]))[0])
    assert ids("a_", np.array([7, -1]), 3).to_pylist() == ["a_007", None]


def test_decimals_are_exact_and_keep_their_sign():
    assert [str(v) for v in decimal(np.array([-1999, 5, 300]), np.array([2, 2, 0])).to_pylist()] == ["-19.9900", "0.0500", "300.0000"]


def versions() -> Versions:
    frame = pd.DataFrame({"id": ["a", "a", "b", "b", "c"], "state": [1, 2, 1, 9, 1]})
    return Versions.build(frame, np.array([0, 0, 1, 1, 2]), np.array([10, 20, 15, 30, 40]), np.array([False, False, False, True, False]))


def test_a_view_holds_the_newest_version_of_each_record_seen_so_far():
    assert versions().view(20)["state"].tolist() == [1, 1]  # what happens at second 20 is not seen before it is over
    assert versions().view(21)["state"].tolist() == [2, 1]


def test_what_vanished_is_gone_without_trace():
    assert versions().view(31)["id"].tolist() == ["a"]
    assert versions().view(41)["id"].tolist() == ["a", "c"]


def test_since_gives_only_what_is_new_or_changed():
    assert versions().view(25, since=15)["id"].tolist() == ["a", "b"]
    assert versions().view(25, since=21)["id"].tolist() == []


def test_blocks_are_joined_without_mixing_their_keys():
    joined = join_versions([versions(), versions()])
    assert joined.view(100)["id"].tolist() == ["a", "c", "a", "c"]


def test_seconds_take_dates_and_naive_times_as_utc():
    assert seconds(datetime(2024, 1, 1)) == seconds(datetime(2024, 1, 1, tzinfo=UTC)) == at("2024-01-01T00:00")
