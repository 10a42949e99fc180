"""The rule by which missing real documents skip a test, and by which they fail it."""

from pathlib import Path

import pytest

from tests.plugins.samples import MARK, Absent, Unreadable, locate


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "radica"
    folder.mkdir()
    return folder


def _fill(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "algo.txt").write_text("x", encoding="utf-8")
    return folder


@pytest.mark.parametrize("environ", [{}, {"CI": "true"}])
def test_a_missing_default_folder_skips_loudly(repository: Path, environ: dict[str, str]) -> None:
    with pytest.raises(Absent, match=MARK):
        locate(environ, repository, "samples")


@pytest.mark.parametrize("sibling", ["samples", "reference"])
def test_a_missing_named_folder_fails(repository: Path, tmp_path: Path, sibling: str) -> None:
    with pytest.raises(Unreadable):
        locate({"RADICA_MUESTRAS": str(tmp_path / "nada" / "samples")}, repository, sibling)


def test_a_folder_that_cannot_be_listed_fails_under_ci_and_skips_elsewhere(repository: Path, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / "samples").write_text("a file where the folder should be", encoding="utf-8")
    with pytest.raises(Unreadable):
        locate({"CI": "true"}, repository, "samples")
    with pytest.raises(Absent, match=MARK):
        locate({}, repository, "samples")


@pytest.mark.parametrize("environ", [{"CI": "true"}, {}])
def test_an_empty_folder_is_no_sample(repository: Path, tmp_path: Path, environ: dict[str, str]) -> None:
    (tmp_path / "shared" / "samples").mkdir(parents=True)
    with pytest.raises(Unreadable if environ else Absent):
        locate(environ, repository, "samples")


def test_the_named_folder_wins_and_reference_is_its_sibling(repository: Path, tmp_path: Path) -> None:
    named = _fill(tmp_path / "otra" / "samples")
    reference = _fill(tmp_path / "otra" / "reference")
    _fill(tmp_path / "shared" / "samples")
    environ = {"RADICA_MUESTRAS": str(named)}
    assert locate(environ, repository, "samples") == named
    assert locate(environ, repository, "reference") == reference
    assert locate({}, repository, "samples") == tmp_path / "shared" / "samples"
