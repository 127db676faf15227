"""Every parser of what others wrote, against made-up input: 100 cases each, in `make soak` 4,500, 100,000 in all."""
