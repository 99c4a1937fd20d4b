from __future__ import annotations

from kedro.framework.hooks import hook_impl
from kedro.io import CachedDataset, MemoryDataset

from kedro_ledger.kedro_internals import create_hook_manager, is_single_process


class Recorder:
    def __init__(self) -> None:
        self.saved: list[str] = []

    @hook_impl
    def after_dataset_saved(self, dataset_name: str) -> None:
        self.saved.append(dataset_name)


def test_a_hook_manager_calls_the_hooks_of_settings_and_of_plugins() -> None:
    recorder = Recorder()
    manager = create_hook_manager((recorder,), ())
    manager.hook.after_dataset_saved(dataset_name="numbers", data=[1], node=None)
    assert recorder.saved == ["numbers"]
    plugins = {dist.project_name for _, dist in manager.list_plugin_distinfo()}
    assert "kedro-viz" in plugins
    disabled = create_hook_manager((recorder,), ("kedro-viz",))
    assert len(disabled.get_plugins()) < len(manager.get_plugins())


def test_datasets_of_one_process_are_found() -> None:
    assert is_single_process(CachedDataset(MemoryDataset()))
    assert not is_single_process(MemoryDataset())
