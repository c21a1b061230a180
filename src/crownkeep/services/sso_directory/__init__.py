"""How people of an identity store sign in: their devices, passwords and sessions, and the rules that they are held to.

AWS does these things in its console, by no public operation. The names are those of its permissions and of its records.
"""
