"""Prints the table of tools/paper/table-1: table_1.py FASTLANE DIRECTORY "SEED..." SYSTEM..."""

import json
import statistics
import subprocess
import sys
from pathlib import Path

DATA = Path("../shared/data")
# the learned lane that others are compared with
BASELINE = "soft-8-lanes"


def tests(run):
    """The measures of a run on each test set, by collection."""
    lines = map(json.loads, (run / "metrics.jsonl").open())
    reports = [line["is"] for line in lines if line["kind"] == "test"]
    return {Path(report["path"]).name: report for report in reports}


def cell(reports, collection, measure):
    """The mean over seeds, and their spread."""
    found = [dict(report[collection]["measures"]).get(measure) for report in reports]
    if None in found:
        return ""
    spread = f" ± {statistics.stdev(found):.3f}" if len(found) > 1 else ""
    return f"{statistics.mean(found):.3f}{spread}"


def row(cells):
    print("| " + " | ".join(cells) + " |")


def quality(systems, collections):
    """Each system's lane, and late interaction over its best hundred."""
    head = [f"{collection} {way}" for collection in collections for way in ("lane", "R@100", "rerank")]
    row(["nDCG@10", *head])
    row(["---"] * (1 + len(head)))
    measures = ("lane nDCG@10", "lane R@100", "rerank nDCG@10")
    for system, reports in systems.items():
        row([system] + [cell(reports, collection, it) for collection in collections for it in measures])


def routers(systems, collection):
    """The statistics of each router."""
    print(f"\nRouters on {collection}, the first seed:\n")
    ways = ("lane", "random lane", "even lane")
    row(["", "shares even", "picks, bits", "commonest position", "commonest token", *ways])
    row(["---"] * 8)
    for system, reports in systems.items():
        report = reports[0][collection]
        choice, measures = report["choice"], dict(report["measures"])
        if choice:
            position = f"{choice['position']} in {choice['position_share']:.0%}"
            token = f"`{choice['token']}` in {choice['token_share']:.0%}"
            found = [measures.get(f"{way} nDCG@10") for way in ways]
            gain = [f"{value:.3f}" if value else "" for value in found]
            row([system, f"{choice['evenness']:.0%}", f"{choice['position_bits']:.1f}", position, token, *gain])


def significance(fastlane, place, systems, collection, seed):
    """Compares the lanes of other systems with the learned one, query by query."""
    runs = place / "runs" / collection
    runs.mkdir(parents=True, exist_ok=True)
    for system in systems:
        found = place / f"{system}-{seed}" / "test" / f"{collection}.lane.run"
        (runs / f"{system}.run").write_bytes(found.read_bytes())
    names = [str(runs / f"{system}.run") for system in systems]
    judged = ["--qrels", str(DATA / collection / "qrels/test.tsv"), "-m", "nDCG@10"]
    against = ["--baseline", str(runs / f"{BASELINE}.run"), "--markdown"]
    print(f"\nLanes on {collection}, the first seed, against {BASELINE}:\n")
    sys.stdout.flush()
    subprocess.run([fastlane, "eval", *names, *judged, *against], check=True)


def main():
    fastlane, place, seeds, names = sys.argv[1], Path(sys.argv[2]), sys.argv[3].split(), sys.argv[4:]
    first = seeds[0]
    systems = {name: [tests(place / f"{name}-{seed}") for seed in seeds] for name in names}
    collections = list(systems[BASELINE][0])
    quality(systems, collections)
    routers(systems, collections[0])
    for collection in collections:
        significance(fastlane, place, systems, collection, first)


if __name__ == "__main__":
    main()
