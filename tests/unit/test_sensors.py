"""What the webhook is told, and that it can't fail a run."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

from orchestration.sensors import notify, stop_text


def test_the_webhook_gets_slack_compatible_json():
    received = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            received.append((self.headers["Content-Type"], json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.handle_request, daemon=True).start()
    text = stop_text("abcdef1234", "raw_gate", "held_back", "gate raw/stripe__invoices failed: 3 rows")
    assert notify(f"http://127.0.0.1:{server.server_port}/hook", text)
    server.server_close()
    assert received == [("application/json", {"text": text})]
    assert "run abcdef12 was held back by a gate at 'raw_gate'" in text


def test_a_webhook_that_does_not_answer_is_a_warning_without_its_address(caplog):
    assert not notify("http://127.0.0.1:9/secret-path", "text")
    assert "CSW_WEBHOOK_URL" in caplog.text
    assert "secret-path" not in caplog.text


def test_a_message_has_a_bound():
    assert len(stop_text("abcdef1234", "marts", "failed", "x" * 100_000)) == 1500
