// Markdown to DOM nodes. `marked` splits the text into tokens; nodes are made from them directly, without HTML strings:
// raw HTML stays visible text, images become links, and links other than http(s) and mailto become text.

import { lexer } from "../vendor/marked.esm.js";
import { copyButton, h } from "./dom.js";

const SCHEMES = new Set(["http:", "https:", "mailto:"]);
const MAX_DEPTH = 40;
const ENTITIES = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: "\u00a0", hellip: "…", ndash: "–", mdash: "—" };

/** The text as a fragment; falls back to plain text if it cannot be read as Markdown. */
export function renderMarkdown(text) {
  const fragment = document.createDocumentFragment();
  try {
    fragment.append(...blocks(lexer(text), 0));
  } catch {
    fragment.replaceChildren(h("p", { class: "plain" }, text));
  }
  return fragment;
}

const BLOCKS = {
  space: () => null,
  paragraph: (token, depth) => h("p", {}, inline(token.tokens, depth)),
  // The page's own headings end at h2: an answer's start below them.
  heading: (token, depth) => h(`h${Math.min(token.depth + 2, 6)}`, {}, inline(token.tokens, depth)),
  blockquote: (token, depth) => h("blockquote", {}, blocks(token.tokens, depth)),
  hr: () => h("hr"),
  code: (token) => codeBlock(token),
  list: (token, depth) => list(token, depth),
  table: (token, depth) => table(token, depth),
  text: (token, depth) => (token.tokens ? inline(token.tokens, depth) : decode(token.text)),
  checkbox: (token) => checkbox(token),
  def: () => null,
};

const INLINES = {
  text: (token, depth) => (token.tokens ? inline(token.tokens, depth) : decode(token.text)),
  escape: (token) => token.text,
  strong: (token, depth) => h("strong", {}, inline(token.tokens, depth)),
  em: (token, depth) => h("em", {}, inline(token.tokens, depth)),
  del: (token, depth) => h("del", {}, inline(token.tokens, depth)),
  codespan: (token) => h("code", {}, token.text),
  br: () => h("br"),
  link: (token, depth) => link(token.href, inline(token.tokens, depth), token.text),
  image: (token) => link(token.href, [token.text || "image"], token.text),
  checkbox: (token) => checkbox(token),
};

function nodes(tokens, depth, makers) {
  if (depth > MAX_DEPTH) return [tokens.map((token) => token.raw).join("")];
  return (tokens ?? []).flatMap((token) => {
    const make = makers[token.type];
    return make ? make(token, depth + 1) : token.raw;
  }).filter((node) => node !== null);
}

const blocks = (tokens, depth) => nodes(tokens, depth, BLOCKS);
const inline = (tokens, depth) => nodes(tokens, depth, INLINES);

/** marked leaves entities to the browser's HTML parser, which has no part in this. */
function decode(text) {
  return text.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]{2,6}));/gi, (whole, decimal, hex, name) => {
    if (name) return Object.hasOwn(ENTITIES, name) ? ENTITIES[name] : whole;
    const point = decimal ? parseInt(decimal, 10) : parseInt(hex, 16);
    return point > 0 && point <= 0x10ffff ? String.fromCodePoint(point) : whole;
  });
}

function checkbox(token) {
  return h("span", { class: "task", role: "img", "aria-label": token.checked ? "done" : "open" }, token.checked ? "☑ " : "☐ ");
}

function list(token, depth) {
  const items = token.items.map((item) => h("li", { class: item.task ? "task-item" : null }, blocks(item.tokens, depth)));
  if (!token.ordered) return h("ul", {}, items);
  return h("ol", { start: token.start === 1 ? null : String(token.start) }, items);
}

function table(token, depth) {
  const cell = (tag) => (part) => {
    const align = part.align ? `align-${part.align}` : null;
    return h(tag, { class: align, scope: tag === "th" ? "col" : null }, inline(part.tokens, depth));
  };
  const head = h("thead", {}, h("tr", {}, token.header.map(cell("th"))));
  const body = h("tbody", {}, token.rows.map((row) => h("tr", {}, row.map(cell("td")))));
  return h("div", { class: "table", tabindex: "0", role: "group", "aria-label": "Table" }, h("table", {}, head, body));
}

function codeBlock(token) {
  const named = (token.lang ?? "").trim().split(/\s/)[0].slice(0, 20);
  const language = named === "text" ? "" : named;
  const bar = h("div", { class: "code-bar" }, h("span", {}, language), copyButton(() => token.text, "code"));
  const code = h("pre", { tabindex: "0", role: "group", "aria-label": language ? `Code, ${language}` : "Code" }, h("code", {}, token.text));
  return h("div", { class: "code" }, bar, code);
}

/** A link that shows where it goes, whatever its text claims. */
function link(href, children, label) {
  let url;
  try {
    url = new URL(href);
  } catch {
    return h("span", {}, children);
  }
  if (!SCHEMES.has(url.protocol)) return h("span", {}, children);
  const anchor = h("a", { href: url.href, rel: "noopener noreferrer nofollow", target: "_blank" }, children);
  const place = url.protocol === "mailto:" ? url.pathname : url.host;
  return (label ?? "").includes(place) ? [anchor] : [anchor, h("span", { class: "link-host" }, ` (${place})`)];
}
