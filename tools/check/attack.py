"""Fuzzes the service with requests that schemathesis generates from its API description,
valid and invalid, first without keys and then with one. No answer may be a 5xx, or contradict the
description in status, headers or body.

Exits with 1 if one does. The reports are in target/serve/attack.
"""
import argparse
import os
import subprocess
import sys
import time

from tools.shared import harness
from tools.shared.harness import FASTLANE, PLACE, ROOT, Service

HOOKS = str(ROOT / "tools/check/attack_hooks.py")
# A deletion is queued, and its body names the documents: neither its path nor its response states
# that anything is deleted already.
NOT_OURS = "use_after_free"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tools/check/attack", description=__doc__.split("\n\n")[0])
    parser.add_argument("--examples", type=int, default=350, help="largest number of examples per operation and phase")
    parser.add_argument("--seconds", type=int, default=270, help="time limit of each of the two runs")
    return parser.parse_args()


def attack(service: Service, name: str, args: argparse.Namespace, *more: str) -> bool:
    """Makes one run; returns whether it found nothing."""
    reports = PLACE / "attack" / name
    command = [str(ROOT / "target/tools/attack-python/bin/schemathesis")]
    command += ["--config-file", str(ROOT / "tools/check/attack.toml"), "--no-color", "run"]
    command += [f"http://127.0.0.1:{service.port}/openapi.json", "--checks", "all"]
    command += ["--exclude-checks", NOT_OURS, "--mode", "all"]
    command += ["--max-examples", str(args.examples), "--max-time", str(args.seconds)]
    command += ["--report", "junit", "--report-dir", str(reports), *more]
    began = time.monotonic()
    result = subprocess.run(command, cwd=PLACE, env={**os.environ, "SCHEMATHESIS_HOOKS": HOOKS})
    alive = service.process.poll() is None
    print(f"{name}: {time.monotonic() - began:.0f} s; the service {'lives' if alive else 'IS DEAD'}")
    return result.returncode == 0 and alive


def answered(service: Service, key: str | None) -> dict[str, int]:
    """The number of responses by status."""
    client = harness.Client(service)
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    _, body = client.ask("GET", "/metrics", headers=headers)
    counts: dict[str, int] = {}
    for line in body.decode().splitlines():
        if line.startswith("fastlane_request_seconds_count"):
            status = line.split('status="')[1][:3]
            counts[status] = counts.get(status, 0) + int(line.rsplit(" ", 1)[1])
    return counts


def main() -> int:
    args = arguments()
    keys = PLACE / "attack.keys"
    PLACE.mkdir(parents=True, exist_ok=True)
    keys.unlink(missing_ok=True)
    made = [FASTLANE, "key", "attacker", "--scope", "write", "--keys", str(keys)]
    key = subprocess.run(made, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    held, total = True, 0
    for name, arguments_of, sent, more in [
        ("without keys", [], None, []),
        ("with a key", ["--keys", str(keys)], key, ["--header", f"Authorization: Bearer {key}"]),
    ]:
        service = Service(harness.index("attack", 500, fresh=True), *arguments_of)
        held &= attack(service, name.replace(" ", "-"), args, *more)
        counts = answered(service, sent)
        total += sum(counts.values())
        held &= not any(status >= "500" for status in counts)
        print(f"{name}: " + ", ".join(f"{status} {count}" for status, count in sorted(counts.items())))
        service.stop()
    print(f"{total} requests: {'nothing found' if held else 'PROBLEMS'}")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
