"""Finding anything: pages, people, policies, keys, events and accounts, by one box."""
