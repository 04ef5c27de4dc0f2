// Times for people: relative ones that stay current, and durations.

import { h } from "./dom.js";

const RELATIVE = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "short" });
const FULL = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const STEPS = [[60, "second"], [60, "minute"], [24, "hour"], [7, "day"], [4.35, "week"], [12, "month"], [Infinity, "year"]];

export function relative(iso, now = Date.now()) {
  let amount = (Date.parse(iso) - now) / 1000;
  if (!Number.isFinite(amount)) return "";
  if (amount > -60) return "just now";
  for (const [size, unit] of STEPS) {
    if (Math.abs(amount) < size) return RELATIVE.format(Math.round(amount), unit);
    amount /= size;
  }
  return "";
}

/** A <time> whose text `refreshTimes` keeps current. */
export function relativeTime(iso) {
  return h("time", { datetime: iso, "data-relative": true, title: FULL.format(new Date(iso)) }, relative(iso));
}

export function clockTime(iso) {
  return h("time", { datetime: iso, title: FULL.format(new Date(iso)) }, CLOCK.format(new Date(iso)));
}

export function refreshTimes() {
  for (const element of document.querySelectorAll("time[data-relative]")) {
    element.textContent = relative(element.getAttribute("datetime"));
  }
}

export function duration(fromIso, toIso) {
  const seconds = (Date.parse(toIso) - Date.parse(fromIso)) / 1000;
  if (!Number.isFinite(seconds) || seconds < 0) return null;
  if (seconds < 60) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}
