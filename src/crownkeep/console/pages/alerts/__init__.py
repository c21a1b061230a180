"""Pages of alerts: rules, receivers and what became of them."""
