"""The run ledger: a run is a transaction, and any committed one can be rebuilt.

It knows nothing of passengers or models. A Kedro project takes it in with two lines of settings.py:

    HOOKS = (RunHooks(),)
    CONTEXT_CLASS = RunContext

README.md says what is promised.
"""
