"""The graph as a drawing: text measured, boxes placed, wires routed, then SVG or a page of HTML."""
