"""Who hears of what: rules, messages, the outbox that commits with the change, and the channels that notices leave by."""
