"""Soak test of the service: concurrent searches and changes of documents, with a kill (SIGKILL) and
restart now and then.

Each writer has documents of its own, puts, replaces and deletes them one at a time, and records what
was accepted (202). A change whose response was cut off by a kill may have either outcome. At the end
every document is read back. Searches may fail only while the service is down, and memory must not
grow from minute to minute.

Prints a summary with the seed; exits with 1 if a check failed.
"""
import argparse
import http.client
import random
import subprocess
import sys
import threading
import time
from collections import Counter

from tools.shared import harness
from tools.shared.harness import FASTLANE, Client, Service, document_path

WRITERS, SEARCHERS = 2, 2
# Documents per writer: few enough to be replaced and deleted often.
DOCUMENTS = 150
# The queue length at which writers pause, so that the end does not take long.
WAITING = 200
BROKEN = (OSError, http.client.HTTPException)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tools/check/soak", description=__doc__.split("\n\n")[0])
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--kills", type=int, help="number of kills [default: one every four minutes, at least one]")
    parser.add_argument("--passages", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


class Soak:
    def __init__(self, service: Service, seconds: float, seed: int):
        self.service, self.end, self.seed = service, time.monotonic() + seconds, seed
        self.counts, self.problems = Counter(), []
        self.lock = threading.Lock()
        # Odd while the service is down: a request during which it changes may fail.
        self.turns = 0
        # The possible states of each document: texts, or `None` where it may be absent.
        self.allowed: dict[str, set[str | None]] = {}

    def count(self, what: str) -> None:
        with self.lock:
            self.counts[what] += 1

    def problem(self, text: str) -> None:
        with self.lock:
            self.problems.append(text)
            if len(self.problems) <= 20:
                print(f"PROBLEM {text}", flush=True)

    def runs(self) -> bool:
        return time.monotonic() < self.end

    def write(self, number: int) -> None:
        dice, client = random.Random(self.seed * 1000 + number), Client(self.service)
        texts = harness.queries(4000)
        while self.runs():
            name = f"w{number}/{dice.randrange(DOCUMENTS)} ü"
            before = self.allowed.get(name, {None})
            if dice.random() < 0.3:
                method, body, after = "DELETE", {"ids": [name]}, None
            else:
                method = dice.choice(["POST", "PUT"])
                after = f"{dice.choice(texts)} {dice.random()}"
                body = {"documents": [{"id": name, "text": after, "metadata": {"writer": number}}]}
            turn = self.turns
            try:
                status, answer = client.json(method, "/indexes/passages/documents", body)
            except BROKEN as error:
                # it may have been accepted before the answer was cut off
                self.allowed[name] = before | {after}
                if turn % 2 == 0 and turn == self.turns:
                    time.sleep(0.5)
                    if turn == self.turns:
                        self.problem(f"{method} failed while the service was up: {error!r}")
                self.count("changes cut off")
                time.sleep(0.1)
                continue
            if status == 202:
                self.allowed[name] = {after}
                self.count(f"accepted: {method}")
                if answer["job"] % 20 == 0:
                    self.rest(client)
            elif status == 429:
                self.count("changes told to come back")
                time.sleep(0.2)
            else:
                self.problem(f"{method} was answered {status}: {answer}")
            time.sleep(dice.uniform(0, 0.04))

    def rest(self, client: Client) -> None:
        """Waits while too many changes are queued."""
        try:
            while self.runs() and client.json("GET", "/indexes/passages")[1]["waiting"] > WAITING:
                time.sleep(0.1)
        except BROKEN:
            pass

    def search(self, number: int) -> None:
        dice, client = random.Random(self.seed * 2000 + number), Client(self.service)
        texts = harness.queries(4000)
        ways = [{}, {"hybrid": "ranks"}, {"filter": "writer = 1"}, {"rerank": 0}, {"lanes": 2}]
        while self.runs():
            body = {"query": dice.choice(texts), **dice.choice(ways)}
            turn = self.turns
            try:
                status, answer = client.json("POST", "/indexes/passages/search", body)
            except BROKEN as error:
                if turn % 2 == 0 and turn == self.turns:
                    # the kill may not have been counted yet
                    time.sleep(0.5)
                    if turn == self.turns:
                        self.problem(f"a search failed while the service was up: {error!r}")
                self.count("searches while it was down")
                time.sleep(0.1)
                continue
            if status != 200:
                self.problem(f"a search was answered {status}: {answer}")
            self.count("searches")
            time.sleep(dice.uniform(0, 0.02))

    def kill(self, at: float) -> None:
        time.sleep(max(0.0, at - time.monotonic()))
        self.turns += 1
        self.service.kill()
        began = time.monotonic()
        self.service.start()
        self.turns += 1
        print(f"killed, and back after {time.monotonic() - began:.1f} s", flush=True)

    def settle(self) -> None:
        """Waits until all accepted changes are applied."""
        client, began = Client(self.service), time.monotonic()
        while (waiting := client.json("GET", "/indexes/passages")[1]["waiting"]) > 0:
            if time.monotonic() - began > 300:
                self.problem(f"{waiting} changes wait after five minutes")
                return
            time.sleep(0.2)

    def read_back(self) -> None:
        client = Client(self.service)
        for name, allowed in sorted(self.allowed.items()):
            status, answer = client.json("GET", document_path(name))
            found = answer.get("text") if status == 200 else None
            if status not in (200, 404) or found not in allowed:
                self.problem(f"`{name}` is {found!r} ({status}), wanted one of {allowed}")
            self.count("read back" if found else "read back as deleted")


def flat(life: list[int]) -> tuple[str, bool]:
    """Whether memory is stable: compares the medians of the second and the last quarter of a life."""
    mib, quarter = 1 << 20, len(life) // 4
    if quarter < 15:
        return "too short a life to tell", True
    early, late = (sorted(it)[quarter // 2] for it in (life[quarter:2 * quarter], life[-quarter:]))
    text = f"{early / mib:.0f} MiB, then {late / mib:.0f} MiB, at most {max(life) / mib:.0f} MiB"
    return text, late < early * 1.1 + 32 * mib


def main() -> int:
    args = arguments()
    index = harness.index("soak", args.passages, fresh=True)
    service = Service(index, "--quiet")
    service.watch(every=1)
    seconds = args.minutes * 60
    soak = Soak(service, seconds, args.seed)
    work = [(soak.write, number) for number in range(WRITERS)]
    work += [(soak.search, number) for number in range(SEARCHERS)]
    threads = [threading.Thread(target=what, args=(number,)) for what, number in work]
    [thread.start() for thread in threads]
    kills = args.kills if args.kills is not None else max(1, int(args.minutes // 4))
    dice, began = random.Random(args.seed), time.monotonic()
    for at in sorted(dice.uniform(0.15, 0.85) for _ in range(kills)):
        soak.kill(began + at * seconds)
    [thread.join() for thread in threads]
    soak.settle()
    soak.read_back()
    for life in service.lives:
        text, is_flat = flat(life)
        print(f"memory over {len(life)} s: {text}")
        if not is_flat:
            soak.problem("memory grew")
    _, about = Client(service).json("GET", "/indexes/passages")
    service.stop()
    if subprocess.run([FASTLANE, "check", str(index / "views")]).returncode:
        soak.problem("the index is damaged")
    counts = ", ".join(f"{what} {count}" for what, count in sorted(soak.counts.items()))
    print(f"{counts}; {about['documents']} documents, generation {about['generation']}")
    print(f"seed {args.seed}: {len(soak.problems)} problems")
    return 1 if soak.problems else 0


if __name__ == "__main__":
    sys.exit(main())
