"""When runs start by themselves: daily, in the reporting time zone, for the day that has just ended."""

from dagster import DefaultScheduleStatus, RunRequest, ScheduleDefinition, ScheduleEvaluationContext, schedule

from orchestration.published import newest_as_of
from orchestration.runs import tags_for
from orchestration.settings import Settings
from orchestration.window import next_days, yesterday_in


def daily_schedule(settings: Settings, job) -> ScheduleDefinition:
    """One run for all days since the newest published one: after a missed week it catches up, once."""

    @schedule(
        name="daily",
        job=job,
        cron_schedule=settings.schedule,
        execution_timezone=settings.reporting_time_zone,
        default_status=DefaultScheduleStatus.STOPPED,
    )
    def daily(context: ScheduleEvaluationContext) -> RunRequest:
        yesterday = yesterday_in(settings.zone, context.scheduled_execution_time)
        start, end = next_days(newest=newest_as_of(settings.published_dir), yesterday=yesterday)
        return RunRequest(run_key=end.isoformat(), tags=tags_for(start, end))

    return daily
