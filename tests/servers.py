"""Servers that tests start on loopback and stop again: localstripe, PostgreSQL, and a tiny HTTP server that follows a script.

Here belong starting and stopping; not what a test asks of them. Nothing listens beyond the machine but localstripe, which can't be told
otherwise, with made-up data.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

POSTGRES_BIN = Path("/usr/lib/postgresql/15/bin")
STRIPE_KEY = "sk_test_12345"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def localstripe_server() -> Iterator[str]:
    """The independent fake of Stripe, as a process of its own (it is GPL: never imported). Yields its base URL; the key is STRIPE_KEY."""
    program = Path(sys.executable).with_name("localstripe")
    if not program.exists():
        raise RuntimeError("localstripe is not installed: make test installs it from requirements/dev.lock")
    port = free_port()
    process = subprocess.Popen([program, "--from-scratch", "--port", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    base_url = f"http://localhost:{port}"
    try:
        _wait_until(lambda: _answers(f"{base_url}/v1/customers"), process, "localstripe")
        yield base_url
    finally:
        _stop(process)


@contextmanager
def postgres_server() -> Iterator[str]:
    """A fresh PostgreSQL cluster in a temporary folder. Yields the DSN of its database, with a password in it."""
    if not (POSTGRES_BIN / "initdb").exists():
        raise RuntimeError(f"PostgreSQL's server is not at {POSTGRES_BIN}: .ci/run installs it (Debian package postgresql-15)")
    with tempfile.TemporaryDirectory(prefix="csw-postgres-") as folder:
        home = Path(folder)
        home.chmod(0o755)
        data, port, password = home / "data", free_port(), "canary-of-postgres"
        data.mkdir()
        unprivileged: list[str] = []
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            user = "postgres" if _has_user("postgres") else "nobody"
            shutil.chown(data, user)
            unprivileged = ["runuser", "-u", user, "--"]
        pwfile = home / "pw"
        pwfile.write_text(password)
        pwfile.chmod(0o644)
        initdb = [POSTGRES_BIN / "initdb", "-D", data, "-U", "csw", "-A", "scram-sha-256", f"--pwfile={pwfile}", "-E", "UTF8", "--no-sync"]
        subprocess.run([*unprivileged, *initdb], check=True, stdout=subprocess.DEVNULL, cwd=home)
        options = ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "fsync=off", "-c", f"port={port}"]
        process = subprocess.Popen(
            [*unprivileged, POSTGRES_BIN / "postgres", "-D", data, *options],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=home,
        )
        try:
            ready = [POSTGRES_BIN / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]
            _wait_until(lambda: subprocess.run(ready, check=False).returncode == 0, process, "PostgreSQL")
            yield f"postgresql://csw:{password}@127.0.0.1:{port}/postgres"
        finally:
            _stop(process)


@dataclass
class Request:
    """What a scripted server was asked."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: dict


@dataclass
class Answer:
    """What it says: a JSON object, or any bytes; `cut` announces more bytes than it sends."""

    body: dict | bytes = field(default_factory=dict)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False


@contextmanager
def scripted_server(answer: Callable[[Request], Answer]) -> Iterator[tuple[str, list[Request]]]:
    """An HTTP server on loopback that answers with `answer(request)`. Yields its base URL and the list of requests so far."""
    requests: list[Request] = []

    class Handler(BaseHTTPRequestHandler):
        def _respond(self) -> None:
            url = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            query = parse_qs(url.query, keep_blank_values=True)
            request = Request(self.command, url.path, query, dict(self.headers), json.loads(body) if body else {})
            requests.append(request)
            said = answer(request)
            content = said.body if isinstance(said.body, bytes) else json.dumps(said.body).encode()
            self.send_response(said.status)
            for name, value in ({"Content-Type": "application/json"} | said.headers).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content) + (1000 if said.cut else 0)))
            self.end_headers()
            with suppress(ConnectionError):  # the client lost patience
                self.wfile.write(content)
            self.close_connection = self.close_connection or said.cut

        do_GET = do_POST = _respond

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", requests
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=1)
    except urllib.error.HTTPError:
        return True  # 401: it is there
    except OSError:
        return False
    return True


def _wait_until(is_ready: Callable[[], bool], process: subprocess.Popen, name: str, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not is_ready():
        if process.poll() is not None:
            raise RuntimeError(f"{name} ended with exit code {process.returncode} instead of starting")
        if time.monotonic() > deadline:
            raise RuntimeError(f"{name} was not ready within {seconds:.0f} s")
        time.sleep(0.05)


def _stop(process: subprocess.Popen) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _has_user(name: str) -> bool:
    import pwd

    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True
