"""`kubectl qwen`: one module a verb.

Why it exists: what the operator knows is also wanted before there is a cluster, and without rights in one. It must
never need a cluster for a verb that only works things out.

    __main__  the command line          checkpoint  a model's facts, from a folder or a hub
    fit       will a model fit          picture     what a terminal shows of it
"""
