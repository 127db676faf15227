"""Other people's judges over Dockerfile, code, rendered chart and children; each finding is mended or recorded.

What a judge says and nobody has answered fails; so does a recorded answer to something that it no longer says.
"""
