"""Small PyTorch nets with the operators of large ones, seeded; factories take no arguments."""

from __future__ import annotations

import torch
from torch import Tensor, nn

# By the name of each factory: the shapes of its inputs, as --input-shape has them.
SHAPES = {
    "mobilenet": {"x": "1,3,32,32"},
    "vit": {"image": "1,3,16,16"},
    "unet": {"x": "1,3,16,16"},
    "gated": {"x": "1,8,13,13"},
    "conv1d": {"x": "1,4,40"},
    "bilstm": {"ids": "1,9:int64"},
    "encoder": {"input": "1,10,32"},
    "two_inputs": {"image": "1,3,8,8", "meta": "1,5"},
}


class _Inverted(nn.Module):
    """MobileNetV2's block: widen, depthwise, narrow, with a residual where shapes allow."""

    def __init__(self, inside: int, outside: int, stride: int) -> None:
        super().__init__()
        self.keeps = stride == 1 and inside == outside
        wide = inside * 4
        self.layers = nn.Sequential(
            *(nn.Conv2d(inside, wide, 1, bias=False), nn.BatchNorm2d(wide), nn.ReLU6()),
            *(nn.Conv2d(wide, wide, 3, stride, 1, groups=wide, bias=False), nn.BatchNorm2d(wide)),
            *(nn.ReLU6(), nn.Conv2d(wide, outside, 1, bias=False), nn.BatchNorm2d(outside)),
        )

    def forward(self, x: Tensor) -> Tensor:
        found = self.layers(x)
        return x + found if self.keeps else found


class _Classifier(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8))
        self.blocks = nn.Sequential(_Inverted(8, 8, 1), _Inverted(8, 16, 2), _Inverted(16, 16, 1))
        self.last = nn.Linear(16, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.blocks(nn.functional.relu6(self.first(x)))
        return self.last(x.mean((2, 3)))


class _Vit(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.patch = nn.Conv2d(3, 24, 4, 4)
        self.token = nn.Parameter(torch.randn(1, 1, 24))
        self.place = nn.Parameter(torch.randn(1, 17, 24))
        layer = nn.TransformerEncoderLayer(24, 3, 48, activation="gelu", batch_first=True)
        self.blocks = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(24, 5)

    def forward(self, image: Tensor) -> Tensor:
        x = self.patch(image).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], 1) + self.place
        return self.head(self.blocks(x)[:, 0])


class _Unet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.down, self.deep = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 16, 3, padding=1)
        self.up = nn.ConvTranspose2d(16, 8, 2, 2)
        self.join, self.last = nn.Conv2d(16, 8, 3, padding=1), nn.Conv2d(8, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        first = nn.functional.relu(self.down(x))
        deep = nn.functional.relu(self.deep(nn.functional.max_pool2d(first, 2)))
        return self.last(nn.functional.relu(self.join(torch.cat([self.up(deep), first], 1))))


class _Gated(nn.Module):
    """Hard-swish, squeeze-and-excitation, group norm, grouped convolution, shuffle, ceil pool."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(8, 16, 3, padding=1, groups=4), nn.GroupNorm(4, 16)
        self.squeeze, self.excite = nn.Conv2d(16, 4, 1), nn.Conv2d(4, 16, 1)
        self.pool, self.shuffle = nn.AvgPool2d(3, 2, ceil_mode=True), nn.ChannelShuffle(4)
        self.head = nn.Linear(16, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = nn.functional.hardswish(self.norm(self.conv(x)))
        gate = nn.functional.hardsigmoid(
            self.excite(nn.functional.relu(self.squeeze(nn.functional.adaptive_avg_pool2d(x, 1))))
        )
        return self.head(self.shuffle(self.pool(x * gate)).mean((2, 3)))


class _Conv1d(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv1d(4, 8, 5, 2, 2), nn.Conv1d(8, 8, 3, dilation=2)
        self.norm, self.head = nn.BatchNorm1d(8), nn.Linear(8, 2)

    def forward(self, x: Tensor) -> Tensor:
        x = nn.functional.leaky_relu(self.norm(self.first(x)))
        return self.head(nn.functional.elu(self.second(x)).amax(2))


class _Lstm(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(50, 12)
        self.lstm = nn.LSTM(12, 8, num_layers=2, batch_first=True, bidirectional=True)
        self.head = nn.Linear(16, 3)

    def forward(self, ids: Tensor) -> Tensor:
        return self.head(self.lstm(self.table(ids))[0][:, -1])


class _TwoInputs(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv, self.dense = nn.Conv2d(3, 4, 3), nn.Linear(9, 2)

    def forward(self, image: Tensor, meta: Tensor) -> dict[str, Tensor]:
        seen = self.conv(image)
        whole = torch.cat([seen.mean((2, 3)), meta], 1)
        return {"score": self.dense(whole), "map": seen}


def _seeded(make: type[nn.Module]) -> nn.Module:
    torch.manual_seed(4)
    module = make()
    for layer in module.modules():
        if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
            nn.init.uniform_(layer.running_mean, -0.5, 0.5)
            nn.init.uniform_(layer.running_var, 0.5, 2.0)
    return module


def mobilenet() -> nn.Module:
    return _seeded(_Classifier)


def vit() -> nn.Module:
    return _seeded(_Vit)


def unet() -> nn.Module:
    return _seeded(_Unet)


def gated() -> nn.Module:
    return _seeded(_Gated)


def conv1d() -> nn.Module:
    return _seeded(_Conv1d)


def bilstm() -> nn.Module:
    return _seeded(_Lstm)


def encoder() -> nn.Module:
    torch.manual_seed(4)
    layer = nn.TransformerEncoderLayer(32, 4, 64, batch_first=True)
    return nn.Sequential(nn.TransformerEncoder(layer, 2), nn.Linear(32, 5))


def two_inputs() -> nn.Module:
    return _seeded(_TwoInputs)


# --- What is refused ----------------------------------------------------------------------------


class _Deciding(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        if x.sum() > 0:
            return x * 2
        return x


class _Counting(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("seen", torch.zeros(4))

    def forward(self, x: Tensor) -> Tensor:
        self.seen.add_(x.mean(0))
        return x + self.seen


def deciding() -> nn.Module:
    return _Deciding()


def counting() -> nn.Module:
    return _Counting()


def no_module() -> dict[str, int]:
    return {}


def failing() -> nn.Module:
    raise FileNotFoundError("no such weights: w.pt")
