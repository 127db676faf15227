"""The user's way, on a real cluster: chart, apply, wait, chat, scale, rotate keys, delete."""
