"""Plans and journals: their owner's alone, and written through no link."""

from __future__ import annotations

from pathlib import Path

import pytest

from crownkeep.advisor import private_files
from crownkeep.advisor.journal import Journal
from crownkeep.advisor.private_files import UnsafeFile


def test_a_file_that_anybody_could_read_is_its_owner_s_alone_once_written(tmp_path: Path):
    file = tmp_path / "plan.json"
    file.write_text("what was there before, and longer")
    file.chmod(0o644)

    private_files.write(file, "new")

    assert ("new", 0o600) == (file.read_text(), file.stat().st_mode & 0o777)


def test_a_journal_is_its_owner_s_alone_from_its_first_line(tmp_path: Path):
    journal = Journal(tmp_path / "plan.json.journal", "digest")

    journal.write("1", "begun")

    assert 0o600 == (tmp_path / "plan.json.journal").stat().st_mode & 0o777


@pytest.mark.parametrize("how", ["write", "append", "read"])
def test_a_symbolic_link_is_not_followed(tmp_path: Path, how: str):
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("mine\n")
    link.symlink_to(target)
    act = {"write": lambda: private_files.write(link, "x"), "append": lambda: private_files.append(link, "x")}

    with pytest.raises(UnsafeFile, match="symbolic link"):
        act.get(how, lambda: private_files.read(link))()

    assert "mine\n" == target.read_text()


def test_a_journal_that_others_can_write_is_not_believed(tmp_path: Path):
    file = tmp_path / "plan.json.journal"
    Journal(file, "digest").write("1", "done")
    file.chmod(0o666)

    with pytest.raises(UnsafeFile, match="could be written by others"):
        Journal(file, "digest").stands("1")


def test_a_line_that_a_kill_cut_off_swallows_no_other(tmp_path: Path):
    file = tmp_path / "plan.json.journal"
    journal = Journal(file, "digest")
    journal.write("1", "begun")
    with file.open("a") as torn:
        torn.write('{"plan": "dig')

    journal.write("1", "done")

    assert {"1": "done"} == journal.last()
