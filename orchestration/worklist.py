"""The worklist for the people who work it: `csw worklist`, and a digest for each owner to a webhook.

Here belongs who gets what and how it reads; what is on the list, and its order, is dbt's (fct_success_worklist), and it is read from
the version that BI reads. Owners are known by the hash that is published; an address is only ever hashed, to find its rows.
"""

from __future__ import annotations

import hashlib
import logging
import re
from itertools import groupby

from orchestration import published
from orchestration.published import Answer, PublicationError
from orchestration.settings import Settings

log = logging.getLogger("csw")
DIGEST_ITEMS = 10
NOBODY = "nobody"
HASH = re.compile(r"[0-9a-f]{6,64}")
ADDRESS = re.compile(r"[^\s@<>|]+@[^\s@<>|]+")
LINK = re.compile(r"[a-z][a-z0-9+.-]*://[^\s<>|]*|\bwww\.[^\s<>|]+", re.IGNORECASE)
# Chats make a link of Name.com, and a call of @channel. A character without width keeps both as they are read.
NAME_OF_A_SITE = re.compile(r"(?<=\w)\.(?=[^\W\d_]{2})")
UNSEEN = "\u200b"
COLUMNS = """
    work.rank, customers.customer_name, work.reason, work.value_at_risk, work.urgency, work.due_on, work.play, work.channel, work.evidence,
    work.customer_id, work.owner_email_hash, work.worklist_id, work.as_of_date
"""


def read_worklist(settings: Settings, owner: str | None = None) -> Answer:
    """The published worklist, best first; `owner`: an e-mail, a published hash or its beginning (6 characters or more), or `nobody`.

    Raises PublicationError when nothing is published, or when no owner, or more than one, is meant.
    """
    where = "" if owner is None else f"where work.owner_email_hash {_owned_by(settings, owner)}"
    sql = f"select {COLUMNS} from fct_success_worklist as work left join dim_customers as customers using (customer_id) {where} order by work.rank"
    return published.query(settings.published_dir, sql)


def _owned_by(settings: Settings, owner: str) -> str:
    if owner == NOBODY:
        return "is null"
    meant = owner_hash(settings, owner) if "@" in owner else owner.strip().lower()
    if not HASH.fullmatch(meant):
        raise PublicationError(f"no owner is called '{owner}': give the e-mail, its published hash (6 characters or more of it), or {NOBODY}")
    sql = f"select distinct owner_email_hash from dim_customers where starts_with(owner_email_hash, '{meant}')"
    found = [each for (each,) in published.query(settings.published_dir, sql).rows]
    if len(found) != 1:
        raise PublicationError(f"{len(found)} owners are meant by '{owner}': dim_owners lists all")
    return f"= '{found[0]}'"


def owner_hash(settings: Settings, email: str) -> str:
    """The hash under which an address is published: the macro keyed_hash, in Python."""
    key = settings.pii_key.get_secret_value()
    inner = hashlib.sha256(f"{key}|inner|{email.strip().lower()}".encode()).hexdigest()
    return hashlib.sha256(f"{key}|outer|{inner}".encode()).hexdigest()


def send_digests(settings: Settings) -> int:
    """Tell each owner's list to the webhook of CSW_DIGEST_WEBHOOK_URL, one message an owner; how many were delivered.

    Without that setting nothing is read or sent. Nothing that goes wrong here is raised: the version is published by now. After the
    first message that is not delivered the others are not tried, so that a dead webhook costs one timeout.
    """
    if settings.digest_webhook_url is None:
        return 0
    from orchestration.sensors import notify  # Dagster costs seconds, which csw worklist does not have to wait for

    try:
        texts = digest_texts(read_worklist(settings), settings.reporting_currency)
    except PublicationError as error:
        log.warning("no digest was sent: %s", error)
        return 0
    sent = 0
    for text in texts:
        if not notify(settings.digest_webhook_url.get_secret_value(), text, setting="CSW_DIGEST_WEBHOOK_URL"):
            break
        sent += 1
    log.info("digest        %d of %d owners told", sent, len(texts))
    return sent


def digest_texts(worklist: Answer, currency: str) -> list[str]:
    """One message for each owner, and one for the customers that have none: the sums, and the first items."""
    rows = [dict(zip(worklist.columns, row, strict=True)) for row in worklist.rows]
    rows.sort(key=lambda row: (row["owner_email_hash"] or "", row["rank"]))
    return [_digest(owner, list(items), currency) for owner, items in groupby(rows, key=lambda row: row["owner_email_hash"])]


def _digest(owner: str | None, items: list[dict], currency: str) -> str:
    overdue = sum(1 for item in items if item["due_on"] is not None and item["due_on"] < item["as_of_date"])
    lines = [f"Worklist of {owner or NOBODY} as of {items[0]['as_of_date']}: {len(items)} to do, {overdue} overdue"]
    for item in items[:DIGEST_ITEMS]:
        name, reason = item["customer_name"] or item["customer_id"], item["reason"].replace("_", " ")
        lines.append(
            f"{item['rank']}. {_harmless(name)}: {reason}, {item['value_at_risk']:,.0f} {currency}, due {item['due_on']}. "
            f"{_plain(item['play'])} ({_harmless(item['evidence'])})"
        )
    if len(items) > DIGEST_ITEMS:
        lines.append(f"and {len(items) - DIGEST_ITEMS} more: csw worklist --owner {(owner or NOBODY)[:12]}")
    return "\n".join(lines)


def _harmless(text: str) -> str:
    """Text of a source as text: no address, no control character, nothing that a chat would take for a link or a call to somebody."""
    return NAME_OF_A_SITE.sub(f".{UNSEEN}", _plain(LINK.sub("(link)", text))).replace("@", f"@{UNSEEN}")


def _plain(text: str) -> str:
    """Text of ours, in which a link may stand (the plays are a seed)."""
    shown = "".join(character if character.isprintable() else " " for character in ADDRESS.sub("(address)", text))
    return shown.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
