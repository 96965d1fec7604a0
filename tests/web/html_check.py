"""The standard's own checker (vnu) on every kind of page as it is served: `python -m tests.web.html_check`"""

import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

from tests.browser.pages import PAGES
from tests.browser.server import ROOT, serving

VNU = ROOT / "tests/web/node_modules/vnu-jar/build/dist/vnu.jar"


def fetched(address: str) -> bytes:
    try:
        with urllib.request.urlopen(address) as answer:  # noqa: S310  # our own http address
            return bytes(answer.read())
    except urllib.error.HTTPError as answer:
        return answer.read()


def remarks(url: str) -> list[str]:
    """What the checker says about the pages of the site at this address; needs Java."""
    with tempfile.TemporaryDirectory() as folder:
        for name, path in PAGES.items():
            (Path(folder) / f"{name}.html").write_bytes(fetched(url + path))
        files = sorted(str(path) for path in Path(folder).iterdir())
        done = subprocess.run(
            ["java", "-jar", str(VNU), "--format", "gnu", *files],
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )  # noqa: RUF100, S603, S607
        found = [line.replace(f"file:{folder}/", "").replace(folder, "") for line in done.stderr.splitlines()]
    return found or ([f"vnu ended with {done.returncode}"] if done.returncode else [])


if __name__ == "__main__":
    with serving() as site:
        found = remarks(site)
    print(*found, f"{len(PAGES)} pages, {len(found)} remarks.", sep="\n")  # noqa: RUF100, T201
    sys.exit(bool(found))
