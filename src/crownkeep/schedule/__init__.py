"""What the server does by itself at set times: it audits each account as `crownkeep audit` does, and keeps how that came out."""
