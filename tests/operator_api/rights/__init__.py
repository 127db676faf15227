"""What the operator's own account may do: the chart's roles and its admission policy, on both API servers."""
