"""Layers models of TF.js, written as its converter writes them, from models of tf_keras."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def write_layers(model: Any, folder: Path, by_tfjs: bool = False) -> Path:
    """Write a model in two shards and return the folder.

    by_tfjs: as TF.js itself saves one, where the configuration lies one step higher and the weights
    of recurrent layers are not their cells'.
    """
    folder.mkdir(parents=True)
    entries, data = [], b""
    for variable in model.weights:
        array = variable.numpy()
        name = variable.name.split(":")[0]
        if by_tfjs:
            name = name.replace("lstm_cell/", "")
        entries.append({"name": name, "shape": list(array.shape), "dtype": array.dtype.name})
        data += array.tobytes()
    shards = {"group1-shard1of2.bin": data[: len(data) // 2]}
    shards["group1-shard2of2.bin"] = data[len(data) // 2 :]
    for name, content in shards.items():
        (folder / name).write_bytes(content)
    form = json.loads(model.to_json())
    config = {"class_name": form["class_name"], "config": form["config"]}
    topology: dict[str, Any] = {"keras_version": "2.15.0", "model_config": config}
    if by_tfjs:
        topology = {**config, "keras_version": "tfjs-layers 4.22.0", "backend": "tensor_flow.js"}
    written = {
        "format": "layers-model",
        "modelTopology": topology,
        "weightsManifest": [{"paths": list(shards), "weights": entries}],
    }
    (folder / "model.json").write_text(json.dumps(written))
    return folder
