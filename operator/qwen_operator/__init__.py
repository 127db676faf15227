"""The operator: keeps a QwenModel's children as asked and says where things stand.

    kopf on.event(qwenmodels) ─┐                          ┌─ Deployment, Service, Pod, PersistentVolumeClaim:
                               ├─► queue.add(ns/name) ◄───┤  one informer a kind
    resync, 10 min ± 20 % ─────┘          │               └─ (no Secrets)
                                          ▼  one worker a key, only after every cache has listed once
       read (caches) ► decide (pure) ► apply (server-side) ► judge (pure) ► report (status, if it differs)

It must never read a Secret, write on a QwenModel outside `/status`, or keep progress anywhere.
"""
