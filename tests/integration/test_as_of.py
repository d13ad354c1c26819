"""As of a past day: what is computed does not know what came later, and does not change when that is deleted.

A small company is landed every fifth day and on the first of each month. The features of the churn model stand the same test: it is the
proof that they don't leak.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

import pandas as pd
import pytest

from orchestration.assets.raw import land
from orchestration.churn_model import NOT_FEATURES
from orchestration.contracts import load_contracts
from orchestration.domains import DOMAINS, source_setting
from orchestration.landing import Lake
from orchestration.predict.leakage import LeakageError, check_rebuilt
from orchestration.settings import Settings, load_settings
from orchestration.sources.demo.company import DemoCompany
from orchestration.window import make_window
from tests.asof import Copy, Model, compiled

DAYS = 10  # a build takes two seconds
SNAPSHOTS = "int_predictions__churn_snapshots"
TABLES = ("fct_customer_mrr", "fct_mrr_movements", "fct_lifecycle_stages", "fct_customer_health_daily", SNAPSHOTS)
ENDS_LATER = "select customer_id, min(valid_to - date '{day}') as planted from marts.fct_customer_mrr where valid_to > date '{day}' group by all"


@dataclass
class Landed:
    settings: Settings
    models: list[Model]
    loads: list[date]

    def model(self, name: str) -> Model:
        return next(model for model in self.models if model.name == name)


@pytest.fixture(scope="module")
def landed(tmp_path_factory) -> Landed:
    folder = tmp_path_factory.mktemp("as_of")
    company = DemoCompany.generate(customers=24, days=220, seed=5, horizon=0)
    settings = load_settings(data_dir=folder / "data", files_dir=folder / "drop", **{source_setting(each).lower(): ("files",) for each in DOMAINS})
    settings.data_dir.mkdir()
    lake, before = Lake(settings.lake_dir, settings.quarantine_dir, load_contracts()), None
    span = [company.last_day - timedelta(days=number) for number in reversed(range(61))]
    days = [day for number, day in enumerate(span) if number % 5 == 0 or day.day == 1]
    for day in days:
        company.write_files(settings.files_dir, until=day, since=before)
        land(settings, lake, make_window(day, day, newest=None, restatement_days=settings.restatement_days), f"load-{day}")
        before = day
    return Landed(settings, compiled(settings, TABLES), days)


def test_deleting_what_came_later_changes_nothing(landed: Landed):
    """From the newest day to the oldest, so that each deletion adds to those before."""
    span = (landed.loads[-1] - landed.loads[0]).days
    days = sorted((landed.loads[0] + timedelta(days=number) for number in Random(7).sample(range(span), DAYS)), reverse=True)
    whole, cut = Copy(landed.settings), Copy(landed.settings)
    deleted, seen = 0, {table: set() for table in TABLES}
    for day in days:
        deleted += cut.forget_after(day)
        for copy in (whole, cut):
            copy.build(landed.models, day)
        for table in TABLES:
            rows = whole.rows(landed.model(table))
            assert rows == cut.rows(landed.model(table)), f"{table} as of {day} knows what came later"
            seen[table].add(hash(tuple(rows)))
    assert deleted > 1_000
    alike = {table: len(kinds) for table, kinds in seen.items() if len(kinds) < 5}
    assert not alike, "the days look alike, so little was compared"


def features_on(copy: Copy, landed: Landed, day: date, *, planted: bool = False) -> pd.DataFrame:
    sql = f"select * from {landed.model(SNAPSHOTS).relation} where as_of_date = date '{day}' order by customer_id"
    if planted:
        sql = f"select * from ({sql}) left join ({ENDS_LATER.format(day=day)}) using (customer_id) order by customer_id"
    found = copy.connection.execute(sql).df().set_index("customer_id")
    return found.drop(columns=[name for name in NOT_FEATURES if name != "customer_id"])


def test_features_of_a_past_day_are_what_that_day_knew(landed: Landed):
    """What trains a model, past snapshots built with all of the lake, against the same built without what happened later; and a feature that
    looks ahead. A day is settled when the restatement window is over: what happened on it and landed until then is no later fact."""
    whole, cut = Copy(landed.settings), Copy(landed.settings)
    whole.build(landed.models, landed.loads[-1])
    firsts = [day for day in reversed(landed.loads) if day.day == 1]  # of days with a load: what happened on them has landed
    assert len(firsts) == 2
    for day in firsts:
        settled = day + timedelta(days=landed.settings.restatement_days)
        cut.forget_after(day, landed_until=settled)
        cut.build(landed.models, settled)
        built, rebuilt = features_on(whole, landed, day), features_on(cut, landed, day)
        assert len(built) > 10 and built.notna().sum().sum() > 200
        check_rebuilt(built, rebuilt)
        with pytest.raises(LeakageError, match="'planted'") as refusal:
            check_rebuilt(features_on(whole, landed, day, planted=True), features_on(cut, landed, day, planted=True))
        assert refusal.value.features == ("planted",)
