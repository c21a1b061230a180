"""Sign-in: browser sessions, steps that have begun, throttles, links and recoveries."""
