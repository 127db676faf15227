"""`kubectl qwen`: one module a verb.

Why it exists: what the operator knows is also wanted before there is a cluster, without rights in one, and at night in
front of one. It must never need a cluster for a verb that only works things out.

    __main__  the command line          access      the one door to a cluster, with the user's own rights
    fit       will a model fit          checkpoint  a model's facts, from a folder or a hub
    status    how models do             overview    many in a table; detail: one in full
    why       the chain of causes       chain       its links; remedies: what to type; tree: the picture
    keys      of a model: its API keys  keyring     a Secret's entries; key_secret: read and written
    config    of a client               configurations  those of docs/clients.md
    proxy     a model on localhost      tunnel      a port that leads to whichever replica is there
    chat      talk to it                conversation  the client
    bundle    a support archive         scrubbing   what is left out
    render    what would be created     completion  the program that kubectl asks
"""
