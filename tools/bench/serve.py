"""Measures the service under load, on this machine: encode, search and rerank (k = 10, rerank 100)
over 100,000 passages, requested over loopback by clients that share its cores.

1. Peak: closed loops of more and more connections; the best of them.
2. Half of that, at random moments (Poisson): latency counts from when a request was due.
3. Three times the peak: excess requests get a 429, nothing else fails, and memory does not grow;
   two seconds later the service performs as before.

Prints a table and the time per stage; exits with 1 if a limit is missed.
"""
import argparse
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

from tools.shared import harness
from tools.shared.harness import PLACE, Service

STAGES = ["wait", "encode", "route", "probe", "rerank", "words", "show"]
CLOSED = [2, 4, 8, 16]
# The largest number of concurrent requests, whatever the rate.
CONNECTIONS = 256


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tools/bench/serve", description=__doc__.split("\n\n")[0])
    parser.add_argument("--passages", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=20, help="duration of each load, except while seeking the peak")
    parser.add_argument("--threads", type=int, help="threads of the service [default: all cores]")
    parser.add_argument("--fresh", action="store_true", help="rebuild the index")
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    return parser.parse_args()


def cpu(pid: int) -> float:
    """The CPU seconds that a process used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def busy() -> float:
    """The CPU seconds that the whole machine was busy, including steal time."""
    fields = [int(it) for it in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return (sum(fields) - fields[3] - fields[4]) / os.sysconf("SC_CLK_TCK")


class Bench:
    def __init__(self, service: Service, bodies: Path):
        self.service, self.bodies = service, bodies
        self.address = f"127.0.0.1:{service.port}"
        self.figures: dict[str, dict] = {}

    def load(self, name: str, connections: int, seconds: float, rate: float | None = None) -> dict:
        command = [os.environ["LOAD"], self.address, "/indexes/passages/search", str(self.bodies)]
        command += [str(connections), str(seconds)] + ([] if rate is None else [str(rate)])
        pid, before, stages = self.service.process.pid, busy(), self.service.metrics()
        own = cpu(pid)
        load = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        # the CPU time of a zombie process can still be read
        os.waitid(os.P_PID, load.pid, os.WEXITED | os.WNOWAIT)
        loads, ours, all_of_it = cpu(load.pid), cpu(pid) - own, busy() - before
        figures = json.loads(load.communicate()[0])
        figures["connections"], figures["rate"] = connections, rate
        figures["cores"] = {name: time / figures["seconds"] for name, time in [
            ("service", ours), ("load", loads), ("others", max(0.0, all_of_it - ours - loads))]}
        figures["stages"] = self.stages(stages)
        figures["good"] = figures["statuses"].get("200", 0)
        figures["refused"] = figures["statuses"].get("429", 0)
        asked = sum(figures["statuses"].values()) + figures["failed"]
        figures["failed"] = asked - figures["good"] - figures["refused"]
        figures["asked"], figures["per_second"] = asked, figures["good"] / figures["seconds"]
        self.figures[name] = figures
        return figures

    def stages(self, before: dict[str, float]) -> dict[str, float]:
        """The mean milliseconds of each stage since then."""
        after = self.service.metrics()
        found = {}
        for stage in STAGES:
            names = [f'fastlane_stage_seconds_{it}{{stage="{stage}"}}' for it in ("sum", "count")]
            total, count = (after.get(name, 0) - before.get(name, 0) for name in names)
            found[stage] = 1e3 * total / max(count, 1)
        return found


def row(name: str, it: dict) -> None:
    cores, stages = it["cores"], it["stages"]
    print(f"{name:<18} {it['asked']:>7} {it['good']:>7} {it['refused']:>7} {it['failed']:>6} "
          f"{it['per_second']:>7.1f} {it['p50']:>7.1f} {it['p99']:>7.1f} {it['max']:>7.1f} "
          f"{it['late']:>6.1f}   {cores['service']:.2f} {cores['load']:.2f} {cores['others']:.2f}   "
          + " ".join(f"{stages[stage]:>6.2f}" for stage in STAGES), flush=True)


def main() -> int:
    args = arguments()
    index = harness.index("bench", args.passages, args.fresh)
    bodies = PLACE / "queries.jsonl"
    with bodies.open("w", encoding="utf-8") as file:
        for query in harness.queries(5000):
            file.write(json.dumps({"query": query, "k": 10, "rerank": 100}) + "\n")
    threads = [] if args.threads is None else ["--threads", str(args.threads)]
    service = Service(index, *threads)
    try:
        bars = measure(Bench(service, bodies), args)
    finally:
        service.stop()
    for name, found, wanted, held in bars:
        print(f"{'held  ' if held else 'MISSED'} {name}: {found}, wanted {wanted}")
    return 0 if all(held for *_, held in bars) else 1


def measure(bench: Bench, args: argparse.Namespace) -> list[tuple[str, str, str, bool]]:
    print(f"{'load':<18} {'asked':>7} {'200':>7} {'429':>7} {'failed':>6} {'200/s':>7} {'p50':>7} {'p99':>7} "
          f"{'max':>7} {'late':>6}   cores: service load others   mean ms: {' '.join(STAGES)}")
    bench.load("warm up", 4, 5)
    peaks = []
    for connections in CLOSED:
        name = f"closed, {connections}"
        row(name, bench.load(name, connections, 6))
        peaks.append(bench.figures[name]["per_second"])
    peak = max(peaks)
    half = bench.load("half", CONNECTIONS, args.seconds, peak / 2)
    row(f"half: {peak / 2:.0f}/s", half)
    before, most = bench.service.memory(), [0]
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(0.2):
            most[0] = max(most[0], bench.service.memory())

    looker = threading.Thread(target=look)
    looker.start()
    over = bench.load("three times", CONNECTIONS, args.seconds, 3 * peak)
    ended.set()
    looker.join()
    row(f"3 x peak: {3 * peak:.0f}/s", over)
    time.sleep(2)
    after = bench.service.memory()
    again = bench.load("half again", CONNECTIONS, args.seconds, peak / 2)
    row(f"half: {peak / 2:.0f}/s", again)
    if args.json:
        args.json.write_text(json.dumps({"peak": peak, "memory": [before, most[0], after], **bench.figures}))
    mib = 1 << 20
    memory = f"{before / mib:.0f}, {most[0] / mib:.0f}, {after / mib:.0f} MiB"
    print(f"\npeak {peak:.1f} searches/s; memory before, at most during, and after 3 x peak: {memory}")
    share = over["refused"] / max(over["asked"], 1)
    return [
        ("p50 at half of the peak", f"{half['p50']:.1f} ms", "< 10 ms", half["p50"] < 10),
        ("p99 at half of the peak", f"{half['p99']:.1f} ms", "< 40 ms", half["p99"] < 40),
        ("refused or failed at half", f"{half['refused'] + half['failed']}", "0",
         half["refused"] + half["failed"] == 0),
        ("told to come back at 3 x peak", f"{share:.0%}", "> 0 %", share > 0),
        ("failed at 3 x peak", f"{over['failed']}", "0", over["failed"] == 0),
        ("answered at 3 x peak, of the peak", f"{over['per_second'] / peak:.0%}", "> 70 %",
         over["per_second"] > 0.7 * peak),
        ("memory after 3 x peak", memory, "flat within 10 % or 32 MiB",
         after < before + max(before // 10, 32 * mib)),
        ("p99 two seconds later", f"{again['p99']:.1f} ms", "as before (< 1.5 times, or < 40 ms)",
         again["p99"] < max(1.5 * half["p99"], 40)),
    ]


if __name__ == "__main__":
    sys.exit(main())
