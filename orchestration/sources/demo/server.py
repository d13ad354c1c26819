"""The three facades on loopback, each on a port of its own: real HTTP/1.1 with keep-alive, credentials and now and then a 429."""

from __future__ import annotations

import json
import threading
from datetime import datetime
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from pydantic import SecretStr

from orchestration.sources.demo.base import seconds
from orchestration.sources.demo.facade import Refusal, Request
from orchestration.sources.demo.facade_hubspot import HubSpotFacade
from orchestration.sources.demo.facade_stripe import StripeFacade
from orchestration.sources.demo.facade_zendesk import ZendeskFacade

RATE_LIMIT_EVERY = 300  # each so manieth request is told to come back in a second
LARGEST_BODY = 1_000_000


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, facade: Any, owner: DemoServer) -> None:
        self.facade, self.owner = facade, owner
        self.served = 0
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        self._serve("GET")

    def do_POST(self) -> None:
        self._serve("POST")

    def _serve(self, method: str) -> None:
        facade = self.server.facade
        headers: dict[str, str] = {}
        try:
            status, body = 200, self._answer(method)
        except Refusal as refusal:
            status, body, headers = refusal.status, facade.refuse(refusal), refusal.headers
        except Exception as error:  # noqa: BLE001  a fault of ours must look like one, not like a broken connection
            status, body = 500, json.dumps({"error": type(error).__name__}).encode()
            self.server.owner.faults.append(f"{method} {self.path.partition('?')[0]}: {error!r}")
        self.send_response(status)
        self.send_header("Content-Type", "application/json;charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self._headers_buffer.append(b"\r\n" + body)  # type: ignore[attr-defined]  headers and body in one packet
        self.flush_headers()

    def _answer(self, method: str) -> bytes:
        facade, owner = self.server.facade, self.server.owner
        length = int(self.headers.get("Content-Length") or 0)
        if length > LARGEST_BODY:
            raise Refusal(413, "body too large", headers={"Connection": "close"})
        raw = self.rfile.read(length)
        if not facade.authorized(self.headers):
            raise Refusal(401, "Authentication credentials not found or not valid")
        self.server.served += 1
        if owner.rate_limit_every and self.server.served % owner.rate_limit_every == 0:
            # Both forms that the standard allows, in turn.
            in_seconds = self.server.served // owner.rate_limit_every % 2 == 1
            raise Refusal(429, "Too many requests", headers={"Retry-After": "1" if in_seconds else formatdate(usegmt=True)})
        parts = urlsplit(self.path)
        try:
            content = json.loads(raw) if raw else None
        except ValueError:
            raise Refusal(400, "the body is not JSON") from None
        request = Request(method, parts.path.rstrip("/"), parse_qsl(parts.query, keep_blank_values=True), content)
        return facade.answer(request, owner.clock)

    def log_message(self, *_: Any) -> None:
        """Requests are not logged: they would drown the run's own words."""


class DemoServer:
    """The vendors of one company at one moment; `set_clock` moves it. Use it as a context."""

    def __init__(self, company: Any, clock: datetime, rate_limit_every: int = RATE_LIMIT_EVERY) -> None:
        self.clock = seconds(clock)
        self.rate_limit_every = rate_limit_every
        self.faults: list[str] = []  # our own errors, for tests to see
        # By vendor: the fields that its client takes, as SourceSpec names them.
        self.credentials: dict[str, dict[str, Any]] = {
            "hubspot": {"api_key": SecretStr("demo-hubspot-token")},
            "stripe": {"api_key": SecretStr("sk_test_demo_company")},
            "zendesk": {"email": "pipeline@demo-company.example", "api_key": SecretStr("demo-zendesk-token")},
        }
        key = {vendor: found["api_key"].get_secret_value() for vendor, found in self.credentials.items()}
        facades = [
            HubSpotFacade(company, key["hubspot"]),
            StripeFacade(company, key["stripe"]),
            ZendeskFacade(company, self.credentials["zendesk"]["email"], key["zendesk"]),
        ]
        self._servers = [_Server(facade, self) for facade in facades]
        self.base_urls = {s.facade.name: f"http://127.0.0.1:{s.server_port}" for s in self._servers}
        self._threads = [
            threading.Thread(target=s.serve_forever, kwargs={"poll_interval": 0.05}, name=f"demo-{s.facade.name}", daemon=True) for s in self._servers
        ]

    def set_clock(self, clock: datetime) -> None:
        """Move to another moment: what happened before it is there, nothing later."""
        self.clock = seconds(clock)

    def __enter__(self) -> DemoServer:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()
