"""``nnative train``: a multilayer perceptron on a data set, saved with its learning curves."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from nnative import data, nn, optim, random
from nnative.autograd import Array
from nnative.errors import DataError, MissingExtraError, optional
from nnative.threads import cpu_info, get_num_threads, set_num_threads
from nnative.train import History, MlpSpec, fit, save_mlp

_TEST_FRACTION = 0.2
_EVALUATION_BATCH = 1000


class Split(NamedTuple):
    """Inputs and labels for training and test."""

    train_x: Array
    train_y: Array
    test_x: Array
    test_y: Array


def run(args: argparse.Namespace) -> int:
    """Train, save, report."""
    out = _writable(args.out)
    split = _digits() if args.dataset == "digits" else Split(*data.mnist(args.data))
    if args.threads is not None:
        set_num_threads(args.threads)
    random.manual_seed(args.seed)
    spec = _spec(split, args.hidden)
    model = spec.build()
    optimizer = _optimizer(args.optimizer, model.parameters(), args.lr)
    say = (lambda *_: None) if args.quiet else print
    say(f"{args.dataset}: {len(split.train_y)} training and {len(split.test_y)} test images, seed {args.seed}")
    say(f"model: {_network(spec)}, {args.optimizer}, {get_num_threads()} threads, {cpu_info()['isa']}")

    generator = random.Generator(args.seed)
    history = fit(
        model,
        optimizer,
        nn.CrossEntropyLoss(),
        data.DataLoader((split.train_x, split.train_y), args.batch_size, shuffle=True, generator=generator),
        epochs=args.epochs,
        test_loader=data.DataLoader((split.test_x, split.test_y), _EVALUATION_BATCH),
        prepare=spec.prepare,
        lr_decay=True,
        progress=not args.quiet,
    )
    for line in _save(out, args.dataset, model, spec, history, split):
        say(line)
    print(f"test accuracy: {history.epochs[-1].test_accuracy:.4f}")
    return 0


def _digits() -> Split:
    """Hold out a stratified fifth: the same images for every seed, so that runs can be compared."""
    images, labels = data.digits()
    train_test_split = optional("sklearn.model_selection", "demo", "digits").train_test_split
    train_x, test_x, train_y, test_y = train_test_split(
        images, labels, test_size=_TEST_FRACTION, stratify=labels, random_state=0
    )
    return Split(train_x, train_y, test_x, test_y)


def _spec(split: Split, hidden: tuple[int, ...]) -> MlpSpec:
    classes = int(split.train_y.max()) + 1
    return MlpSpec(
        sizes=(int(np.prod(split.train_x.shape[1:])), *hidden, classes),
        mean=float(split.train_x.mean()),
        std=float(split.train_x.std()),
        classes=tuple(str(c) for c in range(classes)),
    )


def _optimizer(name: str, parameters: Any, lr: float | None) -> Any:
    if name == "sgd":
        return optim.SGD(parameters, lr=0.05 if lr is None else lr, momentum=0.9)
    return {"adam": optim.Adam, "adamw": optim.AdamW}[name](parameters, lr=1e-3 if lr is None else lr)


def _network(spec: MlpSpec) -> str:
    return "-".join(map(str, spec.sizes))


def _writable(folder: str) -> Path:
    """Make the folder, and find out now rather than after training whether files can be written there."""
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise DataError(f"--out {folder}: cannot be written: {error.strerror or error}") from error
    return Path(folder)


def _save(out: Path, dataset: str, model: Any, spec: MlpSpec, history: History, split: Split) -> list[str]:
    """Write what the run gave; return a line for each file."""
    save_mlp(model, spec, out / "model.safetensors")
    history.save(out / "history.json")
    lines = [f"model: {out / 'model.safetensors'}"]
    try:
        from nnative.viz import learning_curves

        learning_curves(history, out / "curves.png", f"{dataset}: {_network(spec)}")
        lines.append(f"learning curves: {out / 'curves.png'}")
    except MissingExtraError as error:
        lines.append(f"no learning curves: {error}")
    if dataset == "digits":  # no file holds these images, so that predict has something to try
        np.save(out / "test_images.npy", split.test_x)
        lines.append(f"try: nnative predict {out / 'model.safetensors'} {out / 'test_images.npy'}")
    return lines
