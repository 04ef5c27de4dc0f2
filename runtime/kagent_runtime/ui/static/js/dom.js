// Makes DOM nodes. Text only ever becomes text nodes, so what a model or a tool writes cannot become markup.

const SVG = "http://www.w3.org/2000/svg";

/** An element with attributes and children; `on` holds listeners, false and null leave an attribute out. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "on") for (const [type, listener] of Object.entries(value)) element.addEventListener(type, listener);
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** A stroked 16x16 icon that assistive technology skips. */
export function icon(path) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  const shape = document.createElementNS(SVG, "path");
  shape.setAttribute("d", path);
  svg.append(shape);
  return svg;
}

export const ICONS = {
  pencil: "m3 13 .7-2.9L10.6 3.2l2.2 2.2-6.9 6.9zM9.3 4.5l2.2 2.2",
  bin: "M3 4.5h10M6.5 4.5V3h3v1.5M4.5 4.5 5 13h6l.5-8.5M6.8 7v3.8M9.2 7v3.8",
  arrow: "M2.5 8h11M9.5 4l4 4-4 4",
  check: "m3 8.5 3.2 3.2L13 4.8",
  cross: "m4 4 8 8M12 4l-8 8",
  copy: "M5.5 5.5V3h7.5v7.5h-2.5M3 5.5h7.5V13H3z",
  chevron: "m6 4 4 4-4 4",
  stop: "M4.5 4.5h7v7h-7z",
  info: "M8 14.2A6.2 6.2 0 1 0 8 1.8a6.2 6.2 0 0 0 0 12.4zM8 7.4v3.8M8 4.9v.2",
};

export const byId = (id) => document.getElementById(id);

/** Copies text; on plain http the clipboard API is missing, and only the old command is left. */
export async function copy(text) {
  if (navigator.clipboard && window.isSecureContext) return navigator.clipboard.writeText(text);
  const area = h("textarea", { class: "hidden", "aria-hidden": "true" });
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

/** A button that copies what `text` returns and says so for a moment. */
export function copyButton(text, what) {
  const label = h("span", {}, "Copy");
  const button = h("button", { type: "button", class: "copy", "aria-label": `Copy ${what}` }, icon(ICONS.copy), label);
  button.addEventListener("click", async () => {
    await copy(text());
    label.textContent = "Copied";
    setTimeout(() => { label.textContent = "Copy"; }, 1600);
  });
  return button;
}
