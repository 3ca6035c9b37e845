"""The frame of the benchmark: what counts as worse, and that nothing recorded is lost."""

from pathlib import Path

from tests.bench.recorded import read_recorded, record, regressions


def test_a_ratio_is_worse_from_a_fifth_on() -> None:
    recorded = {"bulk": 2.0, "warm": 1.0}
    assert regressions({"bulk": 2.39, "warm": 0.5, "new": 9.0}, recorded) == []
    assert regressions({"bulk": 2.41, "warm": 1.3}, recorded) == [
        "bulk: 2.41, recorded 2.00",
        "warm: 1.30, recorded 1.00",
    ]


def test_recording_keeps_the_ratios_that_were_not_measured(tmp_path: Path) -> None:
    path = tmp_path / "recorded.json"
    assert read_recorded(path) == {}
    record({"bulk": 2.0, "warm": 1.0}, path)
    record({"warm": 1.234}, path)
    assert read_recorded(path) == {"bulk": 2.0, "warm": 1.23}
