"""Entry point that makes `python -m from_scratch` the same as `kedro run`."""

import sys
from pathlib import Path
from typing import Any

from kedro.framework.cli.utils import find_run_command
from kedro.framework.project import configure_project

from kedro_ledger import errors
from kedro_ledger.printable import prepare_output


def main(*args: Any, **kwargs: Any) -> Any:
    """Run the pipelines, with the options of `kedro run`."""
    sys.excepthook = errors.show
    prepare_output()
    package_name = Path(__file__).parent.name
    configure_project(package_name)
    return find_run_command(package_name)(*args, **kwargs)


if __name__ == "__main__":
    main()
