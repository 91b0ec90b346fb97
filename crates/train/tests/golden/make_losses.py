#!/usr/bin/env python3
"""Writes `losses.json`: ten steps of training in PyTorch, from the checkpoint `lanes-split`.

    pip install torch==2.15.0 transformers==5.23.0 safetensors==0.8.0
    python3 crates/train/tests/golden/make_losses.py

Nothing here is taken from the Rust code: the encoder is PyTorch's `transformers`, AdamW and the
clipping are PyTorch's, the rest is implemented below as in the paper. Only the noise of picks uses
the same hash, so that both make the same picks.
"""
import json
import math
import random
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn.functional import log_softmax, normalize, softmax
from transformers import AutoModel
from transformers.utils import logging

HERE = Path(__file__).parent
MODEL = HERE.parents[1].parent / "model" / "tests" / "golden" / "lanes-split"
DOT, STEPS, WARM_UP, RATE, TEMPERATURE = 59, 10, 2, 1e-3, 0.2
POSITIVE, NEGATIVE, IGNORED = 0, 1, 2


def mix(x: int) -> int:
    x = ((x ^ (x >> 16)) * 0x85EBCA6B) & 0xFFFFFFFF
    x = ((x ^ (x >> 13)) * 0xC2B2AE35) & 0xFFFFFFFF
    return x ^ (x >> 16)


def hashed(seed: int, place: int) -> int:
    return mix((mix((seed ^ 0x9E3779B9) & 0xFFFFFFFF) + place) & 0xFFFFFFFF)


def batches() -> list[dict]:
    numbers = random.Random(5)

    def text(least: int, most: int) -> list[int]:
        words = [numbers.randrange(5, 70) for _ in range(numbers.randint(least, most))]
        return [2, *words, 3]

    def batch() -> dict:
        relations = [[NEGATIVE] * 5 for _ in range(4)]
        for query in range(4):
            relations[query][query] = POSITIVE
        relations[0][4] = IGNORED
        relations[2][3] = POSITIVE
        teacher = [[round(numbers.uniform(0, 5), 3) for _ in range(5)] for _ in range(4)]
        teacher[1][2] = None
        return {
            "queries": [text(1, 6) for _ in range(4)],
            "documents": [text(2, 14) for _ in range(5)],
            "relations": relations,
            "teacher": teacher,
        }

    return [batch() for _ in range(STEPS)]


class Method(nn.Module):
    """Both towers, the router and the document lanes."""

    def __init__(self) -> None:
        super().__init__()
        self.query = AutoModel.from_pretrained(
            MODEL / "query", dtype=torch.float32, attn_implementation="eager",
            add_pooling_layer=False)
        self.document = AutoModel.from_pretrained(
            MODEL, dtype=torch.float32, attn_implementation="eager", add_pooling_layer=False)
        for encoder in (self.query, self.document):
            for module in encoder.modules():
                if isinstance(module, nn.Dropout):
                    module.p = 0.0
        dense = [load_file(path / "1_Dense" / "model.safetensors")["linear.weight"]
                 for path in (MODEL / "query", MODEL)]
        self.dense = nn.ParameterList(dense)
        router = load_file(MODEL / "2_FastLaneRouter" / "model.safetensors")
        self.router = nn.ParameterDict({name.replace(".", "/"): it for name, it in router.items()})

    def weight(self, name: str) -> Tensor:
        return self.router[name.replace(".", "/")]

    def logits(self, states: Tensor) -> Tensor:
        query, key, value = (
            states @ self.weight(f"attention.{part}.weight").T
            + self.weight(f"attention.{part}.bias") for part in ("query", "key", "value"))
        seen = softmax(query @ key.T / 5 ** 0.5, dim=1) @ value
        both = torch.cat([seen, states], dim=1)
        return both @ self.weight("dense.weight")[0] + self.weight("dense.bias")

    def lanes(self, states: Tensor) -> Tensor:
        keys = states @ self.weight("lanes.key.weight").T
        shares = softmax(self.weight("lanes.slots") @ keys.T / 5 ** 0.5, dim=1)
        pooled = torch.cat([shares @ states, states.mean(0, keepdim=True)])
        return normalize(pooled @ self.dense[1].T, dim=-1)


def states(encoder: nn.Module, ids: list[int]) -> Tensor:
    return encoder(input_ids=torch.tensor([ids])).last_hidden_state[0]


def masks(batch: dict) -> tuple[Tensor, Tensor]:
    relations = torch.tensor(batch["relations"])
    return relations == POSITIVE, relations == IGNORED


def contrastive(scores: Tensor, batch: dict) -> Tensor:
    positive, ignored = masks(batch)
    scores = scores.masked_fill(ignored, -1e9)
    right = scores.masked_fill(~positive, -1e9)
    return (scores.logsumexp(1) - right.logsumexp(1)).mean()


def mixture(scores: Tensor, logits: list[Tensor], query: int, batch: dict) -> Tensor:
    positive, ignored = masks(batch)
    shares = log_softmax(scores.masked_fill(ignored[query], -1e9), dim=1)
    right = shares.masked_fill(~positive[query], -1e9).logsumexp(1)
    return -(log_softmax(logits[query], dim=0) + right).logsumexp(0)


def teacher(scores: Tensor, batch: dict) -> Tensor:
    total = torch.zeros(())
    for row, known in zip(scores, batch["teacher"]):
        places = [place for place, score in enumerate(known) if score is not None]
        wanted = softmax(torch.tensor([known[place] for place in places]), dim=0)
        total = total + (wanted * (wanted.log() - log_softmax(row[places], dim=0))).sum()
    return total / len(scores)


def pick(alpha: Tensor, step: int, query: int, longest: int) -> Tensor:
    count = len(alpha)
    keep = (alpha.detach() * count >= 1 - 1e-6).float()
    floored = alpha * keep + 0.05
    floored = floored / floored.sum()
    seed = hashed(hashed(hashed(1, step), 0), 12)
    uniform = [(hashed(seed, query * longest + at) + 0.5) / 2 ** 32 for at in range(count)]
    noise = torch.tensor([-math.log(-math.log(u)) for u in uniform], dtype=torch.float32)
    tau = 1.0 + (0.5 - 1.0) * step / (STEPS - 1)
    soft = softmax((floored.log() + noise) / tau, dim=0)
    hard = torch.zeros(count)
    hard[soft.argmax()] = 1.0
    kept = floored * hard
    return kept / kept.sum() + soft - soft.detach()


def loss(method: Method, kind: str, step: int, batch: dict) -> Tensor:
    queries = [states(method.query, ids) for ids in batch["queries"]]
    documents = [states(method.document, ids) for ids in batch["documents"]]
    lanes = [method.lanes(it) for it in documents]
    kept = [it[[place for place, token in enumerate(ids) if token != DOT]]
            for it, ids in zip(documents, batch["documents"])]
    tokens = [normalize(it @ method.dense[1].T, dim=-1) for it in kept]
    views = [normalize(it @ method.dense[0].T, dim=-1) for it in queries]
    logits = [method.logits(it) for it in queries]

    def best(rows: Tensor, others: list[Tensor]) -> Tensor:
        return torch.stack([(rows @ other.T).max(dim=1).values for other in others], dim=1)

    sum_max = torch.stack([best(rows, tokens).sum(0) for rows in views])
    total = contrastive(sum_max, batch)
    if kind == "mixture":
        each = [best(rows, lanes) / TEMPERATURE for rows in views]
        terms = [mixture(scores, logits, query, batch) for query, scores in enumerate(each)]
        entropies = [-(softmax(it, 0) * log_softmax(it, 0)).sum() for it in logits]
        return total + torch.stack(terms).mean() + 0.1 * torch.stack(entropies).mean()
    if kind == "soft":
        pooled = torch.stack([softmax(l, 0) @ it for l, it in zip(logits, queries)])
        rows = normalize(pooled @ method.dense[0].T, dim=-1)
        scores = best(rows, lanes) / TEMPERATURE
    else:
        longest = max(map(len, batch["queries"]))
        weights = [pick(softmax(l, 0), step, query, longest) for query, l in enumerate(logits)]
        scores = torch.stack([w @ best(rows, lanes) for w, rows in zip(weights, views)])
        scores = scores / TEMPERATURE
    return total + contrastive(scores, batch) + 0.5 * teacher(scores, batch)


def losses(kind: str, data: list[dict]) -> list[float]:
    method = Method()
    decays = [it for it in method.parameters() if it.dim() == 2]
    others = [it for it in method.parameters() if it.dim() != 2]
    adam = torch.optim.AdamW(
        [{"params": decays, "weight_decay": 0.01}, {"params": others, "weight_decay": 0.0}],
        lr=RATE, betas=(0.9, 0.999), eps=1e-8)
    found = []
    for step, batch in enumerate(data):
        done = step + 1
        share = done / WARM_UP if done < WARM_UP else 1 - (done - WARM_UP) / (STEPS - WARM_UP)
        for group in adam.param_groups:
            group["lr"] = RATE * share
        adam.zero_grad()
        value = loss(method, kind, step, batch)
        value.backward()
        nn.utils.clip_grad_norm_(method.parameters(), 1.0)
        adam.step()
        found.append(round(float(value), 7))
    return found


def main() -> None:
    logging.set_verbosity_error()
    data = batches()
    record = {"batches": data}
    record |= {kind: losses(kind, data) for kind in ("soft", "mixture", "gumbel")}
    (HERE / "losses.json").write_text(json.dumps(record) + "\n", encoding="utf-8")
    for kind in ("soft", "mixture", "gumbel"):
        print(kind, record[kind])


if __name__ == "__main__":
    main()
