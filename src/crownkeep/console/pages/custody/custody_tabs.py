"""The pages of an account's custody, as their tabs name them."""

from __future__ import annotations

PATH = "/console/custody"
REQUESTS = f"{PATH}/requests"
TOKENS = f"{PATH}/tokens"
TABS = ((PATH, "Seal and teams"), (REQUESTS, "Requests"), (TOKENS, "Physical tokens"))
