"""What the two packages and the published interface promise each other, held word for word."""
