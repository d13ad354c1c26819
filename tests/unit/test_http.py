"""HTTP faults, against a real server on loopback that follows a script."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from orchestration.sources.base import ContractError, SourceError, TransientSourceError
from orchestration.sources.http import Bearer, Http, NotFound, Politeness, Refused
from tests.servers import Answer, scripted_server

CANARY = "sk_canary_of_http"


def client(base_url: str, slept: list[float], **politeness) -> Http:
    return Http("Vendor", base_url, Bearer(CANARY), politeness=Politeness(**politeness), sleep=slept.append)


def read(http: Http, **paging) -> list[int]:
    pages = http.pages("/things", {"limit": 2}, rows="things", following=lambda body: body.get("next"), cursor="after", **paging)
    return [thing["id"] for page in pages for thing in page]


def three_pages(request) -> Answer:
    number = int(request.query.get("after", ["1"])[0])
    following = {"next": str(number + 1)} if number < 3 else {}
    return Answer({"things": [{"id": number * 10}, {"id": number * 10 + 1}]} | following)


def stumbling(failures: list[Answer], on_page: str = "3"):
    """three_pages, but page `on_page` gives `failures` first."""
    left = list(failures)

    def answer(request) -> Answer:
        return left.pop(0) if left and request.query.get("after") == [on_page] else three_pages(request)

    return answer


EVERYTHING = [10, 11, 20, 21, 30, 31]


def test_pages_follow_the_cursor_and_carry_key_and_parameters():
    with scripted_server(three_pages) as (base_url, requests):
        assert read(client(base_url, [])) == EVERYTHING
    assert [request.query.get("after") for request in requests] == [None, ["2"], ["3"]]
    assert all(request.query["limit"] == ["2"] for request in requests)
    assert all(request.headers["Authorization"] == f"Bearer {CANARY}" for request in requests)


def test_first_only_parameters_are_dropped():
    with scripted_server(three_pages) as (base_url, requests):
        read(client(base_url, []), only_first=("limit",))
    assert ["limit" in request.query for request in requests] == [True, False, False]


@pytest.mark.parametrize(
    "failure",
    [
        Answer({"error": "x"}, 500),
        Answer({}, 503),
        Answer(b"<html><body>maintenance</body></html>"),
        Answer(b'{"things": [{"id": 30}, {"i'),
        Answer(b"[1, 2]"),
        Answer(b'{"things": []}', cut=True),
    ],
    ids=["500", "503", "html", "cut json", "not an object", "connection breaks off"],
)
def test_a_fault_on_page_three_five_times_is_survived(failure):
    slept: list[float] = []
    with scripted_server(stumbling([failure] * 5)) as (base_url, requests):
        assert read(client(base_url, slept)) == EVERYTHING
    assert len(requests) == 8
    assert len(slept) == 5
    assert all(0 <= seconds <= 0.5 * 2**n for n, seconds in enumerate(slept))


@pytest.mark.parametrize(
    ("failure", "words"),
    [(Answer({}, 500), "answered 500"), (Answer(b"<html>"), "with HTML"), (Answer(b'{"things": [{'), "cut or broken JSON")],
    ids=["500", "html", "cut json"],
)
def test_after_six_tries_it_is_an_error_that_names_the_page(failure, words):
    got: list[int] = []
    with scripted_server(stumbling([failure] * 6)) as (base_url, _), pytest.raises(TransientSourceError, match=words) as error:
        http = client(base_url, [])
        for page in http.pages("/things", {}, rows="things", following=lambda body: body.get("next"), cursor="after"):
            got += [thing["id"] for thing in page]
    assert got == [10, 11, 20, 21]
    assert "Vendor: GET /things" in str(error.value)
    assert "\n" not in str(error.value)


def test_nobody_listens():
    with pytest.raises(TransientSourceError, match="could not be reached"):
        client("http://127.0.0.1:9", [], tries=2).get("/things")


def test_a_slow_answer_is_a_timeout():
    def answer(request) -> Answer:
        import time

        time.sleep(0.5)
        return Answer()

    with scripted_server(answer) as (base_url, _), pytest.raises(TransientSourceError, match="gave no answer in time"):
        client(base_url, [], tries=2, timeout=(1.0, 0.05)).get("/things")


def test_retry_after_in_seconds_is_waited_for():
    slept: list[float] = []
    with scripted_server(stumbling([Answer({}, 429, {"Retry-After": "7"})] * 3)) as (base_url, _):
        assert read(client(base_url, slept)) == EVERYTHING
    assert slept == [7.0, 7.0, 7.0]


def test_retry_after_as_a_date_is_waited_for():
    slept: list[float] = []
    when = format_datetime(datetime.now(UTC) + timedelta(seconds=40), usegmt=True)
    with scripted_server(stumbling([Answer({}, 429, {"Retry-After": when})])) as (base_url, _):
        assert read(client(base_url, slept)) == EVERYTHING
    assert 30 < slept[0] <= 40


def test_being_told_to_wait_is_bounded():
    with scripted_server(lambda request: Answer({}, 429, {"Retry-After": "86400"})) as (base_url, requests):
        with pytest.raises(TransientSourceError, match="asks to wait 86400 s"):
            client(base_url, []).get("/things")
        assert len(requests) == 1
    with scripted_server(lambda request: Answer({}, 429, {"Retry-After": "1"})) as (base_url, requests):
        with pytest.raises(TransientSourceError, match="429"):
            client(base_url, [], waits_for_rate_limit=4).get("/things")
        assert len(requests) == 5


def test_an_unreadable_retry_after_falls_back_to_backoff():
    slept: list[float] = []
    with scripted_server(stumbling([Answer({}, 429, {"Retry-After": "soon"}), Answer({}, 429)])) as (base_url, _):
        assert read(client(base_url, slept)) == EVERYTHING
    assert len(slept) == 2
    assert max(slept) <= 1.0


def test_a_repeated_page_is_rejected():
    def answer(request) -> Answer:
        number = int(request.query.get("after", ["1"])[0])
        return Answer({"things": [{"id": 1}, {"id": 2}], "next": str(number + 1)})

    with scripted_server(answer) as (base_url, requests), pytest.raises(TransientSourceError, match="same page twice"):
        read(client(base_url, []))
    assert len(requests) == 2


def test_a_repeated_cursor_is_rejected():
    ids = iter(range(100))
    with (
        scripted_server(lambda request: Answer({"things": [{"id": next(ids)}], "next": "again"})) as (base_url, _),
        pytest.raises(TransientSourceError, match="same cursor twice"),
    ):
        read(client(base_url, []))


@pytest.mark.parametrize("body", [{"items": []}, {"things": None}, {"things": {"id": 1}}], ids=["renamed", "null", "an object"])
def test_a_page_without_its_list_is_not_an_empty_page(body):
    with scripted_server(lambda request: Answer(body)) as (base_url, _), pytest.raises(ContractError, match="without the list 'things'"):
        read(client(base_url, []))


def test_a_page_that_does_not_say_where_the_next_one_is_is_not_the_last():
    with scripted_server(lambda request: Answer({"things": [{"id": 1}], "end_of_stream": False})) as (base_url, _):
        http = client(base_url, [])
        pages = http.pages("/things", {}, rows="things", following=lambda body: body["after_cursor"], cursor="after")
        with pytest.raises(ContractError, match="without 'after_cursor', which leads to the next page"):
            list(pages)


def test_certificates_are_verified_whatever_the_environment_says(monkeypatch):
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    assert client("https://example.test", [])._session.verify is True
    monkeypatch.setenv("CURL_CA_BUNDLE", "/of/curl.pem")
    assert client("https://example.test", [])._session.verify == "/of/curl.pem"
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/of/requests.pem")
    assert client("https://example.test", [])._session.verify == "/of/requests.pem"


@pytest.mark.parametrize(("error", "said"), [("invalid_grant", " (invalid_grant)"), (f"no {CANARY}", ""), (["a"], ""), (None, "")])
def test_a_refusal_in_one_word_is_told_and_in_more_is_not(error, said):
    with scripted_server(lambda request: Answer({"error": error}, 401)) as (base_url, _), pytest.raises(Refused) as refused:
        client(base_url, []).get("/things")
    assert f"GET /things answered 401{said}: check the credentials" in str(refused.value)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_a_refusal_is_not_tried_again_and_tells_no_secret(status):
    said = {"error": {"code": "not_allowed", "message": f"the key {CANARY} of jane@example.test is wrong"}}
    with scripted_server(lambda request: Answer(said, status)) as (base_url, requests), pytest.raises(Refused) as error:
        client(base_url, []).get("/things", {"email": "jane@example.test"})
    assert len(requests) == 1
    assert error.value.status == status
    assert isinstance(error.value, NotFound) is (status == 404)
    assert f"GET /things answered {status} (not_allowed)" in str(error.value)
    assert CANARY not in str(error.value)
    assert "jane" not in str(error.value)


def test_a_redirect_to_another_host_does_not_carry_the_key():
    with scripted_server(lambda request: Answer({"here": True})) as (elsewhere, requests):
        elsewhere = elsewhere.replace("127.0.0.1", "localhost")
        with scripted_server(lambda request: Answer({}, 302, {"Location": f"{elsewhere}/there"})) as (base_url, _):
            assert client(base_url, []).get("/things") == {"here": True}
        assert "Authorization" not in requests[0].headers


def test_a_key_that_cannot_be_sent_is_not_told():
    with scripted_server(lambda request: Answer({})) as (base_url, requests), pytest.raises(SourceError, match="could not be sent") as error:
        Http("Vendor", base_url, Bearer(f"{CANARY}\n"), politeness=Politeness(), sleep=lambda _: None).get("/things")
    assert not requests
    assert CANARY not in str(error.value)


def test_a_bad_address_is_one_line():
    with pytest.raises(SourceError, match="check the base URL"):
        client("ftp://example.test", []).get("/things")
