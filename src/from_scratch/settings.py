"""The project's Kedro settings: https://docs.kedro.org/en/stable/configure/configuration_basics/."""

import warnings

from from_scratch.hooks import ProjectHooks
from kedro_ledger.context import RunContext
from kedro_ledger.hooks import RunHooks

# Users can do nothing about the first two warnings. The third deprecates `--pipeline`, which most users know.
warnings.filterwarnings("ignore", message=r"register_new_resolver\(\) is deprecated")
warnings.filterwarnings("ignore", message="One or more dataset names contain '.' characters")
warnings.filterwarnings("ignore", message="Option '--pipeline' is deprecated")

HOOKS = (RunHooks(), ProjectHooks())
CONTEXT_CLASS = RunContext
CONFIG_LOADER_ARGS = {
    "base_env": "base",
    "default_run_env": "local",
    "merge_strategy": {"parameters": "soft"},  # an environment may change one parameter of a block
}
