"""The endpoints of the API port, one module each: parse, call, answer."""
