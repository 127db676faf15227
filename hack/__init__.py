"""What only people who work on the project run: a cluster, images, weights, generated files, the demo."""
