"""The history of the schema, applied at start by `storage.migrate`.

A migration adds; what the former program needs is taken away one release later at the earliest. One that the former
program cannot work with sets `breaks_older_programs = True`, and these then refuse to start.
"""
