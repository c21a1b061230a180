"""The one door: everything that the API, the console or a command changes goes through `invoke`.

`registry` knows which operation has which handler, `validate` holds the model's limits, `standing` what an account's callers
may do right now, `authorize` decides, `record` writes the CloudTrail record, and `invoke` leads a request through them all.
"""
