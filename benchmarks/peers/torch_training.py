"""Pairs trained by PyTorch: a stack of bidirectional `nn.LSTM`, in a plain loop.

Windows are full, so none is packed, which is faster.
"""

import itertools

import stepping
import torch
from torch import nn

THREADS = 2


class Network(nn.Module):
    """int [B, W] → logits [B, words], from the last layer's final states."""

    def __init__(self, sizes: stepping.Model):
        super().__init__()
        self.embedding = nn.Embedding(sizes.words, sizes.embedding)
        self.lstm = nn.LSTM(sizes.embedding, sizes.units, sizes.layers, batch_first=True, bidirectional=True)
        self.logits = nn.Linear(2 * sizes.units, sizes.words)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        _, (h, _) = self.lstm(self.embedding(ids))
        return self.logits(torch.cat([h[-2], h[-1]], 1))


def main() -> None:
    parser = stepping.parser()
    parser.add_argument("--compile", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(THREADS)
    sizes = stepping.MODELS[given.model]
    network = Network(sizes)
    # With Keras's decay and epsilon.
    optimizer = torch.optim.RMSprop(network.parameters(), lr=stepping.LEARNING_RATE, alpha=0.9, eps=1e-7)
    if given.compile:
        network.compile()
    x, y = (torch.from_numpy(values).long() for values in stepping.pairs(sizes, given.batch))
    batches = itertools.cycle(zip(x, y, strict=True))

    def train(steps: int) -> float:
        for ids, targets in itertools.islice(batches, steps):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(network(ids), targets)
            loss.backward()
            optimizer.step()
        return loss.item()

    stepping.measure(train, steps=stepping.STEPS_A_CALL, clock=stepping.Clock(given.batch, given.seconds))


if __name__ == "__main__":
    main()
