"""From what age a credential is old, or unused for too long: one rule for reports, checks and lists."""

from __future__ import annotations

from typing import Final

OLD_DAYS: Final = 90
"""From when on a credential should be changed (CIS AWS Foundations, "access keys are rotated every 90 days")."""
UNUSED_DAYS: Final = 45
"""From when on a credential that nobody used should go (CIS AWS Foundations, "credentials unused for 45 days")."""
