"""Attacks the service with requests that are expensive for it and cheap for the client: long filters,
large batches, bodies that never arrive, responses that are never read, silent connections, large JSON.

While each attack runs from 127.0.0.1, an ordinary client at 127.0.0.2 searches. Its p99 must be
below a second, and the memory of the service below 500 MB. Exits with 1 if a limit is missed. Linux,
standard library only; the documents are generated, the same each time.
"""
import argparse
import http.client
import json
import multiprocessing
import os
import random
import re
import resource
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

ROOT = Path(__file__).resolve().parents[2]
FASTLANE = os.environ.get("FASTLANE", str(ROOT / "target/release/fastlane"))
MODEL = os.environ.get("MODEL", str(ROOT / "models/fastlane-mini"))
ATTACKER, ORDINARY = "127.0.0.1", "127.0.0.2"
MOST_SECONDS, MOST_BYTES = 1.0, 500_000_000
SYLLABLES = "ka lo mi ter son ra be du fi go hen isk jo ken lu mar nor op pel qui rus sta tri un ver wal xen yol zan".split()
ENGLISH = """the quick brown fox jumps over a lazy dog while engineers index documents and search for answers in
milliseconds with late interaction views of tokens router intent query passage memory disk commit crash journal
reader writer thread lock file""".split()


def documents(count: int, more: Callable[[int], dict]) -> list[dict]:
    """Generated documents: half English, half random syllables."""
    dice = random.Random(7)
    words = ["".join(dice.choices(SYLLABLES, k=dice.randint(1, 4))) for _ in range(20_000)]
    texts = [[dice.choice(ENGLISH if dice.random() < 0.5 else words) for _ in range(30)] for _ in range(count)]
    return [{"id": f"d{n}", "title": f"Doc {n}", "text": " ".join(text), "n": n, **more(n)} for n, text in enumerate(texts)]


def index(place: Path, name: str, all: list[dict]) -> str:
    """Creates an index, unless it exists."""
    made = place / f"{name}.index"
    if not made.exists():
        texts = place / f"{name}.jsonl"
        texts.write_text("".join(json.dumps(document) + "\n" for document in all))
        aside = place / f"{name}.aside"
        shutil.rmtree(aside, ignore_errors=True)
        command = [FASTLANE, "index", str(texts), "--output", str(aside), "--model", MODEL]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        aside.rename(made)
    return f"{name}={made}"


class Service:
    """A service with two indexes: small documents, and documents with large metadata."""

    def __init__(self, indexes: list[str]):
        self.log = tempfile.NamedTemporaryFile("w+b", suffix=".log")
        command = [FASTLANE, "serve", *indexes, "--listen", "127.0.0.1:0", "--quiet"]
        self.process = subprocess.Popen(command, stderr=self.log, stdout=subprocess.DEVNULL)
        while not (ready := re.search(rb"listening on http://127\.0\.0\.1:(\d+)", Path(self.log.name).read_bytes())):
            if self.process.poll() is not None:
                raise SystemExit(f"error: the service ended:\n{Path(self.log.name).read_text()}")
            time.sleep(0.02)
        self.port = int(ready[1])

    def memory(self) -> int:
        """Its resident bytes, including mapped files; 0 when it is dead."""
        try:
            status = Path(f"/proc/{self.process.pid}/status").read_text()
        except OSError:
            return 0
        found = re.search(r"VmRSS:\s+(\d+)", status)
        return int(found[1]) * 1024 if found else 0

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=90)
        except subprocess.TimeoutExpired:
            self.process.kill()


def ordinary(port: int, stop, give) -> None:
    """Searches now and then, over a new connection each time; records statuses and seconds."""
    seen = []
    while not stop.is_set():
        began = time.monotonic()
        body = json.dumps({"query": f"which keeper number {len(seen)} locks the journal"})
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=40, source_address=(ORDINARY, 0))
            connection.request("POST", "/indexes/small/search", body=body)
            response = connection.getresponse()
            response.read()
            status = response.status
            connection.close()
        except (OSError, http.client.HTTPException):
            status = 0
        seen.append((status, time.monotonic() - began))
        time.sleep(0.05)
    give.send(seen)


class Attack:
    """Threads that send requests repeatedly until it ends."""

    def __init__(self, port: int):
        self.port, self.stop, self.statuses = port, threading.Event(), Counter()
        self.threads: list[threading.Thread] = []

    def spawn(self, work: Callable[[], None]) -> None:
        def repeat() -> None:
            while not self.stop.is_set():
                try:
                    work()
                except (OSError, http.client.HTTPException):
                    self.statuses["broken"] += 1
                    time.sleep(0.05)

        self.threads.append(threading.Thread(target=repeat, daemon=True))

    def request(self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> None:
        """Sends a request, and reads the whole response."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=40, source_address=(ATTACKER, 0))
        try:
            connection.request(method, path, body=body, headers=headers or {})
            response = connection.getresponse()
            while response.read(1 << 20):
                pass
            self.statuses[response.status] += 1
            if response.status != 200:
                time.sleep(0.01)
        finally:
            connection.close()

    def ask(self, count: int, path: str, bodies: list[dict | bytes]) -> None:
        """A number of clients that post these bodies cyclically."""
        texts = [body if isinstance(body, bytes) else json.dumps(body).encode() for body in bodies]
        for number in range(count):
            turn = iter(range(number, 1 << 60))
            self.spawn(lambda turn=turn: self.request("POST", path, texts[next(turn) % len(texts)]))

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=40, source_address=(ATTACKER, 0))

    def run(self, seconds: float) -> None:
        for thread in self.threads:
            thread.start()
        time.sleep(seconds)
        self.stop.set()


def batch(filter: str, **more: object) -> dict:
    """256 queries in a hybrid search, with a filter that evaluates all documents."""
    queries = [f"lock {number} journal thread" for number in range(256)]
    return {"queries": queries, "filter": filter, "hybrid": "ranks", **more}


def legal() -> dict:
    """The most expensive batch that is allowed."""
    different = " or ".join(f"n>{number - 64}" for number in range(64))
    return batch(different, k=39, rerank=1000, lanes=512)


def nothing(attack: Attack) -> None:
    """No attack: the baseline."""


def filters(attack: Attack) -> None:
    """S1: a filter of 510 comparisons, in a hybrid search of 256 queries."""
    attack.ask(2, "/indexes/small/search", [batch(" or ".join(["n>0"] * 510), k=1)])


def batches(attack: Attack) -> None:
    """S1, within the limits: the most expensive batches, from two clients."""
    attack.ask(2, "/indexes/small/search", [legal()])


def crowd(attack: Attack) -> None:
    """The same from forty clients of one address."""
    attack.ask(40, "/indexes/small/search", [legal()])


def images(attack: Attack) -> None:
    """S2: 34 images on a page of another site, each a search."""
    filter = quote(" or ".join(["n>0"] * 510))
    path = f"/?index=small&hybrid=1&rerank=1000&lanes=all&q=lock&filter={filter}"
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}
    for _ in range(34):
        attack.spawn(lambda: attack.request("GET", path, headers=headers or {}))


def pages(attack: Attack) -> None:
    """The same by a program, within the limits."""
    filter = quote(" or ".join(f"n>{-number}" for number in range(64)))
    path = f"/?index=small&hybrid=1&rerank=1000&lanes=all&q=lock&filter={filter}"
    for _ in range(34):
        attack.spawn(lambda: attack.request("GET", path))


def bodies(attack: Attack) -> None:
    """S3: bodies that are sent a byte at a time."""
    head = b"POST /indexes/small/search HTTP/1.1\r\nHost: localhost\r\nContent-Length: 16777216\r\n\r\n{"

    def hold() -> None:
        with attack.connect() as stream:
            stream.sendall(head)
            stream.settimeout(2)
            while not attack.stop.is_set():
                try:
                    answer = stream.recv(4096)
                    attack.statuses[int(answer[9:12]) if answer else "closed"] += 1
                    return
                except TimeoutError:
                    stream.sendall(b" ")

    for _ in range(34):
        attack.spawn(hold)


def silence(attack: Attack) -> None:
    """S4: 1,500 silent connections, each reopened when it was closed."""

    def hold() -> None:
        selector, opened = selectors.DefaultSelector(), 0
        while not attack.stop.is_set():
            while opened < 1500 and not attack.stop.is_set():
                try:
                    selector.register(attack.connect(), selectors.EVENT_READ)
                    opened += 1
                except OSError:
                    break
            for key, _ in selector.select(timeout=0.1):
                selector.unregister(key.fileobj)
                key.fileobj.close()
                attack.statuses["closed"] += 1
                opened -= 1
        for key in list(selector.get_map().values()):
            key.fileobj.close()

    attack.spawn(hold)


def sips(attack: Attack) -> None:
    """S5: responses of 9 MB, of which 30 KB are read every 12 seconds."""
    body = json.dumps({"query": "lock", "k": 150, "rerank": 0}).encode()
    head = f"POST /indexes/large/search HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n".encode()

    def hold() -> None:
        with attack.connect() as stream:
            stream.sendall(head + body)
            answer = stream.recv(30_000)
            attack.statuses[int(answer[9:12]) if answer else "closed"] += 1
            while answer and not attack.stop.wait(12 if answer[9:12] == b"200" else 0.1):
                answer = stream.recv(30_000)

    for _ in range(24):
        attack.spawn(hold)


def json_bodies(attack: Attack) -> None:
    """S6: bodies of 16 MB that take many times as much memory when parsed."""
    most = 16_000_000
    queries = b'{"queries":[' + b'"a",' * (most // 4) + b'"a"]}'
    views = b'{"vectors":[{"views":[' + b"[]," * (most // 3) + b"[]]}]}"
    values = b'{"vectors":[{"views":[[' + b"0," * (most // 2) + b"0]]}]}"
    attack.ask(14, "/indexes/small/search", [queries, views, values])
    # refused, but only after parsing, for an id that occurs twice
    document = b'{"id":"%d","text":"a","metadata":{"a":[' + b"[]," * 21_000 + b"[]]}},"
    changes = b'{"documents":[' + b"".join(document % (n % 200) for n in range(250)) + b'{"id":"x","text":"a"}]}'
    attack.ask(4, "/indexes/small/documents", [changes])


def answers(attack: Attack) -> None:
    """C1: 256 queries for 1,000 documents each, with 60 KB of metadata per document."""
    queries = [f"lock {number}" for number in range(256)]
    attack.ask(2, "/indexes/large/search", [{"queries": queries, "k": 1000, "rerank": 0}])


def large_answers(attack: Attack) -> None:
    """C1, within the limits, and slightly beyond."""
    queries = [f"lock {number}" for number in range(10)]
    some = {"query": "lock", "k": 450, "rerank": 0}
    attack.ask(16, "/indexes/large/search", [some, {"queries": queries, "k": 1000, "rerank": 0}])


ATTACKS = [nothing, filters, batches, crowd, images, pages, bodies, silence, sips, json_bodies, answers, large_answers]


def tried(indexes: list[str], attack_of: Callable[[Attack], None], seconds: float) -> bool:
    """Runs one attack on a fresh service, prints its row, and returns whether all limits held."""
    service = Service(indexes)
    stop, (take, give) = multiprocessing.Event(), multiprocessing.Pipe(False)
    client = multiprocessing.Process(target=ordinary, args=(service.port, stop, give))
    client.start()
    attack, most, watching = Attack(service.port), [0], threading.Event()

    def watch() -> None:
        while not watching.wait(0.05):
            most[0] = max(most[0], service.memory())

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    attack_of(attack)
    attack.run(seconds)
    stop.set()
    seen = take.recv()
    client.join()
    watching.set()
    watcher.join()
    alive = service.process.poll() is None
    service.stop()
    times = sorted(took for _, took in seen)
    p50, p99 = (times[min(len(times) - 1, int(len(times) * share))] for share in (0.5, 0.99))
    failed = sum(status != 200 for status, _ in seen)
    held = alive and not failed and p99 <= MOST_SECONDS and most[0] < MOST_BYTES
    asked = ", ".join(f"{status} {count}" for status, count in sorted(attack.statuses.items(), key=str)) or "-"
    row = f"{attack_of.__name__:14} {len(seen):8} {failed:7} {p50:8.3f} {p99:8.3f} {times[-1]:8.3f} {most[0] / 1e6:8.0f}"
    print(f"{row}  {'' if alive else 'DEAD '}{'ok' if held else 'MISSED':7} {asked}", flush=True)
    return held


def main() -> int:
    names = [attack.__name__ for attack in ATTACKS]
    parser = argparse.ArgumentParser(prog="tools/check/attack --costs", description=__doc__.split("\n\n")[0])
    parser.add_argument("--seconds", type=float, default=20, help="duration of each attack")
    parser.add_argument("--only", action="append", choices=names, help="run only this attack; may be repeated")
    parser.add_argument("--documents", type=int, default=3000, help="number of small documents")
    args = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 8192) if most > 0 else 8192, most))
    place = ROOT / "target/serve/costs"
    place.mkdir(parents=True, exist_ok=True)
    small = index(place, "small", documents(args.documents, lambda n: {"year": 1950 + n % 75}))
    large = index(place, "large", documents(1000, lambda n: {"note": "x" * 60_000}))
    print(f"{'attack':14} {'searches':>8} {'failed':>7} {'p50 s':>8} {'p99 s':>8} {'worst s':>8} {'MB':>8}  result  what it was told")
    chosen = [attack for attack in ATTACKS if not args.only or attack.__name__ in args.only]
    held = [tried([small, large], attack, args.seconds) for attack in chosen]
    print(f"{sum(held)} of {len(held)} did no harm")
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
