"""Train a multilayer perceptron on MNIST: ``python examples/train_mnist.py FOLDER``."""

import sys

import numpy as np

import nnative
from nnative import nn, optim
from nnative.data import DataLoader, mnist


def scaled(images):
    """Return uint8 images as float32 rows with mean 0 and standard deviation 1."""
    return nnative.tensor((images.reshape(len(images), -1) / np.float32(255) - np.float32(0.1307)) / np.float32(0.3081))


def train(model, loader, loss_fn, optimizer):
    model.train()
    total = 0.0
    for images, labels in loader:
        loss = loss_fn(model(scaled(images)), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item()
    return total / len(loader)


def accuracy(model, loader):
    model.eval()
    hits = 0
    with nnative.no_grad():
        for images, labels in loader:
            hits += (model(scaled(images)).numpy().argmax(axis=1) == labels).sum()
    return hits / len(loader.dataset)


def main(folder=None, epochs=5):
    nnative.manual_seed(0)
    data = mnist(folder)
    train_loader = DataLoader((data.train_images, data.train_labels), batch_size=128, shuffle=True)
    test_loader = DataLoader((data.test_images, data.test_labels), batch_size=1000)

    model = nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10))
    loss_fn = nn.CrossEntropyLoss()
    optimizer = optim.Adam(model.parameters(), lr=1e-3)

    for epoch in range(1, epochs + 1):
        optimizer.param_groups[0]["lr"] = 1e-3 * (1 - (epoch - 1) / epochs)
        loss = train(model, train_loader, loss_fn, optimizer)
        print(f"epoch {epoch}: loss {loss:.4f}, test accuracy {accuracy(model, test_loader):.4f}")


if __name__ == "__main__":
    main(*sys.argv[1:2])
