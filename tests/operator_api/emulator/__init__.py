"""An API server in this process, for what a real one won't do on demand: lose events, refuse, break off, forget, die.

What it does as the real one does:

- resource versions, uids, generations; create, get, list with pages and selectors of labels and fields, watch with
  history, bookmarks, 410 and objects that leave a selector; delete with preconditions, finalizers, and what was owned;
- server-side apply with an owner for each leaf, forced and not, keyed lists, fields that are given up; PUT and JSON
  merge patches, which take fields over; status as a subresource; dryRun;
- the schema of our definition: pruning, defaults (that of `status` too), validation, CEL, transitions;
- RBAC and ValidatingAdmissionPolicies, as roles, bindings and policies that are stored here say; tokens;
- discovery as far as kopf asks; port-forwards and logs of pods.

With `Controllers`, claims are bound, Deployments roll, Jobs run and pods start, on the loop's clock. `Wire` carries the
real client's bytes without a socket, so that time can be simulated; `Faults` says what goes wrong.

What it does not do: validate built-in kinds but for fields that never change, or default them but for what a policy of
ours asks about; strategic and JSON patches; versions of a definition, conversion, webhooks, quotas, a scheduler that
runs out of room, back-off of pods, priority and fairness; `managedFields` in objects.

It is kept honest by one suite on two back ends: `schema` and `rights` ask it and a real kube-apiserver the same, word
by word, and so do all tests with the fixture `server`. Never correct a test that fails on the emulator alone.
"""
