"""Lighthouse (mobile) on the production server, with texts that are no demonstration: those are `noindex` on purpose,
which Lighthouse counts as a fault. Prints the median of each score. `python tests/web/lighthouse.py [RUNS]`"""

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
from tests.browser.conftest import CHROMIUM  # noqa: E402
from tests.browser.pages import HOME, OVERVIEW, OWN_FIGURE  # noqa: E402
from tests.browser.server import serving  # noqa: E402

PROGRAM = ROOT / "tests/web/node_modules/.bin/lighthouse"
FLAGS = "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
LOWEST = 95


def main(runs: int) -> int:
    lowest = 100
    with serving(demo=False) as url:
        for path in (HOME, OVERVIEW, OWN_FIGURE):
            scores: dict[str, list[float]] = {name: [] for name in CATEGORIES}
            for _ in range(runs):
                done = subprocess.run(  # noqa: S603  # our own arguments
                    [str(PROGRAM), url + path, "--quiet", "--output=json", f"--chrome-flags={FLAGS}"],
                    env=os.environ | {"CHROME_PATH": CHROMIUM}, stdout=subprocess.PIPE, check=True,
                )  # fmt: skip
                report = json.loads(done.stdout)
                for name in CATEGORIES:
                    scores[name].append(report["categories"][name]["score"])
                failing = [key for key, audit in report["audits"].items() if audit.get("score") == 0]
            medians = {name: round(100 * statistics.median(values)) for name, values in scores.items()}
            lowest = min(lowest, *medians.values())
            print(path, medians, "failing:", failing)  # noqa: T201
    return lowest < LOWEST


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1))
