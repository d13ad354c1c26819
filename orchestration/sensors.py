"""What happens when a step fails or a gate says no: it is written down beside the published versions and told to a webhook.

Here belongs the telling; what counts as a failure is the steps' business, how it reads is failures.py's. A webhook that doesn't answer
never fails a run.
"""

import http.client
import json
import logging
import urllib.error
import urllib.request

from dagster import HookContext, HookDefinition, failure_hook

from orchestration.failures import explain, write_down
from orchestration.runs import window_of
from orchestration.settings import Settings

log = logging.getLogger("csw")
TIMEOUT_SECONDS = 10
LONGEST_MESSAGE = 1500


def stop_hook(settings: Settings) -> HookDefinition:
    @failure_hook(name="tell_why_it_stopped")
    def tell_why_it_stopped(context: HookContext) -> None:
        step = context.op.name
        stop = explain(settings, context.run_id, step, context.op_exception)
        run = context.instance.get_run_by_id(context.run_id)
        write_down(settings, context.run_id, window_of(run, settings), step, stop)
        if settings.webhook_url is not None:
            notify(settings.webhook_url.get_secret_value(), stop_text(context.run_id, step, stop.outcome, stop.reason))

    return tell_why_it_stopped


def stop_text(run_id: str, step: str, outcome: str, reason: str) -> str:
    what = "was held back by a gate" if outcome == "held_back" else "failed"
    return f"Customer Success Warehouse: run {run_id[:8]} {what} at '{step}'. BI keeps the last good version.\n{reason}"[:LONGEST_MESSAGE]


def notify(url: str, text: str, *, setting: str = "CSW_WEBHOOK_URL") -> bool:
    """POST {"text": …} to a Slack-compatible webhook; False (and a warning that names the setting, not the address) when it isn't delivered."""
    try:
        request = urllib.request.Request(url, json.dumps({"text": text}).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:
            return 200 <= response.status < 300
    except (urllib.error.URLError, http.client.HTTPException, OSError, ValueError) as error:
        log.warning("the webhook was not told (%s): check %s", type(error).__name__, setting)
        return False
