"""The interface as an OpenAPI document: worked out from the routes, the wire types and the table of errors."""
