"""AWS Sign-in: the tokens by which command lines act for somebody who has signed in at a browser."""
