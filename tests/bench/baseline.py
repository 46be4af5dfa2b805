"""The classical baseline on CLINC150: accuracy compared with scikit-learn, and speed.

python -m tests.bench.baseline [--examples 3000] [--intents 50]
"""

import argparse
import time
from statistics import median

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
from threadpoolctl import threadpool_limits

from flows.evaluate.setup.tfidf_classifier import Labelled, TfidfClassifier, text_pipeline
from tests.conftest import SHARED
from tests.unit.evaluate.test_variants import clinc


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--examples", type=int, default=3000)
    parser.add_argument("--intents", type=int, default=50)
    options = parser.parse_args()
    texts, labels = map(list, zip(*clinc(SHARED, options.examples, options.intents), strict=True))
    classifier = TfidfClassifier(Labelled(texts, labels), Labelled([], []))
    start = time.perf_counter()
    classifier.prepare()
    learnt = time.perf_counter() - start
    answers, latencies = [], []
    for text in texts:
        start = time.perf_counter()
        answers.append(classifier.answer(text))
        latencies.append((time.perf_counter() - start) * 1000)
    with threadpool_limits(1):
        folds = StratifiedGroupKFold(5, shuffle=True, random_state=0)
        theirs = cross_val_predict(text_pipeline(options.intents), texts, labels, groups=texts, cv=folds)
    assert answers == list(theirs), "scikit-learn answers otherwise"
    right = np.mean(np.array(answers) == np.array(labels))
    print(f"{len(texts):,} examples of {options.intents} intents: {right:.1%} right, as cross_val_predict;")
    print(f"learnt in {learnt:.1f} s, median answer {median(latencies):.2f} ms")


if __name__ == "__main__":
    main()
