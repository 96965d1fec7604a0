"""The demonstration's settings, with static files collected in a folder of the tests' own."""

import os
from pathlib import Path

from leerpunt.settings import *  # noqa: F403, TID251

STATIC_ROOT = Path(os.environ["STATIC_ROOT"])
