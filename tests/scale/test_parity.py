"""15 daily runs = one run over 15 days = a full rebuild, on a small demo. `make parity` does the same for 60 days."""

from __future__ import annotations

import pytest

from tests.scale.parity import parity


@pytest.mark.timeout(2400)
def test_daily_runs_a_range_and_a_rebuild_agree_on_every_mart(tmp_path):
    daily, ranged, rebuilt = parity(tmp_path, days=15, customers=30, history=150)
    assert len(daily) >= 12
    assert daily == rebuilt
    assert daily == ranged
