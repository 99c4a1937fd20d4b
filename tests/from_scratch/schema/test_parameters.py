from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from from_scratch.article import VARIANTS as ARTICLE
from from_scratch.models import MODELS, Model
from from_scratch.schema.parameters import check
from kedro_ledger.errors import InputError

ROOT = Path(__file__).parents[3]
COMMITTED: dict[str, Any] = yaml.safe_load((ROOT / "conf" / "base" / "parameters.yml").read_text())
WIDE = {"model": "deep", "seed": 1, "learning_rate": 1, "epochs": 1, "hidden": [64, 32]}


def changed(path: str, value: Any) -> dict[str, Any]:
    parameters = deepcopy(COMMITTED)
    block = parameters
    *parents, last = path.split(".")
    for name in parents:
        block = block.setdefault(name, {})
    block[last] = value
    return parameters


def test_committed_parameters_are_right() -> None:
    variants = list(check(COMMITTED).variants)
    assert variants == [*ARTICLE, "logistic", "deep_he", "deep_practice"]


def test_a_variant_that_is_null_is_left_out() -> None:
    parameters = changed("variants.linear", None) | {"stability": {}}
    assert next(iter(check(parameters).variants)) == "sigmoid"


def test_your_own_model_need_not_support_cross_entropy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MODELS, "mine", Model(MODELS["linear"].initialise, MODELS["linear"].predict))
    mine = {"model": "mine", "seed": 1, "learning_rate": 1, "epochs": 1}
    assert "mine" in check(changed("variants.mine", mine)).variants
    with pytest.raises(InputError, match="since model mine does not end in a sigmoid"):
        check(changed("variants.mine", mine | {"loss": "cross_entropy"}))


@pytest.mark.parametrize(
    ("parameter", "value"),
    [("constants", "unit"), ("initialisation", "he"), ("weight_decay", 0.1), ("dropout", 0.2)],
)
def test_options_for_standard_models_are_refused_for_others(
    parameter: str, value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    net = MODELS["deep"]
    monkeypatch.setitem(MODELS, "mine", Model(net.initialise, net.predict, min_hidden=1, max_hidden=None))
    mine = {"model": "mine", "seed": 1, "learning_rate": 1, "epochs": 1, "hidden": [3]}
    with pytest.raises(
        InputError, match=rf"variants.mine.{parameter} is {value}; .* since model mine is not marked"
    ):
        check(changed("variants.mine", mine | {parameter: value}))


def test_a_null_variant_that_is_named_is_reported_as_null() -> None:
    with pytest.raises(InputError, match=r"inference\.variant is 'deep', which is null; expected one of"):
        check(changed("variants.deep", None))


def test_without_any_variant_nothing_runs() -> None:
    with pytest.raises(InputError, match="parameter variants has no variant; expected at least one variant"):
        check(changed("variants", dict.fromkeys(COMMITTED["variants"])))


def test_variants_need_constants_if_no_column_is_categorical() -> None:
    assert check(COMMITTED).without_constants == []
    numbers = check(changed("features.categorical", []))
    assert numbers.without_constants == [*ARTICLE, "deep_he"]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("variants.deep.learning_rate", 2),
        ("variants.deep.hidden", [3]),
        ("variants.wide", WIDE),
        ("variants.linear.loss", "squared_error"),
        ("variants.sigmoid.loss", "cross_entropy"),
        ("variants.deep.dropout", 0.5),
        ("variants.deep.batch_size", 10_000),
        ("variants.deep.weight_decay", 0.1),
        ("variants.deep.batch_size", 2**63 - 1),
        ("threads", 4),
        ("precision", "float64"),
        ("stability.variants", ["deep", "linear"]),
        ("stability.reference", "deep"),
        ("stability.reference", None),
        ("stability", {}),
        ("stability", {"seeds": 8}),
    ],
)
def test_right_parameters(path: str, value: Any) -> None:
    check(changed(path, value))


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        (
            "variants.deep.learning_rat",
            2,
            "variants.deep.learning_rat is unknown; did you mean variants.deep.learning_rate?",
        ),
        (
            "variants.dep.learning_rate",
            2,
            "variants has 'dep', which has no model; did you mean variants.deep?",
        ),
        ("deep.learning_rate", 2, "deep is unknown; expected one of features, split, threads, "),
        ("split.sed", 2, "split.sed is unknown; did you mean split.seed?"),
        ("thread", 2, "thread is unknown; did you mean threads?"),
        ("features.categoricals", [], "features.categoricals is unknown; did you mean features.categorical?"),
        (
            "runs.xyz",
            1,
            "runs.xyz is unknown; expected one of keep, metrics, data, headline, reproducible, "
            "allow_mixed, raw_data, changing, drift",
        ),
        (
            "runs.raw_data",
            "pined",
            "runs.raw_data is 'pined'; expected one of any, pinned; did you",
        ),
        (
            "runs.drift",
            {"allowed": {"data.x": -1}},
            "runs.drift.allowed.data.x is -1; expected a number of at",
        ),
        (
            "runs.drift",
            {"allowed": {"data.x": "ten"}},
            "allowed.data.x is 'ten'; expected a number of at least",
        ),
        (
            "runs.drift",
            {"allowed": {"data.x": True}},
            "runs.drift.allowed.data.x is True; expected a number of",
        ),
        (
            "runs.drift",
            {"allowed": {"metrc.x": 1}},
            "runs.drift.allowed has 'metrc.x'; expected names that beg",
        ),
        (
            "runs.drift",
            {"allowed": {"metrics": 1}},
            "runs.drift.allowed has 'metrics'; expected names that beg",
        ),
        ("runs.drift", {"allowd": {}}, "runs.drift.allowd is unknown; did you mean runs.drift.allowed?"),
        ("runs.drift", None, "runs.drift is None; expected a block of parameters"),
        (
            "variants.deep.learning_rate",
            "fast",
            "variants.deep.learning_rate is 'fast'; expected a valid number",
        ),
        (
            "variants.deep.learning_rate",
            0,
            "variants.deep.learning_rate is 0; expected a number greater than 0",
        ),
        (
            "variants.deep.learning_rate",
            -0.5,
            "variants.deep.learning_rate is -0.5; expected a number greater than 0",
        ),
        (
            "variants.deep.learning_rate",
            float("nan"),
            "variants.deep.learning_rate is nan; expected a finite number",
        ),
        (
            "variants.deep.learning_rate",
            True,
            "variants.deep.learning_rate is True; expected a valid number",
        ),
        (
            "variants.deep.epochs",
            0,
            "variants.deep.epochs is 0; expected a number greater than or equal to 1",
        ),
        ("variants.deep.epochs", 2.5, "variants.deep.epochs is 2.5; expected a valid integer"),
        ("variants.deep.seed", -1, "variants.deep.seed is -1; expected a number greater than or equal to 0"),
        ("variants.deep.hidden", 10, "variants.deep.hidden is 10; expected a valid list"),
        (
            "variants.deep.hidden",
            [10, 0],
            "variants.deep.hidden.1 is 0; expected a number greater than or equal to 1",
        ),
        (
            "variants.deep.hidden",
            [],
            "variants.deep.hidden is []; expected the size of each hidden layer for model deep",
        ),
        ("variants.linear.hidden", [3], "variants.linear.hidden is [3]; expected [] for model linear"),
        (
            "variants.neural_net.hidden",
            [3, 3],
            "variants.neural_net.hidden is [3, 3]; expected the size of one hidden layer for model",
        ),
        (
            "variants.deep.model",
            "dep",
            "variants.deep.model is 'dep'; expected one of linear, sigmoid, matmul, neural_net, deep; did",
        ),
        ("split.validation_fraction", 0, "split.validation_fraction is 0; expected a number greater than 0"),
        ("split.validation_fraction", 1, "split.validation_fraction is 1; expected a number less than 1"),
        ("threads", 0, "threads is 0; expected a number greater than or equal to 1"),
        ("precision", "float16", "precision is 'float16'; expected one of float32, float64"),
        (
            "variants.data_processing",
            WIDE,
            "variants.data_processing is not a name for a variant; expected letters",
        ),
        ("variants.__default__", WIDE, "variants.__default__ is not a name for a variant"),
        ("variants.inference", WIDE, "variants.inference is not a name for a variant"),
        ("variants.stability", WIDE, "variants.stability is not a name for a variant"),
        ("variants.reporting", WIDE, "variants.reporting is not a name for a variant"),
        ("variants.wide.x", WIDE, "variants.wide.model is missing"),
        ("variants", {}, "variants has no variant; expected at least one"),
        ("variants", [WIDE], "variants is [{'model': 'deep', "),
        (
            "variants.wide",
            {"modl": "deep"},
            "variants.wide.modl is unknown; did you mean variants.wide.model?",
        ),
        ("variants.linear", 3, "variants.linear is 3; expected a block of parameters"),
        ("variants", 3, "variants is 3; expected a block of parameters"),
        ("variants.feature", WIDE, "variants.feature is not a name for a variant"),
        ("variants.observed", WIDE, "variants.observed is not a name for a variant"),
        (
            "features.continuous",
            ["Age", "Survived"],
            "features: column Survived appears twice; expected each",
        ),
        ("features.log", ["Fare", "Fare"], "features: column Fare appears twice; expected each column once"),
        ("features.ignore", ["Sex"], "features: column Sex appears twice; expected each column once"),
        ("features.identifier", "Age", "features: column Age appears twice; expected each column once"),
        ("features.identifier", "", "features.identifier is ''; expected a string with at least 1 character"),
        ("features.target", "Survived", "features.target is 'Survived'; expected a block of parameters"),
        (
            "features.target.positive",
            [1],
            "features.target.positive is [1]; expected text, a number, true or f",
        ),
        (
            "features.continuous",
            [3],
            "features.continuous.0 is 3; expected a column name, or a block",
        ),
        ("features.continuous", "Age", "features.continuous is 'Age'; expected a valid list"),
        ("features.continuous", [{"colum": "Age"}], "features.continuous.0.colum is unknown; did you mean"),
        (
            "features.continuous",
            [{"column": "Age", "fill": "modus"}],
            "features.continuous.0.fill is 'modus'; expected one of mode, median, mean; did you mean mode?",
        ),
        (
            "features.continuous",
            [{"column": "Age", "fill": "mean", "required": True}],
            "features.continuous.0: fill and required exclude each other; expected at most one of them",
        ),
        (
            "features.continuous",
            [{"column": "Age", "constant": "old"}],
            "features.continuous.0: constant is 'old'; expected a number",
        ),
        (
            "features.log",
            [{"column": "Fare", "constant": -1}],
            "features.log.0: constant is -1; expected a number of at least 0",
        ),
        (
            "features.log",
            [{"column": "Fare", "minimum": -1}],
            "features.log.0.minimum is -1; expected a number greater than or equal to 0",
        ),
        (
            "features.categorical",
            {"Sex": "auto"},
            "features.categorical is {'Sex': 'auto'}; expected a valid",
        ),
        (
            "features.categorical",
            [{"column": "Sex", "categories": ["male", "male"]}],
            "features.categorical.0.categories has male twice; expected each category once",
        ),
        (
            "features.categorical",
            [{"column": "Pclass", "categories": [1, "1"]}],
            "features.categorical.0.categories has 1 twice; expected each category once",
        ),
        (
            "features.categorical",
            [{"column": "Sex", "categories": []}],
            "features.categorical.0.categories is []; expected auto, or a list of categories in order",
        ),
        (
            "features.categorical",
            [{"column": "Sex", "categories": [None]}],
            "features.categorical.0.categories is None; expected text, a number, true or false",
        ),
        (
            "features.categorical",
            [{"column": "Sex", "fill": "mean"}],
            "features.categorical.0: fill is mean; expected mode, or a constant, since categories have no",
        ),
        (
            "features.categorical",
            [{"column": "Sex", "categories": ["male"], "constant": "other"}],
            "features.categorical.0: constant is 'other'; expected one of male",
        ),
        (
            "features.continuous",
            ["Age", "LogFare"],
            "features: two features would be named LogFare; expected each",
        ),
        (
            "features.normalisation",
            "max",
            "features.normalisation is 'max'; expected one of maximum, deviation",
        ),
        ("features.fit_on", "valid", "features.fit_on is 'valid'; expected one of all, train"),
        ("inference.variant", "dep", "inference.variant is 'dep'; expected one of linear, sigmoid, matmul, "),
        ("inference.unseen_categories", "ignore", "is 'ignore'; expected one of error, none_of_them"),
        ("stability.variants", "deep", "stability.variants is 'deep'; expected all, or a list of variants"),
        ("stability.variants", 3, "stability.variants is 3; expected all, or a list of variants"),
        ("stability.variants", [3], "stability.variants is [3]; expected all, or a list of variants"),
        ("stability.variants", [], "stability.variants is []; expected all, or a list of variants, at least"),
        (
            "stability.variants",
            ["deep", "deep"],
            "is ['deep', 'deep']; expected all, or a list of variants, at",
        ),
        (
            "stability.variants",
            ["dep"],
            "stability.variants has 'dep'; expected one of linear, sigmoid, matmul, ",
        ),
        ("stability.variants", ["deep", "lineal"], "deep_he, deep_practice; did you mean linear?"),
        (
            "variants.linear.loss",
            "cross_entropy",
            "expected absolute_error or squared_error, since model linear does",
        ),
        ("variants.deep.loss", "hinge", "expected one of absolute_error, squared_error, cross_entropy"),
        ("variants.deep.initialisation", "xavier", "expected one of article, he"),
        ("variants.deep.optimiser", "sgd", "expected one of gradient_descent, momentum, adam"),
        ("variants.deep.constants", True, "expected one of article, unit"),
        ("variants.deep.batch_size", 0, "variants.deep.batch_size"),
        ("variants.deep.weight_decay", 0.25, "expected a product below 1 with learning_rate 4.0"),
        ("variants.deep.batch_size", 2**63, "variants.deep.batch_size"),
        ("variants.deep.weight_decay", -0.1, "variants.deep.weight_decay"),
        ("variants.deep.dropout", 1.0, "variants.deep.dropout"),
        ("variants.sigmoid.dropout", 0.5, "expected 0, since model sigmoid has no hidden layer"),
        (
            "stability.reference",
            "dep",
            "stability.reference is 'dep'; expected one of linear, sigmoid, matmul, ",
        ),
        ("stability.reference", 3, "stability.reference is 3; expected a valid string"),
        ("stability.seeds", 1, "stability.seeds is 1; expected a number greater than or equal to 2"),
        ("stability.seeds", 10**9, "stability.seeds is 1000000000; expected a number less than or equal to"),
        ("stability.splits", 1, "stability.splits is 1; expected a number greater than or equal to 2"),
        ("stability.splits", 2.5, "stability.splits is 2.5; expected a valid integer"),
        ("stability.sedes", 3, "stability.sedes is unknown; did you mean stability.seeds?"),
        ("stability", 3, "stability is 3; expected a block of parameters"),
        ("stability", WIDE, "stability.model is unknown; expected one of variants, seeds, splits, reference"),
        ("threads", 10**12, "threads is 1000000000000; expected a number less than or equal to 1024"),
        ("variants.my-net", WIDE, "variants.my-net is not a name for a variant"),
        (
            "variants.wide",
            {"model": "deep", "hidden": [3]},
            "variants.wide.seed is missing",
        ),
    ],
)
def test_wrong_parameters_are_reported_in_one_line(path: str, value: Any, line: str) -> None:
    with pytest.raises(InputError) as error:
        check(changed(path, value))
    assert all(str(fault).startswith("parameter ") for fault in error.value.args)
    assert any(line in str(fault) for fault in error.value.args)


def test_the_largest_seed_is_accepted() -> None:
    check(changed("split.seed", 2**63 - 1))


def test_names_that_are_numbers_are_reported() -> None:
    with pytest.raises(InputError, match=r"parameter variants\.3 is not a name for a variant"):
        check(changed("variants", {3: WIDE}))
    with pytest.raises(InputError, match=r"parameter 3 is .*; expected keys to be strings"):
        check({**COMMITTED, 3: WIDE})  # type: ignore[dict-item]


def test_there_must_be_a_feature() -> None:
    nothing = {"target": {"column": "Survived", "positive": 1}}
    with pytest.raises(
        InputError, match="parameter features: there are no features; expected at least one column"
    ):
        check(COMMITTED | {"features": nothing})


@pytest.mark.parametrize("block", [name for name in COMMITTED if name != "runs"])
def test_a_missing_block_is_reported(block: str) -> None:
    without = {name: value for name, value in COMMITTED.items() if name != block}
    with pytest.raises(InputError, match=f"^parameter {block} is missing$"):
        check(without)


def test_the_block_of_the_ledger_may_be_missing() -> None:
    assert check({name: value for name, value in COMMITTED.items() if name != "runs"}).runs.keep == 20


def test_the_reference_is_studied_too_in_the_order_of_the_configuration() -> None:
    assert check(changed("stability.variants", ["deep", "matmul"])).studied == ["linear", "matmul", "deep"]
    study = {"variants": ["deep"], "reference": None}
    assert check(changed("stability", study)).studied == ["linear", "deep"], "None means the first variant"
    assert check(COMMITTED).studied == list(COMMITTED["variants"])


def test_several_faults_are_reported_at_once() -> None:
    parameters = changed("variants.deep.epochs", 0) | {"threads": "many"}
    with pytest.raises(
        InputError, match=r"parameter threads is 'many'.*\nparameter variants\.deep\.epochs is 0"
    ):
        check(parameters)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@given(
    path=st.sampled_from(
        [f"{a}.{b}" for a in COMMITTED if isinstance(COMMITTED[a], dict) for b in COMMITTED[a]]
        + [f"variants.deep.{name}" for name in COMMITTED["variants"]["deep"]]
    ),
    value=json_values,
)
def test_any_value_is_accepted_or_reported_in_one_line(path: str, value: Any) -> None:
    try:
        check(changed(path, value))
    except InputError as error:
        assert str(error).startswith("parameter ")  # noqa: PT017
