"""Support and voice of customer of the demo company, counted a second time without the models: minute by minute, event by event.

Here belongs what a wrong sum over real, untidy rows would show; single rules have their unit tests beside the models.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from tests.integration.conftest import DemoRun

MOST_DAYS = 10  # of one clock: each of its minutes is looked up
FEWEST_CLOCKS = 50
UNSOLVED = {None, "new", "open", "pending", "hold"}


def ask(demo: DemoRun, sql: str) -> list[tuple]:
    with demo.warehouse() as connection:
        return connection.sql(sql).fetchall()


class HelpDesk:
    """What hangs on the door: asked for one moment at a time, by the wall clock of the schedule's own zone."""

    def __init__(self, demo: DemoRun) -> None:
        columns = "source_relation, schedule_id, time_zone, weekday, opens_at, closes_at, valid_from, valid_to"
        self.hours = ask(demo, f"select {columns} from intermediate.int_support__schedules where is_current")
        self.holidays = ask(demo, "select source_relation, schedule_id, starts_on, ends_on from intermediate.int_support__holidays where is_current")

    def is_open(self, source: str, moment: datetime) -> bool:
        hours = [row for row in self.hours if row[0] == source]
        local = {zone: moment.astimezone(ZoneInfo(zone)) for zone in {row[2] for row in hours}}
        held = [row for row in hours if row[6] <= local[row[2]].date() and (row[7] is None or local[row[2]].date() < row[7])]
        first = min((row[1] for row in held), key=lambda schedule: (len(schedule), schedule), default=None)
        for _, schedule, zone, weekday, opens, closes, _, _ in held:
            there = local[zone]
            closed = any(h[0] == source and h[1] == schedule and h[2] <= there.date() <= h[3] for h in self.holidays)
            if schedule == first and there.isoweekday() == weekday and opens <= there.strftime("%H:%M") < closes and not closed:
                return True
        return False

    def minutes(self, source: str, start: datetime, end: datetime) -> int:
        seconds, moment = 0.0, start
        while moment < end:
            step = min(moment.replace(second=0) + timedelta(minutes=1), end)
            seconds += (step - moment).total_seconds() if self.is_open(source, moment) else 0
            moment = step
        return int(seconds // 60)


def test_business_minutes_are_those_that_the_wall_clock_shows(demo: DemoRun):
    desk = HelpDesk(demo)
    clocks = ask(
        demo,
        f"""
        select source_relation, ticket_id, created_at, first_replied_at, first_reply_business_minutes
        from marts.fct_tickets
        where first_reply_business_minutes is not null and first_replied_at < created_at + interval {MOST_DAYS} day
        order by md5(ticket_id) limit 150
        """,
    )
    assert len(clocks) >= FEWEST_CLOCKS
    counted = [(row[1], desk.minutes(row[0], row[2].replace(tzinfo=UTC), row[3].replace(tzinfo=UTC))) for row in clocks]
    assert counted == [(row[1], row[4]) for row in clocks]


def test_the_backlog_of_each_month_is_what_the_log_leaves_unsolved(demo: DemoRun):
    published = dict(ask(demo, "select month, sum(closing_backlog) from marts.rpt_support_monthly group by month"))
    tickets = ask(
        demo,
        "select ticket_id, created_at from marts.fct_tickets where coalesce(data_flag, '') not in ('closed_before_opened', 'solved_without_time')",
    )
    log = defaultdict(list)
    for ticket, at, status in ask(
        demo,
        "select ticket_id, occurred_at, lower(to_value) from intermediate.int_support__ticket_events"
        " where is_current and kind = 'status_change' order by occurred_at, event_id",
    ):
        log[ticket].append((at, status))
    after = datetime.combine(demo.company.last_day + timedelta(days=1), datetime.min.time())
    for month, backlog in published.items():
        end = min(datetime.combine((month + timedelta(days=31)).replace(day=1), datetime.min.time()), after)
        states = [next((status for at, status in reversed(log[ticket]) if at < end), None) for ticket, created in tickets if created < end]
        assert backlog == sum(state in UNSOLVED for state in states), month
    assert sum(published.values()) > 0


def test_nps_of_each_month_is_that_of_each_respondents_latest_answer(demo: DemoRun):
    latest: dict[tuple[date, str], float] = {}
    rows = ask(
        demo,
        """
        select cast(date_trunc('month', responded_at) as date), coalesce(email, account_id, response_id), score
        from intermediate.int_surveys__responses where is_current and kind = 'nps' order by responded_at, response_id
        """,
    )
    for month, respondent, score in rows:
        latest[month, respondent] = score
    scores = defaultdict(list)
    for (month, _), score in latest.items():
        scores[month].append(score)
    expected = {month: (len(each), 100 * (sum(s >= 9 for s in each) - sum(s < 7 for s in each)) / len(each)) for month, each in scores.items()}
    published = ask(
        demo, "select month, nps_answers, nps, nps_low, nps_high from marts.rpt_sentiment_monthly where segment_kind = 'all' and nps_answers > 0"
    )
    assert {month for month, *_ in published} == set(expected)
    assert len(published) > 1
    for month, answers, nps, low, high in published:
        assert (answers, round(float(nps), 3)) == (expected[month][0], round(expected[month][1], 3))
        assert low <= nps <= high


def test_adopters_and_others_are_counted_from_single_uses(demo: DemoRun):
    used, everybody = defaultdict(set), defaultdict(set)
    for month, feature, customer in ask(
        demo,
        """
        select cast(date_trunc('month', usage.usage_date) as date), usage.feature, nodes.customer_id
        from intermediate.int_product__usage_daily as usage
        inner join intermediate.int_identities__nodes as nodes
            on nodes.domain = 'product' and usage.source_relation = nodes.source_relation and usage.workspace_id = nodes.source_id
        where usage.is_current and usage.events > 0
        group by all
        """,
    ):
        used[month, feature].add(customer)
        everybody[month].add(customer)
    published = ask(demo, "select month, feature, adopters, others from marts.rpt_feature_adoption")
    assert {(month, feature) for month, feature, *_ in published} >= set(used)
    for month, feature, adopters, others in published:
        assert (adopters, others) == (len(used[month, feature]), len(everybody[month] - used[month, feature])), (month, feature)
