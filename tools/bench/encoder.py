"""Compares the speed of FastLane's encoder with ONNX Runtime: queries of 32 tokens, documents of 128.

`tools/bench/encoder` prepares Python and the model, and starts this. In every round
each engine runs once (A B C A B C ...), so that a machine that slows down slows all of them. An
engine of one thread stays on one core. Figures are medians, with p10 and p90. Ratios are ours to
the peer's: of time for queries (below 1 we are faster), of tokens/s for documents
(above 1 we are faster).
"""
import argparse
import json
import logging
import platform
import shlex
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import numpy
from tools.bench import bert_onnx
from tools.bench.encoder_engines import CORES, DOCUMENT_TOKENS, QUERY_TOKENS, Ours, Peer

ROOT = Path(__file__).resolve().parents[2]
MODEL = ROOT / "target/models/all-MiniLM-L6-v2"
ONNX = ROOT / "target/models/all-MiniLM-L6-v2-onnx"
GOLDEN = ROOT / "crates/model/tests/golden/minilm.npy"
# The rows of these lengths in the golden file.
GOLDEN_ROWS = {QUERY_TOKENS: 7, DOCUMENT_TOKENS: 13}
FLAGS = ["avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_tile", "amx_bf16", "amx_int8"]
PACKAGES = ["onnxruntime", "onnx", "numpy"]
QUERIES = 20
DOCUMENTS = 32
# ONNX Runtime's threads spin for a while after their work.
REST = 0.05


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tools/bench/encoder", description=__doc__)
    parser.add_argument("--rounds", type=int, default=10, help="runs of each engine")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--precision", nargs="*", default=["auto", "f32"],
                        help="precisions of ours: auto, f32, bf16; without any, only ONNX Runtime is timed")
    parser.add_argument("--engine", type=shlex.split,
                        help="command of our bench binary; it is built by default")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    return parser.parse_args()


def built() -> list[str]:
    """Builds our bench binary and returns its path."""
    command = ["cargo", "bench", "-p", "fastlane-model", "--bench", "encoder", "--no-run",
               "--message-format=json"]
    lines = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout
    messages = [json.loads(line) for line in lines.splitlines()]
    return next([message["executable"]] for message in messages
                if message.get("target", {}).get("name") == "encoder" and message.get("executable"))


def check(peer: Peer) -> None:
    """Checks that the peer computes the same: compares its states with PyTorch's."""
    golden = numpy.load(GOLDEN)
    for length, place in GOLDEN_ROWS.items():
        states = peer.states(length)
        rows = numpy.stack([states[0], states[length // 2], states[-1], states.mean(0)])
        wanted = golden[place]
        cosine = (rows * wanted).sum(1) / numpy.linalg.norm(rows, axis=1)
        cosine = (cosine / numpy.linalg.norm(wanted, axis=1)).min()
        distance = abs(rows - wanted).max()
        say(f"{peer.name}, {length} tokens: cosine with PyTorch >= {cosine:.5f}, "
            f"distance <= {distance:.1e}")
        # The loss of int8: a cosine of 0.977 was seen, on ids that are not a text.
        if cosine < 0.95 or ("f32" in peer.name and distance > 1e-4):
            raise SystemExit(f"{peer.name} does not compute what PyTorch computes")


def say(words: str) -> None:
    print(words, file=sys.stderr)


def engines(options: argparse.Namespace) -> list[Ours | Peer]:
    say("preparing ONNX Runtime: exporting, then looking for its fastest way")
    # The quantiser suggests to optimise the model first; it was, or it is left as it is on purpose.
    logging.getLogger().setLevel(logging.ERROR)
    graphs = bert_onnx.graphs(MODEL, ONNX)
    peers = [Peer(kind, graphs[kind], threads) for threads in options.threads for kind in graphs]
    # More threads give the same result.
    for peer in peers[:len(graphs)]:
        check(peer)
    command = (options.engine or built()) if options.precision else []
    ours = [Ours(command, MODEL, threads, precision)
            for threads in options.threads for precision in options.precision]
    return ours + peers


def measure(all_engines: list[Ours | Peer], rounds: int) -> list[dict]:
    samples: list[dict[str, list[float]]] = [{"query": [], "documents": []} for _ in all_engines]
    for number in range(rounds):
        say(f"round {number + 1} of {rounds}")
        for engine, sample in zip(all_engines, samples):
            time.sleep(REST)
            engine.queries(3)
            sample["query"] += [1000 * seconds for seconds in engine.queries(QUERIES)]
            time.sleep(REST)
            tokens = DOCUMENTS * DOCUMENT_TOKENS
            sample["documents"].append(tokens / engine.documents(DOCUMENTS))
    return [
        {"engine": engine.name, "threads": engine.threads, "detail": engine.detail, "work": work,
         **percentiles(values)}
        for engine, sample in zip(all_engines, samples) for work, values in sample.items()
    ]


def percentiles(values: list[float]) -> dict:
    p10, median, p90 = numpy.percentile(values, [10, 50, 90]).tolist()
    return {"median": median, "p10": p10, "p90": p90}


def add_ratios(results: list[dict]) -> None:
    for peer in results:
        peer["ours_to_this"] = {
            ours["engine"]: ours["median"] / peer["median"] for ours in results
            if ours["engine"].startswith("fastlane") and ours is not peer
            and (ours["threads"], ours["work"]) == (peer["threads"], peer["work"])
        }


def gflops(result: dict) -> float:
    """GFLOP/s of matrix products."""
    config = json.loads((MODEL / "config.json").read_text())
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    query = result["work"] == "query"
    length = QUERY_TOKENS if query else DOCUMENT_TOKENS
    weights = 2 * (4 * hidden * hidden + 2 * hidden * inner)
    per_token = config["num_hidden_layers"] * (weights + 4 * length * hidden)
    tokens = length / result["median"] * 1000 if query else result["median"]
    return per_token * tokens / 1e9


def machine() -> dict:
    cpu: dict[str, str] = {}
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        cpu.setdefault(name.strip(), value.strip())
    has = cpu["flags"].split()
    return {
        "cpu": f"{cpu['model name']} (family {cpu['cpu family']}, model {cpu['model']})",
        "cores": len(CORES),
        "flags": {flag: flag in has for flag in FLAGS},
        "versions": {"python": platform.python_version()} | {p: version(p) for p in PACKAGES},
    }


def print_tables(report: dict) -> None:
    about = report["machine"]
    flags = " ".join(flag if has else f"(no {flag})" for flag, has in about["flags"].items())
    print(f"{about['cpu']}, {about['cores']} cores: {flags}")
    print(" ".join(f"{name} {number}" for name, number in about["versions"].items()))
    titles = {"query": f"query of {QUERY_TOKENS} tokens, ms",
              "documents": f"documents of {DOCUMENT_TOKENS} tokens, tokens/s"}
    results = report["results"]
    for threads in sorted({result["threads"] for result in results}):
        for work, title in titles.items():
            print_table(f"{title}, threads: {threads}", [
                result for result in results
                if (result["threads"], result["work"]) == (threads, work)])
        for result in results:
            if (result["threads"], result["work"]) == (threads, "query") and result["detail"]:
                print(f"  {result['engine']} did best with: {result['detail']}")
    print_speedups(results)


def print_table(title: str, rows: list[dict]) -> None:
    ours = [row["engine"] for row in rows if row["engine"].startswith("fastlane")]
    heads = "".join(f"{name.removeprefix('fastlane ') + '/this':>11}" for name in ours)
    print(f"\n{title:<44}{'median':>9}{'p10':>9}{'p90':>9}{'GFLOP/s':>9}{heads}")
    digits = 2 if rows[0]["work"] == "query" else 0
    for row in rows:
        figures = "".join(f"{row[key]:9.{digits}f}" for key in ("median", "p10", "p90"))
        ratios = (row["ours_to_this"].get(name) for name in ours)
        cells = "".join(f"{ratio:11.2f}" if ratio else f"{'':11}" for ratio in ratios)
        print(f"  {row['engine']:<42}{figures}{row['gflops']:9.0f}{cells}".rstrip())


def print_speedups(results: list[dict]) -> None:
    alone = {row["engine"]: row["median"] for row in results
             if (row["threads"], row["work"]) == (1, "documents")}
    print()
    for row in results:
        if row["threads"] > 1 and row["work"] == "documents" and row["engine"] in alone:
            print(f"{row['engine']}: {row['threads']} threads encode "
                  f"{row['median'] / alone[row['engine']]:.2f} x the documents of one")


def main() -> None:
    options = arguments()
    results = measure(engines(options), options.rounds)
    add_ratios(results)
    for result in results:
        result["gflops"] = gflops(result)
    report = {"machine": machine(), "rounds": options.rounds, "results": results}
    if options.json:
        print(json.dumps(report, indent=1))
    else:
        print_tables(report)


main()
