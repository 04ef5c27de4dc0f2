// What the page calls an agent, and which of the eight colours it has.

const COLOURS = 8;
const OTHERS = { MagenticOneOrchestrator: "Orchestrator", user: "you" };

export class Names {
  constructor(agents) {
    this.agents = new Map(agents.map((agent, index) => [agent.id, { ...agent, colour: index % COLOURS }]));
  }

  name(id) {
    return this.agents.get(id)?.name ?? OTHERS[id] ?? id;
  }

  colour(id) {
    return `agent-${this.agents.get(id)?.colour ?? COLOURS - 1}`;
  }

  initials(id) {
    const words = this.name(id).split(/[-_.\s]+/).filter(Boolean);
    const letters = words.length > 1 ? [words[0][0], words[1][0]] : [...(words[0] ?? "?")].slice(0, 2);
    return letters.join("").toUpperCase();
  }
}
