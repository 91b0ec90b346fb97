"""Shared code of the tools that test the service: passages of real text, an index of them, and a
service that is started, queried, monitored and killed. Linux, standard library only."""
import hashlib
import http.client
import json
import os
import re
import signal
import subprocess
import threading
import time
from pathlib import Path
from urllib.parse import quote

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared/data"
PLACE = ROOT / "target/serve"
FASTLANE = os.environ.get("FASTLANE", str(ROOT / "target/release/fastlane"))
MODEL = os.environ.get("MODEL", str(ROOT / "target/runs/laptop/model"))
ASKED = ["squad-train-sent", "squad-dev", "medquad", "pubmedqa", "scifact"]
# The queries of the last one are summaries, longer than typical questions.
CORPORA = [*ASKED, "scitldr"]
# A passage is whole sentences, and ends with the one that reaches this length.
PASSAGE = 220
PAGE = os.sysconf("SC_PAGE_SIZE")


def lines(name: str, corpora: list[str]):
    """The objects of one file of some collections."""
    for corpus in corpora:
        path = DATA / corpus / name
        if not path.exists():
            raise SystemExit(f"error: `{path}` not found: it has the texts to index")
        with path.open(encoding="utf-8") as file:
            for line in file:
                yield json.loads(line)


def order(text: str) -> bytes:
    """Shuffles texts with a fixed seed."""
    return hashlib.blake2b(text.encode(), digest_size=8).digest()


def passages() -> list[str]:
    """All texts split into distinct passages."""
    found = set()
    for document in lines("corpus.jsonl", CORPORA):
        part = ""
        for sentence in re.split(r"(?<=[.?!]) +", " ".join(document["text"].split())):
            part = f"{part} {sentence}" if part else sentence
            if len(part) >= PASSAGE:
                found.add(part[:2000])
                part = ""
        if part:
            found.add(part[:2000])
    return sorted(found, key=order)


def queries(count: int) -> list[str]:
    found = {" ".join(query["text"].split()) for query in lines("queries.jsonl", ASKED)}
    return sorted(found, key=order)[:count]


def index(name: str, count: int, fresh: bool = False) -> Path:
    """An index of this many passages; reused unless a fresh one is requested."""
    place = PLACE / f"{name}-{count}.index"
    if place.exists():
        if not fresh:
            return place
        subprocess.run(["rm", "-rf", str(place)], check=True)
    PLACE.mkdir(parents=True, exist_ok=True)
    texts = PLACE / f"passages-{count}.jsonl"
    if not texts.exists():
        chosen = passages()
        if len(chosen) < count:
            raise SystemExit(f"error: there are {len(chosen)} passages, wanted {count}")
        aside = texts.with_suffix(".aside")
        with aside.open("w", encoding="utf-8") as file:
            for number, text in enumerate(chosen[:count]):
                file.write(json.dumps({"_id": f"p{number}", "text": text}) + "\n")
        aside.rename(texts)
    aside = place.with_suffix(".aside")
    subprocess.run(["rm", "-rf", str(aside)], check=True)
    subprocess.run([FASTLANE, "index", str(texts), "--output", str(aside), "--model", MODEL], check=True)
    aside.rename(place)
    return place


class Service:
    """A FastLane service on its own port."""

    def __init__(self, index: Path, *arguments: str, port: int = 0):
        self.index, self.arguments, self.port = index, arguments, port
        self.log = PLACE / f"{index.stem}.log"
        self.lives: list[list[int]] = []
        self.start()

    def start(self) -> None:
        log = self.log.open("ab")
        begin = log.tell()
        command = [FASTLANE, "serve", f"passages={self.index}", "--model", MODEL]
        command += ["--listen", f"127.0.0.1:{self.port}", *self.arguments]
        self.process = subprocess.Popen(command, stderr=log, stdout=subprocess.DEVNULL)
        log.close()
        while True:
            with self.log.open("rb") as log:
                log.seek(begin)
                text = log.read(100_000).decode(errors="replace")
            if ready := re.search(r"listening on http://127\.0\.0\.1:(\d+)", text):
                break
            if self.process.poll() is not None:
                raise SystemExit(f"error: the service ended:\n{text}")
            time.sleep(0.02)
        self.port = int(ready[1])
        self.lives.append([])

    def kill(self) -> None:
        """Kills the process: the closest to a power cut that a process allows."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=120)

    def memory(self) -> int:
        """Its resident bytes without mapped files."""
        fields = Path(f"/proc/{self.process.pid}/statm").read_text().split()
        return (int(fields[1]) - int(fields[2])) * PAGE

    def watch(self, every: float) -> None:
        """Records the memory now and then, for each life of the service."""

        def look() -> None:
            while True:
                try:
                    self.lives[-1].append(self.memory())
                except (OSError, IndexError, ValueError):
                    pass
                time.sleep(every)

        threading.Thread(target=look, daemon=True).start()

    def metrics(self) -> dict[str, float]:
        status, body = Client(self).ask("GET", "/metrics")
        pairs = (line.rsplit(" ", 1) for line in body.decode().splitlines() if not line.startswith("#"))
        return {name: float(value) for name, value in pairs} if status == 200 else {}


class Client:
    """A connection that is kept open, and reopened when it breaks."""

    def __init__(self, service: Service):
        self.service, self.connection = service, None

    def ask(self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None) -> tuple[int, bytes]:
        """Sends a request. A broken connection raises an `OSError` or an `HTTPException`."""
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.service.port, timeout=60)
        try:
            sent = None if body is None else json.dumps(body).encode()
            self.connection.request(method, path, body=sent, headers=headers or {})
            response = self.connection.getresponse()
            return response.status, response.read()
        except (OSError, http.client.HTTPException):
            self.connection.close()
            self.connection = None
            raise

    def json(self, method: str, path: str, body: object = None) -> tuple[int, dict]:
        status, text = self.ask(method, path, body)
        return status, json.loads(text)


def document_path(name: str) -> str:
    return f"/indexes/passages/documents/{quote(name, safe='')}"
