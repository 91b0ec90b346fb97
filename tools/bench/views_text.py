"""Real texts for the views: documents and queries of BEIR collections, shuffled with a seed."""
import json
import random
from collections.abc import Iterator
from pathlib import Path

SEED = 7
# Documents encoded together; small enough to come close to the requested number of views.
PART = 500
# Texts with the same beginning have the same views once they are cut, and then any order is right.
SAME = 1000


def collections(data: Path) -> list[Path]:
    found = sorted(path.parent for path in data.glob("*/corpus.jsonl"))
    if not found:
        raise SystemExit(f"`{data}` has no folder with a corpus.jsonl: set another with --data")
    return found


def records(path: Path) -> Iterator[dict]:
    """The objects of a JSONL file; the name of its collection makes the ids unique."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.strip():
            record = json.loads(line)
            yield {"_id": f"{path.parent.name}/{record['_id']}",
                   "title": record.get("title", ""), "text": record["text"]}


def distinct(found: Iterator[dict]) -> list[dict]:
    kept: dict[str, dict] = {}
    for record in found:
        text = f"{record['title']} {record['text']}".strip()[:SAME]
        if text:
            kept.setdefault(text, record)
    return list(kept.values())


def documents(data: Path) -> list[dict]:
    """All documents in an order that mixes the collections."""
    every = distinct(record for folder in collections(data)
                     for record in records(folder / "corpus.jsonl"))
    random.Random(SEED).shuffle(every)
    return every


def queries(data: Path, count: int) -> list[dict]:
    """An equal number of queries from each collection, as far as there are enough."""
    piles = []
    for folder in collections(data):
        pile = distinct(records(folder / "queries.jsonl"))
        random.Random(SEED).shuffle(pile)
        piles.append(pile)
    taken: list[dict] = []
    while len(taken) < count and any(piles):
        taken += [pile.pop() for pile in piles if pile]
    if len(taken) < count:
        raise SystemExit(f"`{data}` has {len(taken)} queries, {count} are wanted")
    return taken[:count]


def write(path: Path, lines: list[dict]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    path.write_text(text, encoding="utf-8")
