"""Root never signs in with its password alone."""

from __future__ import annotations

from collections.abc import Iterator

from crownkeep.advisor import root
from crownkeep.advisor.check import CheckSeverity, Fix, Verdict, check, cis, failed, passed
from crownkeep.advisor.view import View


@check(
    "root-sign-in-without-mfa",
    title="Root did not sign in without MFA",
    topic="root",
    severity=CheckSeverity.HIGH,
    why="A sign-in of root with nothing but a password may be anybody's who read it.",
    fix=Fix("Give root MFA; ask whoever signed in; change root's password if nobody did."),
    maps=cis(v1="4.3", v5="4.3", v7="5.3"),
)
def root_sign_ins(view: View) -> Iterator[Verdict]:
    """Look through root's successful sign-ins that the trail remembers."""
    bare = root.sign_ins_without_mfa(view)
    if bare:
        yield failed(f"Root signed in without MFA {len(bare)} times, last {max(bare):%Y-%m-%d %H:%M} UTC.")
    else:
        yield passed("No such sign-in is in the events that the trail remembers.")
