"""Alerts as accounts set them: receivers, rules, silences and what became of each alert. A service of our own."""
