"""The ledger's two lines, and a switch for kedro-mlflow."""

import os

from kedro_ledger.context import RunContext
from kedro_ledger.hooks import RunHooks

HOOKS = (RunHooks(),)
CONTEXT_CLASS = RunContext

if "WITH_MLFLOW" not in os.environ:
    DISABLE_HOOKS_FOR_PLUGINS = ("kedro_mlflow",)
