"""A run ledger for Kedro: each run is a transaction, and any committed run can be rebuilt.

It works in any Kedro project. Two lines of the project's settings.py enable it:

    HOOKS = (RunHooks(),)
    CONTEXT_CLASS = RunContext

README.md describes what the ledger guarantees.
"""
