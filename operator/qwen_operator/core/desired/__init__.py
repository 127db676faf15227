"""One builder for each child: a noun returns a manifest of exactly the fields we mean.

Builders know the model and what it is served with, not each other and not what lives. They leave out whatever the API
server would drop (empty maps and texts) and spell amounts as it does, so that a child as asked equals what lives.
"""
