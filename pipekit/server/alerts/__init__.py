"""Alerts: what happened that somebody must know (`watching`), in words (`words`), brought to them (`sending`)."""
