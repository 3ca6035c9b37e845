"""Releases that stand and are superseded, rollback, and the promise of a stable schema."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from orchestration.publish import Release, build_release
from orchestration.publish.errors import SchemaChangeError
from orchestration.releases.errors import PublishError, UnknownReleaseError
from orchestration.releases.release_registry import (
    list_releases,
    read_release,
    read_rollback,
    roll_back,
)
from tests.release_fixtures import CREDITS, NOW, QUARTER, build_warehouse, tables

LATER = date(2018, 7, 1)
AT = datetime(2018, 11, 1, tzinfo=UTC)


def publish(tmp_path: Path, quarter: date = QUARTER, extra: int = 0, minutes: int = 0) -> Release:
    warehouse = build_warehouse(
        tmp_path / "warehouse.duckdb", quarter=quarter, extra_offences=extra
    )
    now = NOW + timedelta(minutes=minutes)
    return build_release(warehouse, tmp_path / "published", quarter, tables(), now, credits=CREDITS)


def current(tmp_path: Path) -> tuple[date, str]:
    release = read_release(tmp_path / "published" / "csp.duckdb")
    return release.quarter, release.content_digest


def test_a_replaced_build_is_kept_and_can_be_made_current(tmp_path):
    first = publish(tmp_path)
    second = publish(tmp_path, extra=3, minutes=1)
    standing, kept = list_releases(tmp_path / "published")
    assert (standing.superseded, standing.content_digest) == (False, second.content_digest)
    assert (kept.superseded, kept.content_digest) == (True, first.content_digest)
    roll_back(tmp_path / "published", QUARTER, kept.build, "the correction was wrong", AT)
    assert current(tmp_path) == (QUARTER, first.content_digest)
    # The same inputs again bring the same release, which stays rolled back.
    again = publish(tmp_path, extra=3, minutes=2)
    assert not again.is_current
    assert current(tmp_path) == (QUARTER, first.content_digest)
    # A differing build lifts the rollback.
    repaired = publish(tmp_path, extra=4, minutes=3)
    assert repaired.is_current
    assert current(tmp_path) == (QUARTER, repaired.content_digest)
    assert read_rollback(tmp_path / "published") is None


def test_rollback_to_an_earlier_quarter_holds_until_a_newer_release_differs(tmp_path):
    root = tmp_path / "published"
    first = publish(tmp_path)
    second = publish(tmp_path, quarter=LATER)
    roll_back(root, QUARTER, None, "a district is missing", AT)
    assert current(tmp_path) == (QUARTER, first.content_digest)
    rollback = read_rollback(root)
    assert rollback is not None
    assert rollback.reason == "a district is missing"
    publish(tmp_path, quarter=LATER, minutes=1)
    assert current(tmp_path) == (QUARTER, first.content_digest)
    (root / "csp.duckdb").unlink()
    publish(tmp_path, quarter=LATER, minutes=2)
    assert current(tmp_path) == (QUARTER, first.content_digest), "a lost file comes back as it was"
    roll_back(root, LATER, None, "it was right after all", AT)
    assert current(tmp_path) == (LATER, second.content_digest)
    assert read_rollback(root) is None


def test_a_newer_quarter_ends_a_rollback(tmp_path):
    publish(tmp_path)
    publish(tmp_path, quarter=LATER)
    roll_back(tmp_path / "published", QUARTER, None, "a district is missing", AT)
    newest = publish(tmp_path, quarter=date(2018, 10, 1))
    assert current(tmp_path) == (date(2018, 10, 1), newest.content_digest)


@pytest.mark.parametrize(
    ("quarter", "build", "words"),
    [
        (LATER, None, r"Q2 2018/19 has not been published. Published: 2018-04-01"),
        (QUARTER, "20010101T000000-0", r"no build 20010101T000000-0. Its builds: 2018"),
    ],
)
def test_rollback_to_what_is_not_there_says_what_is(tmp_path, quarter, build, words):
    publish(tmp_path)
    with pytest.raises(UnknownReleaseError, match=words):
        roll_back(tmp_path / "published", quarter, build, "why not", AT)
    assert current(tmp_path)[0] == QUARTER


def test_a_rollback_that_cannot_be_read_is_reported(tmp_path):
    publish(tmp_path)
    (tmp_path / "published" / "rollback.json").write_text("{")
    with pytest.raises(PublishError, match=r"rollback\.json cannot be read.*csp rollback"):
        publish(tmp_path, minutes=1)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            "alter table marts.dim_month add column colour varchar",
            r"marts.dim_month.colour is gone",
        ),
        (
            "alter table marts.dim_month alter column month_label type integer using 1",
            r"marts.dim_month.month_label was INTEGER and is VARCHAR",
        ),
        ("create table marts.gone (a integer)", r"table marts.gone is gone"),
    ],
)
def test_a_dropped_or_retyped_column_stops_the_release(tmp_path, change, words):
    """The standing release is given what the new one lacks."""
    standing = publish(tmp_path).path
    standing.chmod(0o600)
    with duckdb.connect(standing) as connection:
        connection.execute(change)
    before = standing.read_bytes()
    with pytest.raises(SchemaChangeError, match=words):
        publish(tmp_path, extra=1, minutes=1)
    assert standing.read_bytes() == before
    with duckdb.connect(standing) as connection:
        connection.execute("update main.release set schema_version = 0")
    assert publish(tmp_path, extra=1, minutes=1).changed, "a new schema version allows it"


def test_a_new_column_is_no_breach(tmp_path):
    standing = publish(tmp_path).path
    standing.chmod(0o600)
    with duckdb.connect(standing) as connection:
        connection.execute("alter table marts.dim_month drop column month_label")
    assert publish(tmp_path, extra=1, minutes=1).changed
