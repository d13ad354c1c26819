"""The rules of recurring revenue that may be overridden one by one, and the values that the models follow.

Here belongs what is valid, and how a wrong override is reported; not what a rule does (models/intermediate/revenue) nor which value a
preset gives it (seeds/metric_rules.csv): a test holds the two together.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

CHOICES = {
    "discounts": ("net", "net_forever_only"),
    "past_due": ("counts", "unpaid_is_churn"),
    "paused": ("counts", "zero"),
    "churn_timing": ("period_end", "request"),
    "same_month_churn": ("left_out", "counted"),
}
# Days; `never` where the rule may be off.
DAYS = {"auto_churn_days": ("never", 1, 3650), "grace_days": (None, 0, 31), "draft_grace_days": (None, 0, 31)}


def parse_overrides(text: object) -> dict[str, str]:
    """JSON text or a mapping {rule: value} as {rule: value in the seed's spelling}; '' is no override.

    Raises ValueError with one line that names the valid rules, or the rule's valid values.
    """
    if text is None or text == "":
        return {}
    try:
        rules = json.loads(text) if isinstance(text, str) else text
    except json.JSONDecodeError:
        rules = None
    if not isinstance(rules, Mapping):
        raise ValueError('write it as JSON, like {"churn_timing": "request"}')
    return {str(rule): _valid(str(rule), value) for rule, value in sorted(rules.items())}


def _valid(rule: str, value: object) -> str:
    said = str(value).strip().lower()
    if rule in CHOICES:
        if said in CHOICES[rule]:
            return said
        raise ValueError(f"{rule} is {' or '.join(CHOICES[rule])}, not '{value}'")
    if rule in DAYS:
        off, least, most = DAYS[rule]
        if said == off or (said.isdecimal() and least <= int(said) <= most):
            return said if said == off else str(int(said))
        raise ValueError(f"{rule} is a number of days from {least} to {most}{f' or {off}' if off else ''}, not '{value}'")
    raise ValueError(f"'{rule}' is no rule; choose from {', '.join([*CHOICES, *DAYS])}")
