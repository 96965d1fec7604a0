"""The standard's own checker (vnu) on every kind of page as it is served. `make web-quality`"""

import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
from tests.browser.pages import PAGES  # noqa: E402
from tests.browser.server import serving  # noqa: E402

VNU = ROOT / "tests/web/node_modules/vnu-jar/build/dist/vnu.jar"


def fetched(address: str) -> bytes:
    try:
        with urllib.request.urlopen(address) as answer:  # noqa: S310  # our own http address
            return bytes(answer.read())
    except urllib.error.HTTPError as answer:
        return answer.read()


def main() -> int:
    java = shutil.which("java")
    if java is None:
        print("java is missing: the HTML checker needs it.")  # noqa: T201
        return 1
    with serving() as url, tempfile.TemporaryDirectory() as folder:
        for name, path in PAGES.items():
            (Path(folder) / f"{name}.html").write_bytes(fetched(url + path))
        done = subprocess.run(  # noqa: S603  # our own arguments
            [java, "-jar", str(VNU), "--format", "gnu", *map(str, sorted(Path(folder).glob("*.html")))],
            stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    print(done.stderr.replace(f"file:{folder}/", ""), end="")  # noqa: T201
    print(f"{len(PAGES)} pages, {len(done.stderr.splitlines())} remarks.")  # noqa: T201
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
