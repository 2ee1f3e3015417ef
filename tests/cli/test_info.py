"""nnative info and nnative check."""

import re

import nnative
from nnative import _native, check


def test_info(run):
    status, printed, _ = run("info")
    assert status == 0
    facts = dict(re.split(r":\s+", line, maxsplit=1) for line in printed.splitlines())
    assert facts["nnative"].startswith(nnative.__version__)
    assert facts["active"] == _native.isa()
    assert facts["threads"] == str(_native.num_threads())


def test_check_reports_every_verdict_and_fails_with_a_wrong_kernel(run, monkeypatch):
    verdicts = [check.Verdict("relu_forward", "avx2", "float32", 0.25), check.Verdict("gelu", "avx2", "float64", 1.5)]
    monkeypatch.setattr("nnative.cli.check.check_all", lambda: iter(verdicts))
    status, printed, _ = run("check")
    assert status == 1
    assert re.search(r"relu_forward +avx2 +float32 +0\.250 +ok", printed)
    assert re.search(r"gelu +avx2 +float64 +1\.500 +WRONG", printed)
    monkeypatch.setattr("nnative.cli.check.check_all", lambda: iter(verdicts[:1]))
    assert run("check")[0] == 0
    monkeypatch.setattr("nnative.cli.check.check_all", lambda: iter([]))
    assert run("check")[0] == 1
