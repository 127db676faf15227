"""Builds the images of the Dockerfile with docker where it works, else with buildah, and pushes them to a registry.

    wheel ► content ► tag ► (base) ► build what is missing ► push

Names and command lines are pure (`recipe.py`, `docker.py`, `buildah.py`); `build.py` carries them out. Nothing of this
machine may stay in a layer: index addresses, certificates and caches are lent to a build and taken back.
"""
