# This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
# Released under the MIT licence, which is in the file LICENSE.

"""The reference's side of tools/bench/classifier.ts: embeds Banking77 with sentence-transformers, fits scikit-learn, prints JSON.

Run with sentence-transformers, scikit-learn and OMP_NUM_THREADS=1, since the other side computes on one thread:
    python tools/bench/classifier.py <banking77 folder> <model folder> <output folder>
Embeddings that are in the output folder already are used again.
"""

import csv
import json
import pathlib
import re
import sys
import time

import numpy as np
import sklearn
from sklearn.linear_model import LogisticRegression, RidgeClassifier


def sanitize(text):
    return re.sub(r"[^A-Za-z0-9\s]", "", text.strip().casefold().replace("\u00a0", " "))


def read(path):
    with open(path, encoding="utf-8", newline="") as file:
        return [(row["text"], row["category"]) for row in csv.DictReader(file)]


def embed(model_folder, texts_of):
    """Embeds each list of texts that has no file yet."""
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(model_folder), device="cpu")
    for path, texts in texts_of.items():
        rows = model.encode(texts, batch_size=64, normalize_embeddings=True, convert_to_numpy=True)
        rows.astype("<f4").tofile(path)


def timed(fit):
    start = time.perf_counter()
    return fit(), round((time.perf_counter() - start) * 1000)


def main():
    data, model_folder, out = (pathlib.Path(argument) for argument in sys.argv[1:4])
    out.mkdir(parents=True, exist_ok=True)
    train, test = read(data / "train.csv"), read(data / "test.csv")
    categories = sorted({category for _, category in train})
    labels = {name: [categories.index(category) for _, category in rows] for name, rows in (("train", train), ("test", test))}
    texts_of = {
        out / "train.f32": [sanitize(text) for text, _ in train],
        out / "test-sanitized.f32": [sanitize(text) for text, _ in test],
        out / "test-as-asked.f32": [text for text, _ in test],
    }
    missing = {path: texts for path, texts in texts_of.items() if not path.exists()}
    if missing:
        embed(model_folder, missing)
    x, sanitized, asked = (np.fromfile(path, "<f4").reshape(len(texts), -1) for path, texts in texts_of.items())
    (out / "labels.json").write_text(json.dumps({"dimensions": x.shape[1], "classCount": len(categories), **labels}))

    ridge, ridge_ms = timed(lambda: RidgeClassifier(alpha=1).fit(x, labels["train"]))
    softmax, softmax_ms = timed(lambda: LogisticRegression(C=10, max_iter=1000).fit(x, labels["train"]))
    rows = [i // 3 * 25 + i % 3 for i in range(1200)]
    some, many_ms = timed(lambda: LogisticRegression(C=10, max_iter=1000).fit(x[rows], [i // 3 for i in range(1200)]))
    print(
        json.dumps(
            {
                "scikitLearn": sklearn.__version__,
                "ridge": {
                    "fitMs": ridge_ms,
                    "accuracySanitized": ridge.score(sanitized, labels["test"]),
                    "accuracyAsAsked": ridge.score(asked, labels["test"]),
                },
                "softmax": {
                    "fitMs": softmax_ms,
                    "accuracySanitized": softmax.score(sanitized, labels["test"]),
                    "accuracyAsAsked": softmax.score(asked, labels["test"]),
                },
                "manyAnswers": {"samples": 1200, "answers": len(some.classes_), "fitMs": many_ms},
            },
            indent=2,
        )
    )


main()
