"""Ends with 0 when a part of Airflow is healthy, as its API tells: `python healthy.py scheduler http://airflow-api:8080`."""

import json
import sys
from urllib.request import urlopen


def status_of(part: str, url: str) -> str | None:
    with urlopen(f"{url}/api/v2/monitor/health", timeout=4) as answer:  # noqa: S310 - the caller's own URL
        return json.load(answer)[part]["status"]


if __name__ == "__main__":
    found = status_of(*sys.argv[1:3])
    sys.exit(0 if found == "healthy" else f"{sys.argv[1]} is {found}")
