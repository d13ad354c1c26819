"""Whom to tell when a run fails or a gate holds the publication back: one line to a Slack-compatible webhook.

Here belongs the message; what counts as a failure is the steps' business. A webhook that doesn't answer never fails a run.
"""

import json
import logging
import urllib.error
import urllib.request

from dagster import HookContext, HookDefinition, failure_hook

from orchestration.settings import Settings

log = logging.getLogger("csw")
TIMEOUT_SECONDS = 10
LONGEST_MESSAGE = 1500


def webhook_hook(settings: Settings) -> HookDefinition:
    @failure_hook(name="tell_the_webhook")
    def tell_the_webhook(context: HookContext) -> None:
        if settings.webhook_url is not None:
            notify(settings.webhook_url.get_secret_value(), failure_text(context.op.name, context.run_id, context.op_exception))

    return tell_the_webhook


def failure_text(step: str, run_id: str, error: BaseException | None) -> str:
    reason = str(getattr(error, "description", None) or error or "see the run's log")
    return f"Customer Success Warehouse: run {run_id[:8]} stopped at '{step}'. BI keeps the last good version. {reason}"[:LONGEST_MESSAGE]


def notify(url: str, text: str) -> bool:
    """POST {"text": …} to a Slack-compatible webhook; False (and a warning without the address) when it is not delivered."""
    request = urllib.request.Request(url, json.dumps({"text": text}).encode(), {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:
            return 200 <= response.status < 300
    except (urllib.error.URLError, OSError, ValueError) as error:
        log.warning("the webhook was not told (%s): check CSW_WEBHOOK_URL", type(error).__name__)
        return False
