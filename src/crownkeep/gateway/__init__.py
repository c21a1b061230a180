"""The AWS wire: HTTP requests become authenticated, decoded calls at the one door, and answers become bytes again."""
