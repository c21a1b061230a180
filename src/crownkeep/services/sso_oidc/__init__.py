"""Sign-in of programs by OAuth 2.0: registration, device authorization, and tokens for codes (RFC 6749, 7636, 8252 and 8628)."""
