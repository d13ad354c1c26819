"""One customer's health score in words: `csw health explain`.

Here belongs finding the customer and the day and setting side by side what was published for them; no score is computed here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from rich.console import Console
from rich.table import Table

from orchestration import published
from orchestration.published import PublicationError
from orchestration.settings import Settings

COMPARED_DAYS = 28  # what the change is split over in fct_customer_health_daily
SHOWN_CANDIDATES = 5


@dataclass(frozen=True)
class Component:
    """A component on the day and 28 days before. `score` 0 to 100, `points` = its part of the health score; None = no data, or no score."""

    name: str
    weight: Decimal
    score: Decimal | None
    points: Decimal | None
    weight_before: Decimal | None
    score_before: Decimal | None
    points_before: Decimal | None
    is_compared: bool  # whether both days have a health score

    @property
    def change(self) -> Decimal:
        """Points of the health score that it gained or lost."""
        return (self.points or Decimal(0)) - (self.points_before or Decimal(0))

    @property
    def why(self) -> str:
        """What happened to it in 28 days; without a score to compare with only whether it has data."""
        if self.score is None:
            return "lost its data" if self.is_compared and self.score_before is not None else "no data"
        if not self.is_compared:
            return ""
        if self.score_before is None:
            return "data came"
        moved = [f"score {_signed(self.score - self.score_before)}"] if self.score != self.score_before else []
        if self.weight != self.weight_before:
            moved.append(f"weight {self.weight_before:.2f} → {self.weight:.2f}")
        if not moved and self.change:
            moved.append("counts for more or less, as others came, went or weigh otherwise")
        return ", ".join(moved)


@dataclass(frozen=True)
class Explanation:
    """What was published for a customer and a day. `day`: columns of fct_customer_health_daily; components: by what they moved."""

    customer_id: str
    customer_name: str | None
    as_of_date: date
    day: dict[str, object]
    components: list[Component]


def explain(settings: Settings, customer: str, day: date | None = None) -> Explanation:
    """The published health of `customer` (id, name, or a part of a name that is one customer's) on `day`, default the last that it has.

    Raises PublicationError when nothing is published, the customer is not one, or it has no health on the day.
    """
    customer_id, name = _find(settings, customer)
    first, last = _rows(settings, "select min(as_of_date), max(as_of_date) from fct_customer_health_daily where customer_id = ?", customer_id)[0]
    if last is None:
        raise PublicationError(f"{name or customer_id} has no health: it has not paid on any day that is kept")
    as_of = day or last
    answer = published.query(
        settings.published_dir, "select * from fct_customer_health_daily where customer_id = ? and as_of_date = ?", (customer_id, as_of)
    )
    if not answer.rows:
        raise PublicationError(f"{name or customer_id} has no health on {as_of}: it has from {first} to {last}, on the days on which it paid")
    found = dict(zip(answer.columns, answer.rows[0], strict=True))
    is_compared = found["change_28d"] is not None
    return Explanation(customer_id, name, as_of, found, _components(settings, customer_id, as_of, is_compared))


def _components(settings: Settings, customer_id: str, as_of: date, is_compared: bool) -> list[Component]:
    rows = _rows(
        settings,
        """
        select
            today.component, today.weight, today.component_score, today.score_contribution,
            before.weight, before.component_score, before.score_contribution
        from fct_health_components_daily as today
        left join fct_health_components_daily as before
            on today.customer_id = before.customer_id and today.component = before.component and before.as_of_date = ?
        where today.customer_id = ? and today.as_of_date = ?
        """,
        as_of - timedelta(days=COMPARED_DAYS),
        customer_id,
        as_of,
    )
    return sorted((Component(*row, is_compared) for row in rows), key=lambda each: (-abs(each.change), each.name))


def _find(settings: Settings, customer: str) -> tuple[str, str | None]:
    """Id and name of the one customer that is meant: the best way of meaning one decides."""
    found = _rows(
        settings,
        """
        select customer_id, customer_name, case when customer_id = $1 then 1 when lower(customer_name) = lower($1) then 2 else 3 end as place
        from dim_customers
        where customer_id = $1 or contains(lower(customer_name), lower($1))
        order by place, customer_name, customer_id
        """,
        customer,
    )
    best = [(customer_id, _printable(name), place) for customer_id, name, place in found if place == found[0][2]]
    if len(best) == 1:
        return best[0][0], best[0][1]
    if not best:
        raise PublicationError(f"there is no customer '{customer}': give its id, its name or a part of the name")
    shown = ", ".join(f"{name} ({customer_id})" for customer_id, name, _ in best[:SHOWN_CANDIDATES])
    raise PublicationError(f"'{customer}' can be {len(best)} customers: {shown}{', …' if len(best) > SHOWN_CANDIDATES else ''}")


def print_explanation(console: Console, told: Explanation) -> None:
    day, name = told.day, told.customer_name or told.customer_id
    console.print(f"{name} ({told.customer_id}) on {told.as_of_date}", style="bold", markup=False, highlight=False, soft_wrap=True)
    if day["health_score"] is None:
        score = f"no score: {day['unscored_because']}"
    else:
        score = f"{day['health_score']:.2f}, {day['health_band']} ({day['health_score_10']} of 10)"
    outlook = f", outlook {str(day['outlook']).replace('_', ' ')}" if day["outlook"] else ""
    console.print(f"Score    {score}{outlook}", highlight=False, soft_wrap=True)
    console.print(f"Data     {day['coverage']:.0%} of the weights; weights of {day['tier']}, version {day['definition_version']}", highlight=False)
    changes = [f"{_signed(day[f'change_{days}d'])} in {days} days" for days in (7, 28, 90) if day[f"change_{days}d"] is not None]
    console.print(f"Change   {', '.join(changes) or 'none known: there is no score to compare with'}", highlight=False)
    if day["change_28d"] is not None:
        parts = ", ".join(
            f"{_signed(day[f'change_from_{part}'])} {words}"
            for part, words in (("behaviour", "what it did"), ("data", "components that came or went"), ("configuration", "other weights"))
        )
        console.print(f"Why      {parts} (28 days)", highlight=False, soft_wrap=True)
    console.print(_table(told.components))


def _table(components: list[Component]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("component", "score", "weight", "points", "28 days before", "change", "why"):
        table.add_column(name, justify="left" if name in ("component", "why") else "right")
    for each in components:
        change = _signed(each.change) if each.is_compared else ""
        shown = (_number(each.score), _number(each.weight), _number(each.points), _number(each.points_before), change)
        table.add_row(each.name, *shown, each.why)
    return table


def _rows(settings: Settings, sql: str, *parameters: object) -> list[tuple]:
    return published.query(settings.published_dir, sql, parameters).rows


def _printable(name: str | None) -> str | None:
    """A name cannot write over the terminal."""
    return name and "".join(character if character.isprintable() else " " for character in name)


def _number(value: Decimal | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _signed(value: Decimal) -> str:
    return f"{value:+.2f}"
