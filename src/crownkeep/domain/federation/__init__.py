"""Servers outside the house: reached safely, and their keys."""
