#!/usr/bin/env python3
"""Times whole training steps in PyTorch: the counterpart of crates/train/benches/step.rs.

16 queries of 32 tokens, 32 documents of 128, contrastive and KL losses over late interaction,
dropout, clipping, AdamW, all of a BERT. Prints the seconds of each step but the first two.
"""
import argparse
import time

import torch
from torch import nn
from torch.nn.functional import kl_div, log_softmax, normalize, softmax
from transformers import AutoModel

QUERIES, DOCUMENTS, WARM = (16, 32), (32, 128), 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--threads", type=int, required=True)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(1)
    encoder = AutoModel.from_pretrained(arguments.model, dtype=torch.float32, add_pooling_layer=False)
    encoder.train()
    dense = nn.Linear(encoder.config.hidden_size, 128, bias=False)
    parameters = [*encoder.parameters(), *dense.parameters()]
    adam = torch.optim.AdamW(parameters, lr=3e-5, weight_decay=0.01)
    numbers = torch.Generator().manual_seed(2)
    for step in range(WARM + arguments.steps):
        queries, documents = (torch.randint(1000, 20000, shape, generator=numbers)
                              for shape in (QUERIES, DOCUMENTS))
        teacher = torch.rand(16, 32, generator=numbers) * 5
        began = time.perf_counter()
        adam.zero_grad()
        views = normalize(dense(encoder(input_ids=queries).last_hidden_state), dim=-1)
        tokens = normalize(dense(encoder(input_ids=documents).last_hidden_state), dim=-1)
        products = views.flatten(0, 1) @ tokens.flatten(0, 1).T
        scores = products.view(16, 32, 32, 128).amax(3).sum(1)
        shares = log_softmax(scores, dim=1)
        loss = -shares.diagonal().mean() + kl_div(
            shares, softmax(teacher, dim=1), reduction="batchmean")
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        adam.step()
        if step >= WARM:
            print(f"{time.perf_counter() - began:.4f}", flush=True)


if __name__ == "__main__":
    main()
