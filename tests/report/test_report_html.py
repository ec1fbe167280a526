import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operando.errors import InputError
from operando.report.html import report_html

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x03\xe8\x00\x00\x01\xf4\x08\x06\x00\x00\x00"
VOID = {"meta", "img", "br", "link", "hr", "input"}


class Page(HTMLParser):
    """Tags, their attributes and the text; refuses tags that do not close in order."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.open, self.text = [], [], []
        self.feed(html)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def page(**changes):
    quantity = {"name": "lithiation", "value": 72.8, "unit": "%", "statistical": 0.4, "systematic": 1.9}
    given_values = {
        "title": "Cell B",
        "figures": [("Depth", PNG, "Attenuation along the axis."), ("Time", PNG, "Lithiation over time.")],
        "summary": {
            "study": "cell-b",
            "status": "partial",
            "figures": [
                {**quantity, "expected": 79.5},
                {"name": "indium", "value": None, "unit": "1/cm", "note": "no indium-rich phase was found"},
            ],
            "warnings": ["scan 3 is missing"],
        },
        "settings_text": '[cell]\nname = "cell-b"',
        "versions": {"operando": "0.1.0"},
        "warnings": ["registration failed"],
    }
    return report_html(**{**given_values, **changes})


def test_the_page_needs_nothing_but_itself():
    parsed = Page(page())
    names = {tag for tag, _ in parsed.tags}
    assert not names & {"script", "link", "iframe", "object", "embed"}
    for _, attributes in parsed.tags:
        for key in ("src", "href", "srcset", "action", "data", "poster"):
            assert re.match(r"data:image/png;base64,|#", attributes.get(key) or "#")
    assert not re.search(r"url\(|@import|https?:", page())


def test_what_matters_comes_first():
    text = page()
    order = ["Cell B", "registration failed", "scan 3 is missing", "72.8 ± 0.4", "Attenuation along", "0.1.0", "[cell]"]
    places = [text.index(part) for part in order]
    assert places == sorted(places)


def test_a_result_shows_its_errors_its_expectation_and_how_far_it_is():
    text = " ".join(Page(page()).text)
    for part in ("72.8 ± 0.4 (stat) ± 1.9 (sys) %", "79.5 %", "−3.5 σ", "not determined", "no indium-rich phase"):
        assert part in text


def test_every_picture_has_words_and_every_section_a_heading():
    parsed = Page(page())
    pictures = [attributes for tag, attributes in parsed.tags if tag == "img"]
    assert [picture["alt"] for picture in pictures] == [
        "Depth: Attenuation along the axis.",
        "Time: Lithiation over time.",
    ]
    assert all(picture["width"] == "500" for picture in pictures)
    identifiers = {attributes.get("id") for _, attributes in parsed.tags}
    labels = [attributes["aria-labelledby"] for _, attributes in parsed.tags if "aria-labelledby" in attributes]
    assert labels
    assert set(labels) <= identifiers
    assert [tag for tag, _ in parsed.tags if tag == "h1"] == ["h1"]
    assert ("html", {"lang": "en"}) in parsed.tags


hostile = st.sampled_from(
    ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7*7 }}", "</pre></body>", "&"]
)


@given(hostile, hostile, hostile)
def test_hostile_names_are_shown_and_do_nothing(title, name, settings):
    quantity = {"name": name, "value": 1.0, "unit": name, "note": name}
    html = page(
        title=title,
        figures=[(name, PNG, settings)],
        summary={"figures": [quantity], "warnings": [name]},
        settings_text=settings,
        versions={name: settings},
    )
    parsed = Page(html)
    tame = Page(page(figures=[("a", PNG, "b")], summary={"figures": [{"name": "c", "value": 1.0}], "warnings": ["d"]}))
    assert [tag for tag, _ in parsed.tags] == [tag for tag, _ in tame.tags]
    assert not any(key.startswith("on") for _, attributes in parsed.tags for key in attributes)
    assert title in "".join(parsed.text)


def test_a_bare_study_has_a_page_too():
    text = " ".join(Page(page(figures=[], summary={}, settings_text="", versions={}, warnings=[])).text)
    assert "No quantity was determined" in text
    assert "Read this first" not in text


def test_what_is_no_picture_is_refused_by_name():
    with pytest.raises(InputError, match="figure Depth must be a PNG file"):
        page(figures=[("Depth", b"GIF89a", "")])


def test_the_same_study_gives_the_same_page():
    assert page() == page()
