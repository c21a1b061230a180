"""What pages are made with: frame, forms, calls, cookies and the guard before them all."""
