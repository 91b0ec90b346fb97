"""Searches real views with usearch, faiss and our index in one run, on one core.

`tools/bench/index-peers` prepares Python and starts this; `tools/bench/make-views` made the views.
A query is one vector, an answer the k documents with the best views. Recall is the share of the
exact k documents, over all queries, and is taken first. Then in every round each engine searches
the same queries with each setting (A B C A B C ...), so that a machine that slows down slows all of
them. Figures are medians of the rounds. The last table has the fastest setting of each engine that
reaches the wanted recall, compared with ours.

`next-plaid` takes all views of a query, and fewer queries since it is slow. Its recall is measured
against the exact sum-max, and its fastest setting is in the last table whatever its recall.
"""
import argparse
import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import numpy
from tools.bench import views_truth
from tools.bench.index_engines import Child, Faiss, FastLane, NextPlaid, Peer, Setting, Usearch
from tools.bench.views_files import Views

ROOT = Path(__file__).resolve().parents[2]
VIEWS = ROOT / "target/views"
PACKAGES = ["usearch", "faiss-cpu", "numpy"]
PEERS: dict[str, type[Peer]] = {"usearch": Usearch, "faiss": Faiss}
ENGINES = ["fastlane", *PEERS, "next-plaid"]
# Builds our index, and serves it: `crates/engine/benches/index.rs`.
OURS = ["cargo", "bench", "--quiet", "--package", "fastlane-engine", "--bench", "index"]
# Multi-view queries: for recall, and per round.
FEW, FEWER = 100, 20


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tools/bench/index-peers", description=__doc__)
    parser.add_argument("--set", default="million", help="a folder in target/views")
    parser.add_argument("--engines", nargs="+", default=ENGINES, choices=ENGINES)
    parser.add_argument("--k", type=int, nargs="+", default=[10, 100], help="numbers of documents, up to 100")
    parser.add_argument("--recall", type=float, default=0.98, help="recall at which engines are compared")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--queries", type=int, default=200, help="queries per round")
    parser.add_argument("--core", type=int, default=max(os.sched_getaffinity(0)))
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    return parser.parse_args()


def say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


@dataclass
class Questions:
    """Queries, their exact answers, and the number per round."""

    queries: list | numpy.ndarray
    truth: numpy.ndarray
    in_a_round: int

    def some(self, number: int) -> list | numpy.ndarray:
        """Different queries in each round, as long as there are enough."""
        first = number * self.in_a_round % len(self.queries)
        return self.queries[first:first + self.in_a_round]


def lanes(views: Views, options: argparse.Namespace) -> Questions:
    truth = numpy.load(views.folder / "truth.npy")
    return Questions(numpy.load(VIEWS / "queries.npy"), truth, options.queries)


def all_views(views: Views) -> Questions:
    tokens = Views(VIEWS / "query-tokens")
    few = [tokens.vectors[start:end].astype(numpy.float32)
           for start, end in zip(tokens.starts[:FEW], tokens.ends[:FEW])]
    return Questions(few, views_truth.best_sums(views, few), FEWER)


@dataclass
class Run:
    """An engine with one setting, and its measurements."""

    engine: Peer | Child
    k: int
    setting: Setting
    questions: Questions
    recall: float = 0.0
    speeds: list[float] = field(default_factory=list)

    def search(self, queries: numpy.ndarray) -> numpy.ndarray:
        answer = self.engine.search(queries, self.k, self.setting)
        self.speeds.append(len(queries) / answer.seconds)
        return answer.documents

    def take_recall(self) -> None:
        found = self.search(self.questions.queries)
        self.speeds.clear()
        truth = self.questions.truth[:, :self.k]
        hits = [len(set(row) & set(best)) for row, best in zip(found.tolist(), truth.tolist())]
        self.recall = sum(hits) / truth.size

    def report(self) -> dict:
        p10, median, p90 = numpy.percentile(self.speeds, [10, 50, 90]).tolist()
        return {"engine": self.engine.name, "k": self.k, "effort": self.setting.effort,
                "fetch": self.setting.fetch, "recall": self.recall,
                "queries_per_second": {"median": median, "p10": p10, "p90": p90}}


def next_plaid() -> Path:
    folder = ROOT / "target/tools/next-plaid"
    subprocess.run(["cargo", "build", "--release", "--locked", "--target-dir", folder,
                    "--manifest-path", ROOT / "tools/bench/next_plaid/Cargo.toml"], check=True)
    return folder / "release/index-next-plaid"


def engines(options: argparse.Namespace, views: Views) -> list[Peer | Child]:
    folder = VIEWS / "peers" / options.set
    if "fastlane" in options.engines:
        subprocess.run([*OURS, "--no-run"], cwd=ROOT, check=True)
    plaid = next_plaid() if "next-plaid" in options.engines else None
    # Children and threads inherit the core.
    os.sched_setaffinity(0, [options.core])
    ready: list[Peer | Child] = []
    for name in options.engines:
        say(f"{name}: building or opening its index")
        if name == "fastlane":
            ready.append(FastLane(views, folder, [*OURS, "--"]))
        elif name == "next-plaid":
            ready.append(NextPlaid(views, folder, plaid))
        else:
            ready.append(PEERS[name](views, folder))
    return ready


def measure(all_engines: list[Peer | Child], options: argparse.Namespace,
            views: Views) -> list[Run]:
    questions = {False: lanes(views, options)}
    if any(isinstance(engine, NextPlaid) for engine in all_engines):
        questions[True] = all_views(views)
    runs = [Run(engine, k, setting, questions[isinstance(engine, NextPlaid)])
            for k in options.k for engine in all_engines for setting in engine.settings(k)]
    for run in runs:
        run.take_recall()
        say(f"{run.engine.name}, {run.setting}: recall@{run.k} {run.recall:.4f}")
    for number in range(options.rounds):
        say(f"round {number + 1} of {options.rounds}")
        for run in runs:
            run.search(run.questions.some(number))
    return runs


def sufficient(results: list[dict], wanted: float) -> list[dict]:
    """The fastest of each engine at each k among those with the wanted recall."""
    best: dict[tuple, dict] = {}
    for result in results:
        key = (result["k"], result["engine"])
        enough = result["recall"] >= wanted or result["engine"] == NextPlaid.name
        if enough and (key not in best or speed(result) > speed(best[key])):
            best[key] = result
    return [result | {"ours_to_this": ours_to(result, best)} for result in best.values()]


def speed(result: dict) -> float:
    return result["queries_per_second"]["median"]


def ours_to(result: dict, best: dict[tuple, dict]) -> float | None:
    ours = best.get((result["k"], FastLane.name))
    return speed(ours) / speed(result) if ours and ours is not result else None


def indexes(all_engines: list[Peer | Child], views: int) -> list[dict]:
    found = [{"engine": engine.name, "views_per_second": views / engine.built.seconds,
              "build_seconds": engine.built.seconds, "hot_bytes": engine.built.hot / views,
              "bytes": engine.built.size / views, "open_ms": 1000 * engine.built.open}
             for engine in all_engines]
    ours = next((one for one in found if one["engine"] == FastLane.name), None)
    for one in found:
        ratio = ours and ours is not one and one["build_seconds"] / ours["build_seconds"]
        one["ours_to_this"] = ratio or None
    return found


def ratio(value: float | None) -> str:
    return f"{value:11.2f}" if value else f"{'':11}"


def print_indexes(rows: list[dict]) -> None:
    print(f"\n{'index':<28}{'views/s':>10}{'build s':>9}{'hot B/view':>12}{'B/view':>9}"
          f"{'open ms':>10}{'ours/this':>11}")
    for row in rows:
        print(f"{row['engine']:<28}{row['views_per_second']:10.0f}{row['build_seconds']:9.1f}"
              f"{row['hot_bytes']:12.1f}{row['bytes']:9.1f}{row['open_ms']:10.1f}"
              f"{ratio(row['ours_to_this'])}".rstrip())


def print_runs(title: str, rows: list[dict]) -> None:
    print(f"\n{title:<28}{'effort':>8}{'fetch':>8}{'recall':>9}{'median q/s':>12}{'p10':>9}"
          f"{'p90':>9}" + (f"{'ours/this':>11}" if rows and "ours_to_this" in rows[0] else ""))
    for row in rows:
        speeds = row["queries_per_second"]
        print(f"{row['engine']:<28}{row['effort']:8}{row['fetch']:8}{row['recall']:9.4f}"
              f"{speeds['median']:12.0f}{speeds['p10']:9.0f}{speeds['p90']:9.0f}"
              f"{ratio(row.get('ours_to_this'))}".rstrip())


def print_tables(report: dict) -> None:
    print(f"{report['views']} views of {report['documents']} documents, {report['dim']} dims; "
          f"one core of {report['cpu']}")
    print(" ".join(f"{name} {number}" for name, number in report["versions"].items()))
    print_indexes(report["indexes"])
    for k in sorted({result["k"] for result in report["results"]}):
        print_runs(f"recall@{k}", [row for row in report["results"] if row["k"] == k])
        print_runs(f"recall@{k} >= {report['wanted_recall']}",
                   [row for row in report["fastest"] if row["k"] == k])


def cpu() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next(line.partition(": ")[2] for line in lines if line.startswith("model name"))


def main() -> None:
    options = arguments()
    if not (VIEWS / options.set / "truth.npy").exists():
        raise SystemExit(f"target/views/{options.set} is not complete: run tools/bench/make-views")
    views = Views(VIEWS / options.set)
    all_engines = engines(options, views)
    results = [run.report() for run in measure(all_engines, options, views)]
    count, dim = views.vectors.shape
    report = {
        "set": options.set, "views": count, "documents": len(views.lengths), "dim": dim,
        "cpu": cpu(), "wanted_recall": options.recall,
        "versions": {name: version(name) for name in PACKAGES},
        "indexes": indexes(all_engines, count), "results": results,
        "fastest": sufficient(results, options.recall),
    }
    if options.json:
        print(json.dumps(report, indent=2))
    else:
        print_tables(report)


main()
