"""An API server in this process, for what a real one won't do on demand: lose events, refuse, break off, forget.

What it does as the real one does: resource versions, uids, generations; create, get, list with pages and label
selectors, watch with history, bookmarks and 410; server-side apply with one owner set for each manager, forced, with
keyed lists merged and dropped fields removed; uid and version preconditions; the status subresource; deletion of owned
objects after their owner; discovery as far as kopf asks.

What it does not do: validate or prune by schema, default fields (but for a Service's clusterIP), check rights (tests
forbid single verbs by `Faults`), admission, conflicts of unforced applies, strategic and JSON patches, field selectors,
label changes that move an object out of a watch's selector, finalizers, or any controller: no pod ever starts here.
What passes here is therefore also run against a real API server, where its binary is.
"""
