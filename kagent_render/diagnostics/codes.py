"""The registry of diagnostic codes. A code names a defect, is never reused, and is what `explain` prints."""

from __future__ import annotations

from dataclasses import dataclass

from kagent_render.diagnostics.model import Severity


@dataclass(frozen=True, slots=True)
class Code:
    """One kind of defect: `id` (KRnnn), kebab-case `name`, and an explanation with an example."""

    id: str
    name: str
    explanation: str
    severity: Severity = Severity.ERROR


_CODES = (
    # KR0xx files and YAML
    Code(
        "KR001",
        "invalid-yaml",
        "The file is not well-formed YAML, so nothing in it can be read.\n\n"
        "    metadata: {name: a        # the brace is never closed",
    ),
    Code(
        "KR002",
        "duplicate-key",
        "A mapping has the same key twice. YAML parsers keep the last one in "
        "silence, so one of the two values would be lost.\n\n    spec:\n      model: gpt-4o\n      "
        "model: gpt-4o-mini",
    ),
    Code(
        "KR003",
        "yaml-alias",
        "Anchors, aliases and merge keys are not accepted: a few hundred bytes of "
        "them expand to gigabytes (the `billion laughs`), and a reviewer cannot see the value on the line. "
        "Write the value out.\n\n    a: &x 1\n    b: *x",
    ),
    Code(
        "KR004",
        "yaml-tag",
        "Explicit tags such as `!!binary` or `!Ref` have no meaning in a spec.\n\n    model: !!str gpt-4o",
    ),
    Code(
        "KR005",
        "ambiguous-scalar",
        "YAML 1.1 (Kubernetes, PyYAML) and YAML 1.2 read this unquoted scalar "
        "as different values: `no` is a boolean for one and a string for the other. Quote it.\n\n"
        '    text: no          # write: text: "no"',
    ),
    Code(
        "KR006",
        "unreadable-file",
        "The file cannot be read: it is missing, not a regular file, not UTF-8, "
        "or lies outside the folder that was given.",
    ),
    Code(
        "KR007",
        "limit-exceeded",
        "An input limit protects shared renderers such as Argo CD's repo-server: "
        "1 MiB a file, 2,000 files, 10 MiB in all, 64 levels of nesting, 50,000 values a file.",
    ),
    Code(
        "KR008",
        "control-character",
        "The text holds a control, bidirectional or zero-width character. Such "
        "text looks different from what it is; a reviewer would approve something else.",
    ),
    Code(
        "KR009",
        "no-specs",
        "No document of `kagent.dev/v1alpha1` was found in the paths given, so there is "
        "nothing to compile. An empty output would make a GitOps controller delete everything.",
    ),
    Code(
        "KR010",
        "unknown-environment",
        "`--env NAME` selects the folder `environments/NAME` beside the specs, and there is none of that name.\n\n"
        "    agents/specs/…\n    agents/environments/prod/model.yaml      # --env prod",
    ),
    # KR1xx the shape of a spec
    Code(
        "KR100",
        "not-a-spec",
        "The document is not one of ours: apiVersion must be `kagent.dev/v1alpha1` "
        "(kinds Agent, AgentTeam, Tool, ModelConfig) or `render.kagent.dev/v1alpha1` (kind Platform).",
    ),
    Code(
        "KR101",
        "unknown-field",
        "The field does not exist. A misspelt field that is silently ignored is an "
        "outage later, so it is refused.\n\n    spec:\n      sytemMessage: hello",
    ),
    Code(
        "KR102",
        "missing-field",
        "A required field is absent.\n\n    kind: Agent\n    metadata: {name: a}\n    spec: {description: no model}",
    ),
    Code(
        "KR103",
        "wrong-type",
        'The value has another type than the field.\n\n    maxTurns: "10"     # a number is wanted',
    ),
    Code(
        "KR104",
        "invalid-value",
        "The value is of the right type but not an accepted one: not in the list of "
        "values, out of range, or of the wrong form.\n\n    teamType: RoundTable",
    ),
    Code(
        "KR105",
        "invalid-name",
        "A name must be usable for the Kubernetes objects made from it. Agents and "
        "teams name a Service, so: lower-case letters, digits and `-`, starting with a letter, at most 63 "
        "characters (RFC 1035). Other kinds: an RFC 1123 subdomain.",
    ),
    Code(
        "KR106",
        "inline-secret",
        "Something that is or looks like a credential stands in a spec. Specs are "
        "in Git and end up in ConfigMaps: name a Secret instead. The value is never repeated in a message.\n\n"
        "    spec:\n      apiKeySecretRef: {name: openai-api-key, key: api-key}",
    ),
    Code(
        "KR107",
        "unknown-parameter",
        "A Tool narrows the parameters of a built-in operation; it cannot add "
        "one that the operation does not have, nor change its type, nor drop a required one.",
    ),
    Code(
        "KR108",
        "unknown-resource",
        "The Kubernetes resource is not known by that name. Built-in kinds go by "
        "plural, singular, kind or short name; custom ones by `resource.version.group`, as in kubectl.\n\n"
        "    kubernetes: {resources: [pods, applications.v1alpha1.argoproj.io]}",
    ),
    # KR2xx references
    Code(
        "KR201",
        "unknown-reference",
        "The name refers to a document that does not exist. References resolve "
        "in the namespace of the referrer first, then among documents without a namespace.\n\n"
        "    tools: [{name: kubectl-gte}]",
    ),
    Code("KR202", "duplicate-name", "Two documents of one kind have the same name in the same namespace."),
    Code(
        "KR203",
        "reference-cycle",
        "Teams contain each other in a circle, so no order of starting them exists.",
    ),
    Code("KR204", "duplicate-reference", "The same name is listed twice where it may stand once."),
    Code(
        "KR205",
        "workload-name-clash",
        "An Agent and an AgentTeam of one name would write the same Kubernetes objects.",
    ),
    Code(
        "KR206",
        "unmatched-overlay",
        "A document of an environment changes the document of the base that has its kind and name; there is none, or "
        "there are several. A misspelt name would change nothing, unnoticed.\n\n"
        "    # environments/prod/model.yaml\n    kind: ModelConfig\n    metadata: {name: gtp4}",
    ),
    # KR3xx what AutoGen or the runtime cannot do
    Code(
        "KR302",
        "handoff-outside-team",
        "A handoff names an agent that is not a member of the Swarm. AutoGen "
        "accepts it when it loads and fails in the middle of a conversation.",
    ),
    Code(
        "KR303",
        "handoff-without-swarm",
        "Handoffs only work between members of an AgentTeam with `teamType: "
        "Swarm`; no Swarm lists this agent, so the handoffs would never happen.",
        Severity.ERROR,
    ),
    Code(
        "KR304",
        "unreachable-member",
        "No path of handoffs leads from the first member of the Swarm to this member, so it can never speak.",
    ),
    Code(
        "KR305",
        "too-few-members",
        "The team pattern needs more members: a Selector has to choose between at least two.",
    ),
    Code(
        "KR306",
        "endless-team",
        "The team has neither a `terminationCondition` nor `maxTurns`: it would talk, and spend tokens, without end.",
    ),
    Code(
        "KR307",
        "invalid-prompt",
        "The selector prompt is a Python format string with the fields {roles}, "
        "{participants} and {history}. Any other brace makes AutoGen fail in the middle of a conversation: "
        "double it (`{{` and `}}`).",
    ),
    Code(
        "KR308",
        "missing-model",
        "A Selector asks a model who speaks next. Its members use different models, "
        "so say which one: `spec.selector.modelConfigRef`.",
    ),
    Code(
        "KR309",
        "missing-credential",
        "The provider refuses calls without a key, and no `apiKeySecretRef` is given.",
    ),
    Code(
        "KR310",
        "missing-namespace",
        "A RoleBinding must name the namespace of its ServiceAccount, and this "
        "workload has none. Set `metadata.namespace`, pass `--namespace`, or set `spec.namespace` in the "
        "Platform.",
    ),
    Code(
        "KR311",
        "unsupported-member",
        "The team pattern cannot have another team as a member: members of a "
        "Swarm hand over to each other, which only agents can.",
    ),
    Code(
        "KR312",
        "ambiguous-host",
        "A host of two labels over plain http looks like a Service in another "
        "namespace, but is treated as a public host, so the NetworkPolicy will not let the pod reach it in the "
        "cluster. Write `<service>.<namespace>.svc`.",
        Severity.WARNING,
    ),
    Code(
        "KR313",
        "pod-local-sessions",
        "Conversations are kept in the pod (SQLite on an emptyDir). With more "
        "than one replica, a client meets a pod that does not know its session.",
        Severity.WARNING,
    ),
    Code(
        "KR314",
        "unknown-source",
        "`sources` of a TextMention names something that is not a member of the "
        "team, so the condition would never fire for it.",
    ),
    # KR35x tools that call something outside the cluster's API
    Code(
        "KR350",
        "foreign-tool-block",
        "A Tool has one block, named after its `type`. A block of another type would be ignored.\n\n"
        "    type: http\n    kubernetes: {operation: get}",
    ),
    Code(
        "KR351",
        "unknown-placeholder",
        "`{name}` in the url, query or body of an http Tool stands for the argument `name`, which `parameters` has to "
        "declare. For the text itself write `{{name}}`.\n\n"
        "    parameters: {sku: {type: string, description: The article, required: true}}\n"
        '    http: {url: "https://shop.example.com/articles/{sku}"}',
    ),
    Code(
        "KR352",
        "unused-parameter",
        "The model would be asked for an argument that the request does not use.",
    ),
    Code(
        "KR353",
        "invalid-url",
        "A Tool calls one server, written out: an http or https URL without user, password or fragment. Arguments go "
        "into the path and the query, never into scheme, host or port: a model must not choose whom a credential is "
        'sent to.\n\n    url: "https://{region}.example.com/"     # refused',
    ),
    Code(
        "KR354",
        "optional-placeholder",
        "An argument that the model may leave out can only be a whole query value or a whole field of the body, which "
        "is then left out too. In a path, or inside a text, it needs `required: true` or a `default`.",
    ),
    Code(
        "KR355",
        "invalid-header",
        "Header names are letters, digits and `-`, each once; values are one line of ASCII. `Host`, `Content-Length` "
        "and the other headers of the connection are set by the client.",
    ),
    Code(
        "KR356",
        "contradictory-parameter",
        "A default has the parameter's type and is one of its `enum`; an `enum` is for strings; a required parameter "
        'has no default.\n\n    limit: {type: integer, description: How many, default: "ten"}',
    ),
    Code(
        "KR357",
        "invalid-selection",
        "`response.path` is a place in a JSON answer: fields with dots, items with `[0]`, every item with `[*]`, odd "
        'names with `["a b"]`.\n\n    response: {path: "data.items[*].name"}',
    ),
    Code(
        "KR358",
        "blocked-address",
        "The runtime refuses to connect to private addresses unless the Tool says `allowPrivateAddresses: true`, and "
        "to metadata, link-local, multicast and reserved ones always. Services of the cluster need no permission: a "
        "name of one label, or one that ends in `.svc` or `.svc.cluster.local`.",
    ),
    Code(
        "KR359",
        "plaintext-credential",
        "A credential is sent over http:// to a host outside the cluster: everybody on the way can read it.",
        Severity.WARNING,
    ),
    # KR4xx templates
    Code(
        "KR401",
        "template-error",
        "A template failed: a syntax error, an undefined variable, or a result that "
        "is not one well-formed object. The shipped templates never do; report it.",
    ),
    # KR5xx rendered objects
    Code(
        "KR501",
        "duplicate-object",
        "Two rendered objects have the same group, kind, namespace and name; the cluster would keep only the last.",
    ),
    Code("KR502", "object-too-large", "The object is larger than the API server stores: 1 MiB for a ConfigMap."),
    Code(
        "KR503",
        "object-near-limit",
        "The object is over 200 KiB. `kubectl apply` and Argo CD without "
        "server-side apply copy it into an annotation, which is limited to 256 KiB in all.",
        Severity.WARNING,
    ),
    Code("KR504", "dangling-object-reference", "A rendered object refers to another that is not rendered."),
    Code(
        "KR505",
        "object-name-too-long",
        "The name is too long for an object made from it: KEDA refuses a "
        "ScaledObject over 54 characters, because its HPA is called `keda-hpa-<name>`.",
    ),
    # KR6xx output
    Code(
        "KR601",
        "output-conflict",
        "A file that kagent-render did not write stands where it would write one. "
        "It is left alone, and so is everything else.",
    ),
    Code(
        "KR602",
        "unsafe-output-path",
        "The output path leads through a symbolic link or leaves the output folder.",
    ),
    # KR9xx
    Code("KR900", "internal-error", "A bug in kagent-render. Please report it with the text shown."),
)

CODES: dict[str, Code] = {code.id: code for code in _CODES}
BY_NAME: dict[str, Code] = {code.name: code for code in _CODES}
