"""The pages, one module for each group; each lists its routes as ROUTES."""
