"""Bundles are read and hashed again: what has changed since they were packed is found and named, whatever else is at work."""

import pytest

from spark_jobs.landing import vault
from spark_jobs.landing.vault_check import check_vault

ZIPS = 6


@pytest.fixture
def packed(tmp_path):
    """A vault of three bundles of two zips each."""
    folder = tmp_path / "vault"
    for n in range(ZIPS):
        zip_path = tmp_path / f"zip-{n}.zip"
        zip_path.write_bytes(bytes([n]) * 10)
        vault.keep(folder, zip_path)
    assert vault.pack(folder, bundle_bytes=20) == 3
    return folder


def bundle_of(folder, zip_id):
    return vault.locate(folder, [zip_id])[zip_id]


def test_nothing_is_wrong_with_what_was_packed(packed):
    checked = check_vault(packed)
    assert (checked.bundles, checked.zips, checked.bytes, checked.defects) == (3, ZIPS, 10 * ZIPS, ())


def test_a_byte_that_has_changed_is_found_and_its_zip_named(packed):
    where = bundle_of(packed, "zip-3")
    content = bytearray(where.path.read_bytes())
    content[where.offset + 4] ^= 1
    where.path.write_bytes(content)
    [defect] = check_vault(packed).defects
    assert (defect.bundle, defect.zip_id) == (where.path.name, "zip-3")


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        (lambda path: path.unlink(), "gone, with 2 zips"),
        (lambda path: path.write_bytes(path.read_bytes() + b"x"), "longer or shorter"),
        (lambda path: (path.parent / "index" / f"{path.name}.parquet").unlink(), "no index"),
    ],
)
def test_a_bundle_that_is_not_as_its_index_says_is_named(packed, harm, says):
    harm(bundle_of(packed, "zip-0").path)
    [defect] = check_vault(packed).defects
    assert defect.zip_id is None
    assert says in defect.problem


def test_the_end_of_a_bundle_that_is_missing_costs_the_zip_there(packed):
    where = bundle_of(packed, "zip-1")
    where.path.write_bytes(where.path.read_bytes()[:15])
    assert {defect.zip_id for defect in check_vault(packed).defects} == {"zip-1", None}


def test_a_bundle_that_is_being_packed_is_left_for_later(packed):
    (packed / ("0" * 32 + ".zips")).touch()
    (packed / "packing.json").write_text("[]")
    assert check_vault(packed).defects == ()


def test_parts_hold_each_bundle_once(packed):
    assert sum(check_vault(packed, part, 4).zips for part in (1, 2, 3, 4)) == ZIPS
