"""The main job, from nothing to an answer, as a person would do it by hand; every step can be run again.

    preflight ► cluster ► images ► weights ► claim ► chart ► model ► port-forward ► official client outside, inside

`up.py` and `down.py` list the steps, `board.py` shows them; everything else is one step's work. Nothing here may be
needed on a user's own cluster: it only drives kubectl, helm and the image builder.
"""
