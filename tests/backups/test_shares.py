"""Shares of a secret: enough of them bring it back, fewer or others don't, and what is no share is refused in one sentence."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shamir_mnemonic import generate_mnemonics
from tests.backups.conftest import backed_up

from crownkeep.backups import shares
from crownkeep.backups.faults import BackupFault

SECRET = bytes(range(32))


@given(secret=st.binary(min_size=32, max_size=32), numbers=st.tuples(st.integers(2, 16), st.integers(2, 16)), data=st.data())
@settings(max_examples=10, deadline=None)
def test_enough_shares_of_any_secret_bring_it_back_in_any_order(secret, numbers, data):
    needed, count = sorted(numbers)
    parts = shares.split(secret, needed=needed, shares=count)
    chosen = data.draw(st.permutations(parts))[:needed]

    assert secret == shares.combine([shares.read(f"  {each.words.reveal().upper()}\n") for each in chosen])


def test_every_group_of_enough_shares_opens_and_none_of_fewer_does():
    parts = shares.split(SECRET, needed=3, shares=5)

    assert all(SECRET == shares.combine(each) for each in combinations(parts, 3))
    assert SECRET == shares.combine(parts)
    for each in combinations(parts, 2):
        with pytest.raises(BackupFault, match="3 different shares are needed, and 2 were given"):
            shares.combine(each)
    with pytest.raises(BackupFault, match="3 different shares are needed, and 1 were given"):
        shares.combine([parts[0]] * 3)


def test_a_share_that_somebody_made_up_is_noticed_and_gives_no_wrong_secret():
    parts, others = shares.split(SECRET, needed=2, shares=3), shares.split(bytes(32), needed=2, shares=3)
    # As if the second secret's shares had the first one's number: a forger knows the words that all shares begin with.
    made_up = shares.KeyShare(parts[0].split, 2, 2, others[1].words)

    with pytest.raises(BackupFault, match="don't fit together"):
        shares.combine([parts[0], made_up])
    with pytest.raises(BackupFault, match="not of one secret"):
        shares.combine([parts[0], others[1]])


def test_a_slip_of_the_pen_is_noticed():
    words = shares.split(SECRET, needed=2, shares=2)[0].words.reveal().split()

    for changed in (
        words[:-1],
        words[1:] + words[:1],
        ["academic", *words[1:]],
        [*words[:9], "crown", *words[10:]],
        [],
        ["\u0000"],
    ):
        with pytest.raises(BackupFault, match="no share"):
            shares.read(" ".join(changed))


def test_a_share_that_would_keep_its_reader_busy_is_refused():
    [[slow, _]] = generate_mnemonics(1, [(2, 2)], SECRET, iteration_exponent=1)
    [[single]] = generate_mnemonics(1, [(1, 1)], SECRET, iteration_exponent=0)
    short = generate_mnemonics(1, [(2, 2)], bytes(16), iteration_exponent=0)[0][0]

    for words in (slow, single, short):
        with pytest.raises(BackupFault, match="a share of something else"):
            shares.read(words)


@pytest.mark.parametrize(("needed", "count"), [(1, 1), (1, 3), (4, 3), (2, 17)])
def test_numbers_that_protect_nothing_or_can_not_be_are_refused(crownkeep, tmp_path, needed, count):
    ended = crownkeep("backup", "new-recipient", str(tmp_path / "r"), "--needed", str(needed), "--shares", str(count))

    assert (2, []) == (ended.code, list(tmp_path.glob("r*")))


def test_enough_custodians_restore_a_backup_with_the_sealing_key_inside_and_fewer_do_not(crownkeep, made, shelf, tmp_path):
    made("--admin-user", "admin")
    said = crownkeep("backup", "new-recipient", str(tmp_path / "held"), "--needed", "2", "--shares", "3", "--json").json()
    folder = backed_up(crownkeep, shelf, "--sealing-key-for", said["recipient"])
    [vkey] = {each["signed_by"] for each in crownkeep("backup", "verify", str(shelf), "--json").json()["backups"]}
    words = ("backup", "drill", str(shelf), "--key", vkey)
    first, second, third = said["shares"]

    both = crownkeep(*words, "--share", first, "--share", third)
    alone, unsigned = (
        crownkeep(*words, "--share", second),
        crownkeep("backup", "drill", str(shelf), "--share", first, "--share", third),
    )

    assert (0, "") == (both.code, both.err)
    assert (1, True) == (alone.code, "2 different shares are needed, and 1 were given" in alone.err)
    assert (2, True) == (unsigned.code, "name the key that signed the backup" in unsigned.err)
    assert not (tmp_path / "held").exists()
    assert all(0o600 == (tmp_path / f"held.share-{n}").stat().st_mode & 0o777 for n in (1, 2, 3))
    assert folder.name in both.out


def test_a_recipient_in_shares_is_written_whole_or_not_at_all(crownkeep, tmp_path):
    (tmp_path / "held.share-2").write_text("somebody's")

    ended = crownkeep("backup", "new-recipient", str(tmp_path / "held"), "--needed", "2", "--shares", "3")

    assert (1, True) == (ended.code, "nothing is written over" in ended.err)
    assert ["held.share-2"] == [each.name for each in tmp_path.glob("held*")]
