"""The pages of an account's custody, as their tabs name them."""

from __future__ import annotations

from crownkeep.translation import gettext_noop

PATH = "/console/custody"
REQUESTS = f"{PATH}/requests"
TOKENS = f"{PATH}/tokens"
TABS = ((PATH, gettext_noop("Seal and teams")), (REQUESTS, gettext_noop("Requests")), (TOKENS, gettext_noop("Physical tokens")))
