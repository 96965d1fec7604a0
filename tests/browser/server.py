"""The site as in production, with the texts of fixtures/, on a free port: `with serving() as url: ...`.

Hashed and compressed static files, the content security policy and the real server are part of what is tested. What
was prepared is kept in .cache/browser until the code or the texts change; every start works on a copy.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache" / "browser-sites"
INPUTS = (
    "fixtures",
    "knowledgebase",
    "leerpunt",
    "locale",
    "practices",
    "static",
    "requirements.lock",
    "tests/factories",
)
PATIENCE = 60  # seconds
KEPT = 24 * 60 * 60  # seconds


@contextmanager
def serving(*, demo: bool = True, prepare: str = "tests.browser.prepare") -> Iterator[str]:
    prepared = _prepared(prepare, demo=demo)
    with tempfile.TemporaryDirectory(prefix="leerpunt-") as folder:
        database = shutil.copy(prepared / "site.sqlite3", folder)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        url = f"http://127.0.0.1:{port}"
        command = [
            sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port),
            "--workers", "1", "--blocking-threads", "4", "--no-ws", "--log-level", "error", "leerpunt.wsgi:application",
        ]  # fmt: skip
        environment = _environment(Path(database), prepared / "static", SITE_URL=url)
        log = Path(folder) / "server.log"
        with log.open("wb") as output:
            server = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
            )
            try:
                _wait(url, server, log)
                yield url
            finally:
                os.killpg(server.pid, signal.SIGTERM)
                server.wait(timeout=PATIENCE)


def _environment(database: Path, static: Path, **more: str) -> dict[str, str]:
    return os.environ | {
        "LEERPUNT_MODE": "demo",
        "DJANGO_SETTINGS_MODULE": "tests.browser.settings",
        "DATABASE_URL": f"sqlite:///{database}",
        "STATIC_ROOT": str(static),
        **more,
    }


def _prepared(prepare: str, *, demo: bool) -> Path:
    """The folder with a filled database and the collected static files, made now unless nothing changed since."""
    digest = sha256(f"{prepare} {demo}".encode())
    for name in (*INPUTS, f"{prepare.replace('.', '/')}.py"):
        top = ROOT / name
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            if path.is_file() and path.suffix != ".pyc":
                digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    folder = CACHE / digest.hexdigest()[:16]
    if not folder.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        for old in CACHE.iterdir():
            if time.time() - old.stat().st_mtime > KEPT:
                shutil.rmtree(old, ignore_errors=True)
        making = Path(tempfile.mkdtemp(prefix="making-", dir=CACHE))
        subprocess.run(
            [sys.executable, "-m", prepare, *(["--demo"] if demo else [])],
            cwd=ROOT, env=_environment(making / "site.sqlite3", making / "static"), check=True,
        )  # fmt: skip
        try:
            making.rename(folder)
        except OSError:  # another process was first
            shutil.rmtree(making)
    folder.touch()
    return folder


def _wait(url: str, server: "subprocess.Popen[bytes]", log: Path) -> None:
    give_up = time.monotonic() + PATIENCE
    while server.poll() is None and time.monotonic() < give_up:
        try:
            with urllib.request.urlopen(f"{url}/healthz", timeout=PATIENCE):  # noqa: S310  # our own http address
                return
        except urllib.error.URLError:
            time.sleep(0.05)
    raise RuntimeError(f"The server did not start:\n{log.read_text()}")
