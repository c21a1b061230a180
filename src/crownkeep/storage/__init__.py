"""The only SQL: the database, and for each topic its table, its rows and its named queries.

A topic module (`users`, `access_keys`, ...) holds one or two tables with the queries that touch them. A query is one function
with one statement; a row is a frozen value without behaviour, matched with its columns by `rows`; a function's first argument is
the open `Transaction`.
"""
