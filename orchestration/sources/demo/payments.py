"""Money that moved, as tables: payments, charges, credits."""

from __future__ import annotations

import numpy as np
import pandas as pd

from orchestration.sources.demo.base import Scope, Versions, stamp, text
from orchestration.sources.demo.billing import Ledger
from orchestration.sources.demo.payers import Payers


def payment_versions(scope: Scope, ledger: Ledger, payers: Payers) -> Versions:
    """Attempts to collect."""
    pay = ledger.payments
    head = ledger.invoices.iloc[pay["inv"]]
    frame = pd.DataFrame(
        {
            "payment_id": text("ch_", scope, np.arange(len(pay))),
            "invoice_id": text("in_", scope, pay["inv"].to_numpy()),
            "customer_id": text("cus_", scope, payers.of_sub[head["sub"].to_numpy()]),
            "status": np.where(pay["ok"], "succeeded", "failed"),
            "amount": pay["amount"].to_numpy(),
            "currency": head["currency"].to_numpy(),
            "attempted_at": stamp(pay["at"]),
            "failure_code": pay["code"].to_numpy(),
        }
    )
    return Versions.build(frame, np.arange(len(pay)), pay["at"].to_numpy(), money=("amount",))


def charge_versions(scope: Scope, ledger: Ledger, payers: Payers) -> Versions:
    """Payments as the vendor keeps them: a charge remembers what was refunded and whether it is disputed."""
    base = payment_versions(scope, ledger, payers).frame.assign(amount_refunded=0, disputed=False)
    at = ledger.payments["at"].to_numpy()
    succeeded = ledger.payments[ledger.payments["ok"]].reset_index().set_index("inv")["index"]
    after = ledger.credits[
        ledger.credits["kind"].isin(["refund", "dispute"]) & ledger.credits["inv"].isin(succeeded.index) & (ledger.credits["at"] < scope.end)
    ]
    of_charge = succeeded.loc[after["inv"]].to_numpy()
    refund = (after["kind"] == "refund").to_numpy()
    later = base.iloc[of_charge].assign(amount_refunded=np.where(refund, after["amount"], 0), disputed=~refund)
    frame = pd.concat([base, later], ignore_index=True)
    return Versions.build(frame, np.concatenate([np.arange(len(base)), of_charge]), np.concatenate([at, after["at"].to_numpy()]), money=("amount",))


def credit_versions(scope: Scope, ledger: Ledger, payers: Payers) -> Versions:
    """Refunds, credit notes and disputes."""
    credit = ledger.credits
    head = ledger.invoices.iloc[credit["inv"]]
    succeeded = ledger.payments[ledger.payments["ok"]].reset_index().drop_duplicates("inv").set_index("inv")["index"]
    charge = text("ch_", scope, succeeded.reindex(credit["inv"]).fillna(-1).to_numpy().astype("int64"))
    prefix = credit["kind"].map({"refund": "re_", "credit_note": "cn_", "dispute": "dp_"}).to_numpy().astype(object)
    frame = pd.DataFrame(
        {
            "credit_id": prefix + text("", scope, credit["credit"].to_numpy()),
            "kind": credit["kind"].to_numpy(),
            "customer_id": text("cus_", scope, payers.of_sub[head["sub"].to_numpy()]),
            "invoice_id": text("in_", scope, credit["inv"].to_numpy()),
            "line_id": text("il_", scope, credit["line"].to_numpy()),
            "amount": credit["amount"].to_numpy(),
            "currency": head["currency"].to_numpy(),
            "issued_at": stamp(credit["at"]),
            "_charge_id": charge,
        }
    )
    return Versions.build(frame, np.arange(len(credit)), credit["at"].to_numpy(), money=("amount",))
