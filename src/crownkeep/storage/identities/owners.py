"""What policies can be attached to or put into: users, groups and roles, told apart beside their unique ids."""

from __future__ import annotations

from enum import Enum

from sqlalchemy import String


class OwnerKind(Enum):
    """The kinds of entity that hold permissions; the value is what is kept."""

    USER = "user"
    GROUP = "group"
    ROLE = "role"


Kind = String(8)
