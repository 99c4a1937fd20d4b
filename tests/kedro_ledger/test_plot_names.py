from __future__ import annotations

from kedro_ledger.plot_names import escape_names


def test_names_are_escaped_and_templates_are_not() -> None:
    link = '<a href="http://evil.example/">&amp;</a>'
    escaped = '&lt;a href="http://evil.example/"&gt;&amp;amp;&lt;/a&gt;'
    plot = {
        "data": [
            {"x": [1, None], "y": [link], "meta": link, "hovertemplate": "%{meta}<br>%{x}<extra></extra>"}
        ],
        "layout": {"height": 100, "xaxis": {"title": {"text": "two<br>lines"}, "visible": False}},
    }
    assert escape_names(plot) == {
        "data": [{**plot["data"][0], "y": [escaped], "meta": escaped}],  # type: ignore[index]
        "layout": plot["layout"],
    }


def test_labels_are_cut_in_the_middle_before_they_are_escaped() -> None:
    name = f"<{'x' * 60}_yes>"
    shown = escape_names({"layout": {"yaxis": {"ticktext": [name, "short"]}}, "data": [{"name": name}]})
    label, short = shown["layout"]["yaxis"]["ticktext"]
    assert (label, short) == ("&lt;xxxxxxxxxxxxxxxxx…xxxx_yes&gt;", "short")
    assert shown["data"][0]["name"] == f"&lt;{'x' * 25}…{'x' * 8}_yes&gt;"


def test_texts_on_hover_are_whole_and_broken_into_lines() -> None:
    name = "".join(str(i % 10) for i in range(200))
    shown = escape_names({"customdata": [name], "meta": name * 10})
    assert shown["customdata"] == [f"{name[:80]}<br>{name[80:160]}<br>{name[160:]}"]
    assert shown["meta"].count("<br>") == 10
    assert shown["meta"].endswith("<br>…")
