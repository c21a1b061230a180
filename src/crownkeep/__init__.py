"""Crownkeep: a self-hosted account authority that speaks the AWS APIs and keeps the root user locked away."""
