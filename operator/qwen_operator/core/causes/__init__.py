"""What Kubernetes' own components and the server say, as reasons of ours: one module a speaker.

Each reads one kind of text and returns a problem. The texts it knows are tied to recorded messages under
`tests/golden/pods`; one that it does not know is quoted under the speaker's general reason, never guessed at.
"""
