// What the server says of itself: header, badges, notices, details and example questions.

import { byId, h, icon, ICONS } from "./dom.js";

const KINDS = { Agent: "Agent", AgentTeam: "Team" };
const CLUSTERS = { sample: "sample cluster", kubeconfig: "kubeconfig cluster" };

export function showAgent(agent, names) {
  document.title = agent.name;
  byId("agent-name").textContent = agent.name;
  byId("agent-description").textContent = agent.description ?? "";
  byId("agent-description").title = agent.description ?? "";
  byId("version").textContent = `kagent-runtime ${agent.version}`;
  byId("chips").replaceChildren(...chips(agent));
  const notices = agent.notices ?? [];
  byId("notices").replaceChildren(...notices.map((text) => h("p", {}, icon(ICONS.info), text)));
  byId("notices").hidden = notices.length === 0;
  byId("details-body").replaceChildren(...details(agent, names));
}

function chips(agent) {
  const kind = KINDS[agent.kind] ?? agent.kind;
  const pattern = agent.pattern && agent.pattern !== agent.kind ? ` · ${agent.pattern}` : "";
  const shown = [h("span", { class: "chip" }, kind + pattern)];
  if (agent.modelMode === "replay") shown.push(h("span", { class: "chip demo" }, "replay model – no LLM"));
  if (CLUSTERS[agent.clusterMode]) {
    shown.push(h("span", { class: agent.clusterMode === "sample" ? "chip demo" : "chip" }, CLUSTERS[agent.clusterMode]));
  }
  return shown;
}

function details(agent, names) {
  const facts = [["Name", agent.name], ["Namespace", agent.namespace], ["Kind", agent.kind], ["Pattern", agent.pattern], ["Limits of a run", limits(agent.limits ?? {})]];
  return [
    agent.description ? h("p", { class: "details-text" }, agent.description) : null,
    h("dl", { class: "facts" }, facts.filter(([, value]) => value).map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value)))),
    h("h3", {}, agent.agents.length === 1 ? "Agent" : "Agents"),
    ...agent.agents.map((member) => agentCard(member, names)),
    h("h3", {}, agent.models.length === 1 ? "Model" : "Models"),
    h("ul", { class: "models" }, agent.models.map((model) => h("li", {}, h("strong", {}, model.name), h("span", {}, `${model.model} · ${model.provider}`)))),
  ].filter(Boolean);
}

function limits({ totalTokens, toolCalls, seconds }) {
  return [
    totalTokens ? `${totalTokens.toLocaleString("en")} tokens` : null,
    toolCalls ? `${toolCalls} tool calls` : null,
    seconds ? `${seconds} s` : null,
  ].filter(Boolean).join(", ");
}

function agentCard(member, names) {
  const tools = member.tools.map((tool) => h("li", {}, h("code", {}, tool.name),
    tool.requiresApproval ? h("span", { class: "tool-approval" }, "A person approves every call.") : null, tool.description ? h("span", {}, tool.description) : null));
  return h("section", { class: "agent-card" },
    h("div", { class: "agent-card-head" },
      h("span", { class: `avatar ${names.colour(member.id)}`, "aria-hidden": "true" }, names.initials(member.id)),
      h("div", {}, h("strong", {}, member.name), h("span", { class: "agent-model" }, member.model))),
    member.description ? h("p", {}, member.description) : null,
    tools.length ? h("ul", { class: "tools" }, tools) : h("p", { class: "quiet-text" }, "No tools"));
}

export function showWelcome(agent, onExample) {
  const count = agent.agents.length;
  byId("welcome-title").textContent = `Ask ${agent.name}`;
  byId("welcome-text").textContent = count > 1
    ? `${count} agents answer together: ${agent.agents.map((member) => member.name).join(", ")}.`
    : agent.description ?? "";
  byId("examples").replaceChildren(...examples(agent).map((text) => h("li", {}, h("button", {
    type: "button", class: "example", on: { click: () => onExample(text) },
  }, h("span", {}, text), icon(ICONS.arrow)))));
}

function examples(agent) {
  const tools = agent.agents.flatMap((member) => member.tools.map((tool) => tool.name));
  if (!tools.length) return ["What can you help me with?", "Explain what you are for, in two sentences.", "Where should I start?"];
  if (agent.clusterMode === null) return ["What can you help me with?", "Which tools do you have?"];
  if (agent.clusterMode === "sample") return ["Why is checkout not working?", "Which pods are not healthy, and why?", "What has to be changed, and where?"];
  return ["Which pods are not healthy, and why?", "What changed recently? Look at the events.", "Is every deployment fully available?"];
}
