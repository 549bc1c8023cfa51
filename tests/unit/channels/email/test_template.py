"""Templates: what is a placeholder, where one may stand, what is missing, and mistakes with their place."""

import pytest

from outrider.channels.email.template import Kind, parse_template
from outrider.errors import InvalidInputError


def fill(text: str, kind: Kind = Kind.TEXT, missing: str = "", **attributes: str) -> str:
    return parse_template(text, kind, "text").fill(attributes, missing)


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("no placeholder", "no placeholder"),
        ("", ""),
        ("Dear {first_name},", "Dear Ann,"),
        ("Dear {{ first_name }},", "Dear Ann,"),
        ("Dear { first_name | customer }", "Dear Ann"),
        ("Dear {nick|customer}", "Dear customer"),
        ("Dear {{nick | dear customer}}", "Dear dear customer"),
        ("Dear {empty|customer}", "Dear customer"),
        ("Dear {nick}!", "Dear ?!"),
        (r"a \{brace} and } another", "a {brace} and } another"),
        ("{first_name}{first_name}", "AnnAnn"),
    ],
)
def test_placeholders_are_filled(text: str, filled: str) -> None:
    assert fill(text, missing="?", first_name="Ann", empty="  ") == filled


def test_names_may_have_spaces_and_letters_of_any_language() -> None:
    template = parse_template("{First Name} {größe} {a.b-c}", Kind.TEXT, "text")
    assert template.names() == {"First Name", "größe", "a.b-c"}
    assert template.fill({"First Name": "Ann", "größe": "L", "a.b-c": "x"}) == "Ann L x"


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("one\ntwo {first name", 2, 5),
        ("{}", 1, 1),
        ("a {{ }} b", 1, 3),
        ("{9lives}", 1, 1),
        ("{a{b}}", 1, 1),
        ("{{a}", 1, 1),
        ("tail {", 1, 6),
    ],
)
def test_mistakes_have_their_place(text: str, line: int, column: int) -> None:
    with pytest.raises(InvalidInputError) as caught:
        parse_template(text, Kind.TEXT, "text")
    assert (caught.value.facts["line"], caught.value.facts["column"]) == (line, column)
    assert caught.value.message.startswith(f"text, line {line}, column {column}: ")


def test_a_subject_is_one_line_whatever_the_values_say() -> None:
    with pytest.raises(InvalidInputError, match="single line"):
        parse_template("one\ntwo", Kind.HEADER, "subject")
    assert fill("To {name}", Kind.HEADER, name="Ann\r\nBcc: eve@x.test") == "To Ann Bcc: eve@x.test"


def test_html_values_are_escaped_for_their_place() -> None:
    assert fill("<p>{v}</p>", Kind.HTML, v="<b>&'\"") == "<p>&lt;b&gt;&amp;&#x27;&quot;</p>"
    assert fill('<p title="{v}">', Kind.HTML, v='" x="') == '<p title="&quot; x=&quot;">'
    assert fill('<a href="{v}">', Kind.HTML, v="https://x.test/?a=1&b=2") == (
        '<a href="https://x.test/?a=1&amp;b=2">'
    )
    assert fill('<a href="{v}">', Kind.HTML, v=" JAVA\tscript:alert(1)") == '<a href="#">'
    assert fill('<a href="https://x.test/{v}">', Kind.HTML, v="a b/../&?") == (
        '<a href="https://x.test/a%20b%2F..%2F%26%3F">'
    )


def test_css_and_scripts_keep_their_braces() -> None:
    html = "<STYLE>p { color: red }</STYLE><p>{v}</p><script>x = {a: 1}</script>"
    assert fill(html, Kind.HTML, v="1") == html.replace("{v}", "1")


@pytest.mark.parametrize(
    "html",
    [
        "<p title={v}>",
        "<p {v}>",
        "<{v}>",
        "</{v}>",
        "<p {v}='1'>",
        "<p onclick=\"f('{v}')\">",
        '<p style="color: {v}">',
        "<style>{{ v }}</style>",
        "<script>{{v}}</script>",
        '<iframe srcdoc="{v}">',
        "<!DOCTYPE {v}>",
        "<!--[if mso]><p title={v}><![endif]-->",
    ],
)
def test_html_places_where_no_value_is_safe_are_refused(html: str) -> None:
    with pytest.raises(InvalidInputError, match=r"html, line 1, column \d+: \{v\} stands in"):
        parse_template(html, Kind.HTML, "html")
