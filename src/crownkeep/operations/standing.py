"""What the callers of an account may sign with and do right now, cached for as long as its revision stands.

Every request reads one small row, the account's revision. All that a request needs beyond it (keys, users, compiled policies) is
kept here under that revision, which is random and never comes back: what is changed anywhere is in force on the next request.
"""
