#!/usr/bin/env python3
"""Writes the golden files next to this script with other implementations.

    pip install ir-measures scipy
    python3 crates/eval/tests/golden/make.py

`measures.json`: ir_measures (pytrec_eval below; gdeval for exponential gains) over `run.txt` and
`qrels.txt`, which are random but seeded: graded, with ties, unjudged documents, unanswered
queries and queries without anything relevant. (RR@k is left out: ir_measures takes it from another
tool, which breaks ties differently from trec_eval.) `significance.json`: scipy's exact paired
permutation test and its percentile bootstrap.
"""
import json
import random
from pathlib import Path

import ir_measures
import numpy
import scipy.stats

HERE = Path(__file__).parent
MEASURES = [
    "nDCG", "nDCG@10", "nDCG(dcg='exp-log2')@10", "RR", "RR(rel=2)", "AP", "AP(rel=2)",
    "AP@20", "AP(rel=2)@20", "R@20", "R(rel=2)@20", "P@5", "P(rel=3)@5", "Success@5",
    "Success(rel=3)@5",
]


def collection(random):
    run, qrels = [], []
    for query in range(1, 31):
        pool = [f"d{n}" for n in random.sample(range(400), 60)]
        for document in random.sample(pool, random.randint(1, 40)):
            grade = random.choices([0, 1, 2, 3], [6, 3, 2, 1])[0] if query % 10 else 0
            qrels.append((str(query), document, grade))
        if query % 7:
            for document in random.sample(pool, random.randint(1, 50)):
                run.append((str(query), document, random.randint(1, 30) / 8))
    return run, qrels


def measures(run, qrels):
    judged = [ir_measures.Qrel(*row) for row in qrels]
    scored = [ir_measures.ScoredDoc(*row) for row in run]
    wanted = [ir_measures.parse_measure(name) for name in MEASURES]
    answered = {row[0] for row in run}
    values = {name: {} for name in MEASURES}
    for value in ir_measures.iter_calc(wanted, judged, scored):
        if value.query_id in answered:
            name = MEASURES[wanted.index(value.measure)]
            values[name][value.query_id] = value.value
    return values


def significance(seed):
    numbers = numpy.random.default_rng(seed)
    cases = []
    for count, shift in [(5, 2), (10, 1), (12, 0), (12, -3)]:
        # Sixteenths are exact in binary: scipy takes equal sums for different ones otherwise.
        baseline = numbers.integers(0, 17, count)
        system = numpy.clip(baseline + shift + numbers.integers(-4, 5, count), 0, 16)
        baseline, system = baseline / 16, system / 16
        mean = lambda a, b, axis: numpy.mean(a - b, axis=axis)
        exact = scipy.stats.permutation_test(
            (system, baseline), mean, permutation_type="samples", n_resamples=numpy.inf, vectorized=True)
        interval = scipy.stats.bootstrap(
            (system, baseline), mean, paired=True, n_resamples=200_000, method="percentile",
            rng=seed).confidence_interval
        cases.append({"system": system.tolist(), "baseline": baseline.tolist(),
                      "p_value": exact.pvalue, "interval": [interval.low, interval.high]})
    return cases


def main():
    run, qrels = collection(random.Random(7))
    lines = [f"{q} Q0 {d} 0 {s} golden\n" for q, d, s in run]
    (HERE / "run.txt").write_text("".join(lines))
    (HERE / "qrels.txt").write_text("".join(f"{q} 0 {d} {g}\n" for q, d, g in qrels))
    (HERE / "measures.json").write_text(json.dumps(measures(run, qrels), indent=0) + "\n")
    (HERE / "significance.json").write_text(json.dumps(significance(11), indent=1) + "\n")


main()
