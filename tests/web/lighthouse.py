"""Lighthouse (mobile) on the production server, with texts that are no demonstration: those are `noindex` on purpose,
which Lighthouse counts as a fault. Prints the median of each score. `python -m tests.web.lighthouse [RUNS]`"""

import json
import os
import statistics
import subprocess
import sys

from tests.browser.conftest import CHROMIUM
from tests.browser.pages import HOME, OVERVIEW, OWN_FIGURE
from tests.browser.server import ROOT, serving

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
                done = subprocess.run(  # noqa: RUF100, S603
                    [str(PROGRAM), url + path, "--quiet", "--output=json", f"--chrome-flags={FLAGS}"],
                    env=os.environ | {"CHROME_PATH": CHROMIUM}, stdout=subprocess.PIPE, check=True,
                )  # fmt: skip
                report = json.loads(done.stdout)
                for name in CATEGORIES:
                    scores[name].append(report["categories"][name]["score"])
                failing = [key for key, audit in report["audits"].items() if audit.get("score") == 0]
            medians = {name: round(100 * statistics.median(values)) for name, values in scores.items()}
            lowest = min(lowest, *medians.values())
            print(path, medians, "failing:", failing)  # noqa: RUF100, T201
    return lowest < LOWEST


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1))
