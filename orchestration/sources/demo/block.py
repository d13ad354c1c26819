"""One block of the company, put together: its people, its agreements, and every table that its systems hold.

A block is small enough for memory; a large company is many blocks with ids of their own.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from orchestration.sources.demo import billing_tables, crm, deals, payers, payments, price_list, support, support_desk, surveys, touches, usage
from orchestration.sources.demo.agreements import make_agreements
from orchestration.sources.demo.base import NEVER, Scope, Versions
from orchestration.sources.demo.billing import make_ledger
from orchestration.sources.demo.customers import make_customers, wind_down
from orchestration.sources.demo.people import make_people
from orchestration.sources.demo.tickets import Tickets, make_tickets


class Block:
    """Everything about some customers. Tables are built when first asked for."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.customers = make_customers(scope)
        self.who = self.customers.frame
        self.people = make_people(scope, self.who)
        self.agreements = make_agreements(scope, self.customers)
        subs = self.agreements.subs
        left = subs[subs["ended_by"].isin(["voluntary", "involuntary"]) & (subs["kind"] != "addon")]
        willing = (left["ended_by"] == "voluntary").to_numpy()
        self.customers = wind_down(scope, self.customers, left["cust"].to_numpy(), left["end"].to_numpy(), willing)
        self.accounts = crm.make_accounts(scope, self.who)
        self.payers = payers.make_payers(scope, self.who, self.accounts, self.agreements, self.people)

    @cached_property
    def ledger(self):
        """Invoices and what follows from them."""
        return make_ledger(self.scope, self.who, self.agreements)

    @cached_property
    def tickets(self) -> Tickets:
        """Requests for help."""
        return make_tickets(self.scope, self.customers, self.agreements, self.people)

    @cached_property
    def usage(self) -> usage.Usage:
        """Daily use, by month."""
        return usage.Usage(self.scope, self.customers, self.agreements)

    @cached_property
    def first_paid(self) -> np.ndarray:
        """Start of each customer's first paying subscription."""
        subs = self.agreements.subs[self.agreements.subs["ended_by"] != "trial"]
        first = np.full(len(self.who), NEVER)
        np.minimum.at(first, subs["cust"], subs["start"])
        return first

    @cached_property
    def tables(self) -> dict[str, dict[str, Versions]]:
        """domain → table → records with their history (all but usage_daily); names with "_" are the vendors' own."""
        s, a, g = self.scope, self.accounts, self.agreements
        schedules, holidays = support_desk.schedule_versions(s)
        return {
            "crm": {
                "accounts": crm.account_versions(s, self.who, a, self.first_paid),
                "contacts": crm.contact_versions(s, a, self.customers, self.people),
                "opportunities": deals.opportunity_versions(s, self.who, a, g),
                "activities": touches.activity_versions(s, self.customers, a, g, self.people),
                "success_goals": touches.goal_versions(s, self.customers, a, g),
                "campaign_members": touches.campaign_versions(s, self.customers, a, g),
            },
            "billing": {
                "customers": payers.customer_versions(s, self.who, self.payers),
                "plans": price_list.plan_versions(s),
                "subscriptions": billing_tables.subscription_versions(s, g, self.payers, self.ledger),
                "invoices": billing_tables.invoice_versions(s, self.ledger, self.payers),
                "invoice_lines": billing_tables.line_versions(s, g, self.ledger, self.payers),
                "payments": payments.payment_versions(s, self.ledger, self.payers),
                "_charges": payments.charge_versions(s, self.ledger, self.payers),
                "credits": payments.credit_versions(s, self.ledger, self.payers),
            },
            "support": {
                "organizations": support_desk.organization_versions(s, self.who, a, g),
                "tickets": support.ticket_versions(s, self.tickets, self.people),
                "ticket_events": support.event_versions(s, self.tickets),
                "_users": support_desk.user_versions(s, self.tickets, self.people),
                "satisfaction": support.rating_versions(s, self.tickets),
                "schedules": schedules,
                "holidays": holidays,
            },
            "product": {"workspaces": usage.workspace_versions(s, self.who, a, g), "features": usage.feature_versions(s)},
            "surveys": {"responses": surveys.response_versions(s, self.customers, a, g, self.people)},
        }
