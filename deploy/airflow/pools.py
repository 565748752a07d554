"""Writes what `airflow pools import` reads: a pool for each provider of a catalog. `python pools.py catalog.json`."""

import json
import sys
from pathlib import Path


def pools_of(catalog: dict) -> dict[str, dict]:
    return {
        row["pool"]: {
            "slots": row["pool_slots"],
            "description": f"Calls to {row['title']} at once",
            "include_deferred": False,
        }
        for row in catalog["providers"]
    }


if __name__ == "__main__":
    print(json.dumps(pools_of(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))))
