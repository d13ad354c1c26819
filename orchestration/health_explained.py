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
SHOWN_DRIVERS = 3
SHOWN_HASH = 12  # characters of an author's hash, as csw worklist shows of an owner's
USE = {"active_users_28d": "active users", "features_28d": "features", "licence_use": "seats in use", "use_trend": "trend of events"}


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
    lost: Decimal | None  # points that it keeps from the health score
    moved: Decimal | None  # points that it gained or lost; None without a health score on both days
    has_same_measures: bool | None  # as 28 days before: else what its score moved is data, not what the customer did; None = that day was none
    is_before_kept: bool  # whether the day 28 days before is published, too: what moved is known without it, why is not

    @property
    def is_compared(self) -> bool:
        return self.moved is not None

    @property
    def change(self) -> Decimal:
        return self.moved or Decimal(0)

    @property
    def why(self) -> str:
        """What happened to it in 28 days; without a score to compare with only whether it has data."""
        if self.score is None:
            return "lost its data" if self.is_compared and self.score_before is not None else "no data"
        if not self.is_compared:
            return ""
        if not self.is_before_kept:
            return f"the day {COMPARED_DAYS} days before is not kept"
        if self.score_before is None:
            return "data came"
        moved = [f"score {_signed(self.score - self.score_before)}"] if self.score != self.score_before else []
        if moved and self.has_same_measures is False:
            moved.append("measures came or went")
        if self.weight != self.weight_before:
            moved.append(f"weight {self.weight_before:.2f} → {self.weight:.2f}")
        if not moved and self.change:
            moved.append("others came, went or weigh otherwise")
        return ", ".join(moved)


@dataclass(frozen=True)
class Explanation:
    """What was published for a customer and a day.

    `day`: columns of fct_customer_health_daily; components: by what they moved; use: the measures of fct_adoption_daily that changed in 28 days.
    """

    customer_id: str
    customer_name: str | None
    as_of_date: date
    day: dict[str, object]
    components: list[Component]
    use: list[str]

    @property
    def drivers(self) -> list[Component]:
        """What holds the score down, the worst first."""
        return sorted((each for each in self.components if each.lost), key=lambda each: (-each.lost, each.name))


def explain(settings: Settings, customer: str, day: date | None = None) -> Explanation:
    """The published health of `customer` on `day`, default the last that it has: an id of today or before, a name, or a part of one customer's.

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
    return Explanation(customer_id, name, as_of, found, _components(settings, customer_id, as_of), _use(settings, customer_id, as_of))


def _components(settings: Settings, customer_id: str, as_of: date) -> list[Component]:
    rows = _rows(
        settings,
        """
        select
            today.component, today.weight, today.component_score, today.score_contribution,
            before.weight, before.component_score, before.score_contribution, today.score_lost, today.change_28d,
            today.has_same_measures, before.component is not null
        from fct_health_components_daily as today
        left join fct_health_components_daily as before
            on today.customer_id = before.customer_id and today.component = before.component and before.as_of_date = ?
        where today.customer_id = ? and today.as_of_date = ?
        """,
        as_of - timedelta(days=COMPARED_DAYS),
        customer_id,
        as_of,
    )
    return sorted((Component(*row) for row in rows), key=lambda each: (-abs(each.change), each.name))


def _use(settings: Settings, customer_id: str, as_of: date) -> list[str]:
    sql = f"select as_of_date, {', '.join(USE)} from fct_adoption_daily where customer_id = ? and as_of_date in (?, ?)"
    days = {day: measures for day, *measures in _rows(settings, sql, customer_id, as_of, as_of - timedelta(days=COMPARED_DAYS))}
    if len(days) < 2:
        return []
    pairs = zip(USE.values(), days[min(days)], days[max(days)], strict=True)
    return [f"{words} {_measure(then)} → {_measure(now)}" for words, then, now in pairs if then != now]


def _find(settings: Settings, customer: str) -> tuple[str, str | None]:
    """Id and name of the one customer that is meant: the best way of meaning one decides."""
    found = _rows(
        settings,
        """
        select
            customer_id, customer_name,
            case when called.customer_id is not null then 1 when lower(customer_name) = lower($1) then 2 else 3 end as place
        from dim_customers
        left join (select distinct customer_id from bridge_customer_identities where own_customer_id = $1) as called using (customer_id)
        where called.customer_id is not null or contains(lower(customer_name), lower($1))
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
    if day["override_expires_on"] is not None:
        console.print(_override(day), style="yellow", markup=False, highlight=False, soft_wrap=True)
    console.print(f"Data     {day['coverage']:.0%} of the weights; weights of {day['tier']}, version {day['definition_version']}", highlight=False)
    changes = [f"{_signed(day[f'change_{days}d'])} in {days} days" for days in (7, 28, 90) if day[f"change_{days}d"] is not None]
    console.print(f"Change   {', '.join(changes) or 'none known: there is no score to compare with'}", highlight=False)
    if day["change_28d"] is not None:
        parts = ", ".join(
            f"{_signed(day[f'change_from_{part}'])} {words}"
            for part, words in (("behaviour", "what it did"), ("data", "data that came or went"), ("configuration", "other weights"))
        )
        console.print(f"Why      {parts} (28 days)", highlight=False, soft_wrap=True)
    if told.use:
        console.print(f"Use      {', '.join(told.use)}", highlight=False, soft_wrap=True)
    if told.drivers:
        costs = ", ".join(f"{each.name} {_signed(-each.lost)}" for each in told.drivers[:SHOWN_DRIVERS])
        console.print(f"Drivers  {costs} (points below 100)", highlight=False, soft_wrap=True)
    console.print(_table(told.components))


def _override(day: dict[str, object]) -> str:
    """A person's word as it is published: who is a hash."""
    said = [f"{what} {str(day[f'override_{what}']).replace('_', ' ')}" for what in ("band", "outlook") if day[f"override_{what}"]]
    days = f"from {day['override_set_on']} until {day['override_expires_on']}"
    author, reason = str(day["override_author_hash"])[:SHOWN_HASH], _printable(day["override_reason"])
    return f"Override {', '.join(said)} {days} by {author}: {reason}"


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


def _measure(value: Decimal | int | None) -> str:
    return "unknown" if value is None else f"{value:.2f}" if isinstance(value, Decimal) else str(value)


def _number(value: Decimal | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _signed(value: Decimal) -> str:
    return f"{value:+.2f}"
