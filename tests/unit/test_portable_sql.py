"""The models run on DuckDB and on Spark: what only one of the two understands, or both understand differently, stays out of them.

A dispatched macro (a `spark__…` beside a `default__…`) is the place for what has no shared form; those bodies are not read here.
"""

import re
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
FORBIDDEN = {
    r"::\s*\w": "cast with ::, write cast(x as type)",
    r"\bas\s+(varchar|text|timestamptz|hugeint|float8|float4|real)\b": "a type name of one engine, write string, double, timestamp",
    r"\bexclude\s*\(": "select * exclude, name the columns",
    r"\b(anti|semi|asof|positional)\s+join\b": "anti, semi or as-of join, write not exists, exists or an interval join",
    r"\bdate_diff\s*\(|(?<!dbt\.)\bdatediff\s*\(": "date_diff, write dbt.datediff (day, month, year, second)",
    r"\bignore\s+nulls\b": "ignore nulls, write max(case …) over a frame",
    r"\bwith\s+recursive\b": "a recursive CTE",
    r"\b(list|string_agg|group_concat|listagg|array_to_string|unnest|struct_pack|json_extract\w*|from_json)\s*\(": "lists or JSON: no"
    " shared form, write a dispatched macro",
    r"\bcurrent_date\b|\bcurrent_timestamp\b|\bnow\s*\(|\btoday\s*\(": "the clock, write as_of_date()",
    r"\bdate_part\s*\(\s*'dow'|\bdayofweek\s*\(": "day of the week: the engines count from different days",
    r"\bilike\b|!~|~\*": "an operator of one engine",
    r"(?<!dbt\.)\bhash\s*\(": "hash(): different numbers on each engine, write md5",
    r"(?<!\|)\bstrftime\s*\(|\bstrptime\s*\(|\bto_char\s*\(|\bdate_format\s*\(": "formatting of dates, no shared form",
    r"\brow_number\s*\(\s*\)\s+over\s*\(\s*\)": "row_number() without an order",
    r"\bgenerate_series\s*\(|\brange\s*\([^)]*interval": "a series of dates, write date + n over range(0, n)",
    r"\binterval\s+\d": "an interval without quotes, write interval '1' month",
}
WHERE = {
    r"datediff\(\s*['\"](week|quarter|hour|minute)": "dbt.datediff of weeks, quarters, hours or minutes: the engines count differently",
    r"dateadd\(\s*'\w+',\s*['\"][^('\"][^'\"]*\s[-+*]\s": "dbt.dateadd of a sum without parentheses: on Spark only its last term is converted",
}


def sources() -> list[Path]:
    found = [path for folder in ("models", "dbt_project/tests", "dbt_project/macros") for path in (REPO / folder).rglob("*.sql")]
    return sorted(path for path in found if path.name != "spark.sql")


def stripped(text: str) -> str:
    """SQL without comments, without text in quotes, and without the bodies of dispatched macros."""
    text = re.sub(r"\{%-?\s*macro\s+(?:duckdb|spark|default)__.*?endmacro\s*-?%\}", "", text, flags=re.S)
    text = re.sub(r"\{#.*?#\}|--[^\n]*", "", text, flags=re.S)
    return text


@pytest.mark.parametrize("path", sources(), ids=lambda path: path.stem)
def test_only_what_both_engines_understand(path: Path) -> None:
    text = stripped(path.read_text())
    outside = re.sub(r"'[^'\n]*'", "''", text)
    found = [said for pattern, said in FORBIDDEN.items() if re.search(pattern, outside, flags=re.I)]
    found += [said for pattern, said in WHERE.items() if re.search(pattern, text, flags=re.I)]
    assert not found, f"{path.relative_to(REPO)}: {'; '.join(found)}"


def test_the_lint_sees_what_it_forbids() -> None:
    bad = ["select a::int", "cast(a as varchar)", "from a anti join b", "last_value(a ignore nulls) over ()", "with recursive a as", "interval 3 day"]
    for text in bad:
        assert any(re.search(pattern, stripped(text), flags=re.I) for pattern in FORBIDDEN), text
    good = "select cast(a as string), x + 3, {{ dbt.datediff('a', 'b', 'day') }} -- a::int\n{# now() #}"
    assert not any(re.search(pattern, stripped(good), flags=re.I) for pattern in FORBIDDEN)
