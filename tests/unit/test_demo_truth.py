"""MRR truth and invoices of hand-made agreements: the numbers in here were worked out by hand."""

from datetime import UTC, datetime
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from orchestration.sources.demo.agreements import FOREVER, Agreements
from orchestration.sources.demo.base import NEVER, Scope
from orchestration.sources.demo.billing import make_ledger
from orchestration.sources.demo.truth import mrr_changes, mrr_intervals

TEAM, STARTER, ADD_ON = 1, 0, 4
MONTH, QUARTER, YEAR = 0, 1, 2


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def block(*subs: dict, changes: list[tuple] = (), days: int = 500) -> SimpleNamespace:
    """A company of these subscriptions and of (sub, time, quantity, plan, prorated) changes after their start."""
    blank = {"trial_start": NEVER, "percent": 0, "discount_months": 0, "by_invoice": False, "fee": False, "end": NEVER, "ended_by": ""}
    blank |= {"cancel_requested": NEVER, "unpaid_from": NEVER, "paused": NEVER, "resumed": NEVER, "reason": -1, "second_payer": False}
    blank |= {"kind": "main", "currency": "USD", "interval": MONTH, "plan": TEAM}
    table = pd.DataFrame([blank | {"sub": i, "cust": i} | sub for i, sub in enumerate(subs)])
    rows = [(i, s["start"], s["seats"], s["plan"], False) for i, s in table.iterrows()] + [
        (s, at(t), q, p, prorated) for s, t, q, p, prorated in changes
    ]
    moved = pd.DataFrame(rows, columns=["sub", "at", "quantity", "plan", "prorated"]).sort_values(["sub", "at"]).reset_index(drop=True)
    n = table["cust"].max() + 1
    who = pd.DataFrame({"customer": [f"C{i}" for i in range(n)], "country": ["DE"] * n, "number": np.arange(n) + 1})
    late = pd.DataFrame({"sub": [], "at": [], "days": []}, dtype="int64")
    agreements = Agreements(table, moved, late)
    scope = Scope(seed=1, block=0, first=0, customers=n, days=days, horizon=0)
    return SimpleNamespace(who=who, agreements=agreements, ledger=make_ledger(scope, who, agreements))


def intervals(company: SimpleNamespace, customer: str = "C0") -> list[tuple]:
    found = mrr_intervals(mrr_changes(company))
    found = found[found["customer"] == customer]
    return [(str(f.date()), None if pd.isna(t) else str(t.date()), m) for f, t, m in found[["valid_from", "valid_to", "mrr"]].itertuples(index=False)]


def test_a_year_is_twelve_months_and_a_change_of_seats_counts_from_its_day():
    # 10 seats at 790.00 a year = 658.3333 a month; 12 seats = 790.00.
    company = block({"start": at("2024-01-31T08:00"), "seats": 10, "interval": YEAR}, changes=[(0, "2024-06-15T12:00", 12, TEAM, True)])
    assert intervals(company) == [("2024-01-31", "2024-06-15", 658.3333), ("2024-06-15", None, 790.0)]


def test_an_expired_discount_expands():
    # 5 seats at 49.00 = 245.00; 20 % off for three months = 196.00.
    company = block({"start": at("2024-01-31T08:00"), "seats": 5, "plan": STARTER, "percent": 20, "discount_months": 3})
    assert intervals(company) == [("2024-01-31", "2024-04-30", 196.0), ("2024-04-30", None, 245.0)]


def test_a_discount_for_ever_never_expires():
    company = block({"start": at("2024-02-10T08:00"), "seats": 2, "percent": 10, "discount_months": FOREVER})
    assert intervals(company) == [("2024-02-10", None, 142.2)]


def test_a_currency_without_decimals_and_a_quarter():
    # 3 seats at 30,000 yen a quarter.
    company = block({"start": at("2024-02-10T08:00"), "seats": 3, "currency": "JPY", "interval": QUARTER})
    assert intervals(company) == [("2024-02-10", None, 30000.0)]
    assert company.ledger.invoices["total"].iloc[0] == 90_000


def test_an_unpaid_subscription_counts_until_it_is_ended():
    company = block(
        {"start": at("2024-03-05T08:00"), "seats": 2, "unpaid_from": at("2024-05-05T08:00"), "end": at("2024-05-26T13:00"), "ended_by": "involuntary"}
    )
    assert intervals(company) == [("2024-03-05", "2024-05-26", 158.0)]
    unpaid = company.ledger.invoices.iloc[2]
    assert unpaid["paid"] == NEVER and unpaid["written_off"] == at("2024-05-26T13:00")


def test_several_subscriptions_of_a_customer_add_up():
    add_on = {
        "cust": 0,
        "kind": "addon",
        "start": at("2024-03-01T00:00"),
        "seats": 2,
        "plan": ADD_ON,
        "end": at("2024-04-01T00:00"),
        "ended_by": "voluntary",
    }
    company = block({"start": at("2024-01-01T00:00"), "seats": 1}, add_on)
    assert intervals(company) == [("2024-01-01", "2024-03-01", 79.0), ("2024-03-01", "2024-04-01", 119.0), ("2024-04-01", None, 79.0)]


def test_a_trial_is_no_revenue():
    company = block(
        {"trial_start": at("2024-01-01T00:00"), "start": at("2024-01-15T00:00"), "seats": 1},
        {"trial_start": at("2024-01-01T00:00"), "start": at("2024-01-15T00:00"), "end": at("2024-01-15T00:00"), "seats": 1, "ended_by": "trial"},
    )
    assert intervals(company) == [("2024-01-15", None, 79.0)]
    assert intervals(company, "C1") == []
    assert company.ledger.lines.query("sub == 1")[["role", "amount"]].values.tolist() == [["trial", 0]]


def test_a_credit_note_lowers_the_rate_until_the_period_ends():
    company = block({"start": at("2024-01-10T00:00"), "seats": 10, "interval": YEAR})
    note = {"kind": "credit_note", "inv": 0, "line": 0, "amount": 120_00, "at": at("2024-03-01T10:00"), "until": at("2025-01-10T00:00"), "credit": 0}
    company.ledger.credits = pd.DataFrame([note, note | {"kind": "refund", "at": at("2024-05-01T00:00"), "until": NEVER, "credit": 1}])
    assert intervals(company) == [("2024-01-10", "2024-03-01", 658.3333), ("2024-03-01", "2025-01-10", 648.3333), ("2025-01-10", None, 658.3333)]


def test_the_day_of_a_change_depends_on_the_reporting_time_zone():
    changes = mrr_changes(block({"start": at("2024-01-10T23:30"), "seats": 1}))
    assert str(mrr_intervals(changes, "Europe/Berlin")["valid_from"].iloc[0].date()) == "2024-01-11"
    assert str(mrr_intervals(changes, "America/New_York")["valid_from"].iloc[0].date()) == "2024-01-10"


def test_a_proration_pair_covers_the_rest_of_the_period():
    # June has 30 days: changed after 10 of them, 20/30 of 79.00 x 3 = 158.00 back, of 79.00 x 6 = 316.00 charged.
    company = block({"start": at("2024-06-01T00:00"), "seats": 3}, changes=[(0, "2024-06-11T00:00", 6, TEAM, True)], days=200)
    pair = company.ledger.lines[company.ledger.lines["role"].isin(["unused", "remaining"])]
    assert pair[["quantity", "amount", "period_start", "period_end"]].values.tolist() == [
        [3, -15_800, at("2024-06-11T00:00"), at("2024-07-01T00:00")],
        [6, 31_600, at("2024-06-11T00:00"), at("2024-07-01T00:00")],
    ]
    assert company.ledger.invoices["total"].tolist()[:3] == [23_700, 15_800, 47_400]


def test_a_negative_invoice_is_credit_for_the_next():
    company = block({"start": at("2024-06-01T00:00"), "seats": 6}, changes=[(0, "2024-06-11T00:00", 3, TEAM, True)], days=200)
    assert company.ledger.invoices[["total", "applied", "due"]].values.tolist()[:3] == [[47_400, 0, 47_400], [-15_800, 0, 0], [23_700, 15_800, 7_900]]


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata"])
def test_intervals_never_overlap(zone):
    company = block(
        {"start": at("2024-01-31T08:00"), "seats": 10}, changes=[(0, "2024-06-15T12:00", 12, TEAM, True), (0, "2024-06-15T18:00", 9, TEAM, True)]
    )
    found = mrr_intervals(mrr_changes(company), zone)
    assert (found["valid_to"].iloc[:-1].to_numpy() <= found["valid_from"].iloc[1:].to_numpy()).all()
