"""A sample that stands in for Kaggle's passenger list where that can't be had.

Who travelled in which class, was a man or a woman, a child or an adult, and survived, is drawn from the
published counts of the Titanic's 1,316 passengers (British Board of Trade, 1912; R. J. M. Dawson, "The
'Unusual Episode' Data Revisited", Journal of Statistics Education 3(3), 1995). Everything else is invented,
names most of all.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

ROWS = 891
MISSING = {"Age": 177, "Cabin": 687, "Embarked": 2}
SEED = 1912

# (class, sex, age group): died, survived
COUNTS = {
    (1, "male", "child"): (0, 5),
    (1, "male", "adult"): (118, 57),
    (1, "female", "child"): (0, 1),
    (1, "female", "adult"): (4, 140),
    (2, "male", "child"): (0, 11),
    (2, "male", "adult"): (154, 14),
    (2, "female", "child"): (0, 13),
    (2, "female", "adult"): (13, 80),
    (3, "male", "child"): (35, 13),
    (3, "male", "adult"): (387, 75),
    (3, "female", "child"): (17, 14),
    (3, "female", "adult"): (89, 76),
}

MEDIAN_FARES = {1: 60.0, 2: 14.0, 3: 8.0}  # pounds
PORTS = ["C", "Q", "S"]
PORT_SHARES = {1: [0.40, 0.01, 0.59], 2: [0.09, 0.02, 0.89], 3: [0.14, 0.15, 0.71]}

SURNAMES = (
    "Abelard Birtwell Calloway Dunmore Eastlake Farrow Granby Holloway Ingles Jessop Kettering Langford "
    "Merriman Northcote Oakes Pemberton Quill Ravenhill Sorley Thackeray Underhay Verrall Wexford Yarrow"
).split()
FIRST_NAMES = {
    "male": "Albert Benedict Cyril Duncan Edgar Frank Gilbert Horace Isaac Jasper Leopold Magnus".split(),
    "female": "Agnes Beatrix Clara Dora Edith Flora Greta Harriet Iris Josephine Lavinia Mabel".split(),
}


def draw_passengers() -> pd.DataFrame:
    """Draw the sample, always the same one.

    Returns:
        891 passengers with the twelve columns of Kaggle's train.csv, and as many missing values.
    """
    random = np.random.RandomState(SEED)  # NumPy promises never to change this generator's numbers
    people = [
        (*group, survived)
        for group, counts in COUNTS.items()
        for survived, count in enumerate(counts)
        for _ in range(count)
    ]
    drawn = [people[i] for i in random.permutation(len(people))[:ROWS]]
    rows = [_invent(random, number, *person) for number, person in enumerate(drawn, start=1)]
    passengers = pd.DataFrame(rows)
    for column, count in MISSING.items():
        passengers.loc[random.permutation(ROWS)[:count], column] = None
    return passengers


def _invent(
    random: np.random.RandomState, number: int, pclass: int, sex: str, age_group: str, survived: int
) -> dict[str, object]:
    """Invent what the counts don't say of a passenger."""
    child = age_group == "child"
    age = random.randint(1, 15) if child else min(15 + random.gamma(2.5, 6.5), 74)
    title = {
        "male": "Master" if child else "Mr",
        "female": "Miss" if child or random.rand() < 0.5 else "Mrs",
    }[sex]
    first_name = FIRST_NAMES[sex][random.randint(len(FIRST_NAMES[sex]))]
    siblings_or_spouse = random.binomial(3, 0.4) if child else random.binomial(1, 0.3)
    parents_or_children = random.randint(1, 3) if child else random.binomial(2, 0.1)
    return {
        "PassengerId": number,
        "Survived": survived,
        "Pclass": pclass,
        "Name": f"{SURNAMES[random.randint(len(SURNAMES))]}, {title}. {first_name}",
        "Sex": sex,
        "Age": float(round(age)),
        "SibSp": siblings_or_spouse,
        "Parch": parents_or_children,
        "Ticket": str(random.randint(10_000, 400_000)),
        "Fare": round(MEDIAN_FARES[pclass] * float(np.exp(random.normal(0, 0.4))), 2),
        "Cabin": f"{'ABCDEFG'[random.randint(7)]}{random.randint(1, 130)}",
        "Embarked": PORTS[random.choice(3, p=PORT_SHARES[pclass])],
    }
