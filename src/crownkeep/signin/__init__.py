"""Sign-in: the state machine, its proofs and its sessions. No HTML and no HTTP; the pages are in `console`."""
