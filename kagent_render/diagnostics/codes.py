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
    Code(
        "KR011",
        "invalid-setting",
        "`--set` changes one field of one spec, after the overlays of the environment. It names the spec and the path "
        "of the field; the value is read as YAML reads a plain scalar, and an empty one removes the field.\n\n"
        "    kagent-render build specs --set Agent/helper:spec.workload.replicas=2",
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
        "one that the operation does not have, nor change its type, nor drop a required one. Nor are there fixed "
        "`arguments` of an MCP tool that it does not take.",
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
        "An Agent, an AgentTeam, or a Tool whose server has a Deployment would write the same Kubernetes objects as "
        "another of its name; or two tools of one pod would have sidecars of one name.",
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
        "The prompt is a Python format string: a selector's has the fields {roles}, "
        "{participants} and {history}, the final answer's of a MagenticOne has {task}. "
        "Any other brace makes AutoGen fail in the middle of a conversation: "
        "double it (`{{` and `}}`).",
    ),
    Code(
        "KR308",
        "missing-model",
        "A Selector asks a model who speaks next, a MagenticOne what to do next. The members use different models, "
        "so say which one: `spec.selector.modelConfigRef` or `spec.magenticOne.modelConfigRef`.",
    ),
    Code(
        "KR309",
        "missing-credential",
        "The provider refuses calls without a key, and no `apiKeySecretRef` is given.",
    ),
    Code(
        "KR310",
        "missing-namespace",
        "A RoleBinding must name the namespace of its ServiceAccount, and who uses the server of a tool from a known "
        "namespace must know that of the server; this one has none. Set `metadata.namespace`, pass `--namespace`, or "
        "set `spec.namespace` in the Platform.",
    ),
    Code(
        "KR311",
        "unsupported-member",
        "The team pattern cannot have this member. Swarm, GraphFlow and MagenticOne have agents only, no teams; and "
        "no agent of a team is called `user`, which is the person.",
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
        "Conversations are kept in the pod (SQLite on an emptyDir). With more than one replica, a client meets a pod "
        "that does not know its session. Several pods can share a database.\n\n"
        "    persistence: {database: {urlSecretRef: {name: agents-db, key: url}, host: db-rw.data.svc}}",
        Severity.WARNING,
    ),
    Code(
        "KR314",
        "unknown-source",
        "A termination condition names something that is not a member of the team, so it would never fire for it.",
    ),
    # KR33x teams: conditions that never fire, graphs that never run
    Code(
        "KR330",
        "unknown-function",
        "A FunctionCall condition waits for a function that no member has, so it would never fire. Functions are the "
        "tools of the members and their handoffs (`transfer_to_<agent>`), by the name the model sees.\n\n"
        "    terminationCondition: {type: FunctionCall, functionName: transfer_to_nobody}",
    ),
    Code(
        "KR331",
        "handoff-never-made",
        "A Handoff condition waits for a handoff that no agent of the team can make, so it would never fire. Agents "
        "of a Swarm hand over to those they list in `handoffs`; `user` is the person.",
    ),
    Code(
        "KR332",
        "stop-message-never-sent",
        "A StopMessage condition waits for a nested team to come to its end, and no member of this team is a team.",
    ),
    Code(
        "KR333",
        "block-of-another-pattern",
        "`selector`, `graph` and `magenticOne` each belong to one `teamType`; AutoGen would ignore the block in "
        "silence.\n\n    teamType: RoundRobin\n    selector: {prompt: …}",
    ),
    Code(
        "KR334",
        "unanswered-question",
        "An agent of a Swarm hands over to `user`, and nothing stops the team to wait for the answer: AutoGen would "
        "fail, because the user is not a member. The condition must be able to stop the team alone.\n\n"
        "    terminationCondition: {type: Handoff, target: user}",
    ),
    Code(
        "KR335",
        "unknown-node",
        "The graph of a GraphFlow names something that is not a member of the team.",
    ),
    Code(
        "KR336",
        "no-start",
        "A GraphFlow starts at one member: the only one that no edge leads to, or the one named by `graph.start`. "
        "AutoGen would run all members without incoming edges at once, in no fixed order, or fail when there is none.",
    ),
    Code(
        "KR337",
        "unstartable-node",
        "A member of a GraphFlow can never speak: no path leads to it, or it waits (`join: all`) for a member that "
        "comes after it, as in a loop. AutoGen ends the run without it, and without a word.\n\n"
        "    edges:\n    - {from: writer, to: reviewer}\n    - {from: reviewer, to: writer, when: REVISE, join: any}",
    ),
    Code(
        "KR338",
        "endless-cycle",
        "A GraphFlow goes round for ever: a cycle has no edge with `when`, or no path out of it. AutoGen refuses it "
        "when the first message arrives.",
    ),
    Code(
        "KR339",
        "conflicting-edges",
        "AutoGen takes the edges of a GraphFlow only if those from one member all have a `when` or none has, if those "
        "to one member (of one `group`) have the same `join`, and if none is listed twice.",
    ),
    Code(
        "KR320",
        "unsupported-parameter",
        "The provider does not take the field, so it would be ignored or refused at the first call.",
    ),
    Code(
        "KR321",
        "ambiguous-endpoint",
        "A ModelConfig says in one way where its model is: `baseUrl`, `inferenceServiceRef` (KServe) or "
        "`inferencePoolRef` (llm-d). An LLMInferenceService is reached through its gateway, and only it.",
    ),
    Code(
        "KR322",
        "invalid-trust",
        "A TLS connection trusts one CA bundle, public CAs, or both; and somebody at all. It needs an https:// URL.",
    ),
    Code(
        "KR323",
        "reserved-header",
        "The header is set by the HTTP client for each request; a fixed value would break it.",
    ),
    Code(
        "KR324",
        "ambiguous-variable",
        "Two ModelConfigs of one workload would give their keys or headers to one environment variable: names that "
        "differ in `-` and `.` only, or the same name in two namespaces.",
    ),
    Code(
        "KR340",
        "unreadable-source",
        "The file of `systemMessageFrom`, or of `python` in a Tool, cannot be used: it must be a regular .md or .txt "
        "file, or a .py file, in UTF-8, not empty, of at most 256 KiB. Its path is relative to the file that names "
        "it.\n\n"
        "    systemMessageFrom: {file: prompts/troubleshooter.md}",
    ),
    Code(
        "KR341",
        "file-outside-folder",
        "The file of `systemMessageFrom`, or of `python` in a Tool, symbolic links followed, lies outside the folders "
        "that are compiled. Whoever may change a spec must not be able to read other files of the machine that "
        "renders it.\n\n"
        "    systemMessageFrom: {file: ../../../etc/passwd}",
    ),
    Code(
        "KR342",
        "two-prompts",
        "The agent has both `systemMessage` and `systemMessageFrom`; it is not clear which one is meant. An "
        "environment that replaces one by the other sets the first one to null.",
    ),
    Code(
        "KR343",
        "limit-without-effect",
        "`totalTokens`, `seconds` and `toolCalls` bound one run of a workload. The agent or team runs only as a member "
        "of a team, so it starts no run: set them in that team.",
        Severity.WARNING,
    ),
    # KR35x tools that call something outside the cluster's API
    Code(
        "KR344",
        "one-vector-memory",
        "An agent looks texts up by meaning in one `Vector` memory: the texts nearest to the last message are those "
        "nearest of all.\n\n"
        "    memory: [{type: Vector, modelConfigRef: {name: embedder}, contents: […]}]",
    ),
    Code(
        "KR345",
        "no-embeddings",
        "The texts of a `Vector` memory are compared by vectors, which an embedding model makes over the protocol of "
        "OpenAI (`/embeddings`). Anthropic serves none.",
    ),
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
    Code(
        "KR361",
        "field-without-effect",
        "The field belongs to another transport or placement of MCP servers, or to another operation, and would be "
        "passed over in silence: `url`, `headers` and `tls` are for servers over HTTP, `command`, `args` and `env` for "
        "`transport: stdio`; a `server` that is deployed says itself what runs, and where it answers; `branches`, "
        "`paths` and `mayApprove` are for what writes to GitHub.\n\n"
        "    mcp: {transport: stdio, command: my-server, url: http://server.tools.svc/mcp, tools: [search]}",
    ),
    Code(
        "KR363",
        "ambiguous-tool-name",
        "Two tools of one agent would be offered to its model under one name: those of an MCP server keep the names "
        "that the server gives them. Model providers refuse such a list.",
    ),
    Code(
        "KR364",
        "ambiguous-agent",
        "A Tool of type agent names an agent or team of these specs, or gives the URL of one outside them; not both.",
    ),
    Code(
        "KR365",
        "unexpected-parameters",
        "The arguments of the tool are not yours to declare: an agent is asked in words, and an MCP server declares "
        "those of its tools itself.",
    ),
    Code(
        "KR366",
        "unreachable-agent",
        "The agent runs inside a team only, so it has no Service that anybody could call. Ask the team, or let the "
        "agent run on its own too: `standalone: true`.",
    ),
    Code(
        "KR367",
        "question-cycle",
        "Agents ask each other in a circle: one question could go round for ever. Take one of the tools away.",
    ),
    Code(
        "KR368",
        "unlisted-module",
        "A python tool names code, so the Platform keeps the list of modules that tools may name.\n\n"
        "    kind: Platform\n    spec: {python: {modules: [acme.capacity]}}",
    ),
    Code(
        "KR369",
        "change-without-approval",
        "The tool changes the cluster, and the agent may call it without anybody who looks at it first. Leave the "
        "approval to a person, who is shown a dry run, or say why none is needed.\n\n"
        "    tools: [{name: kubectl-scale, requireApproval: false, reason: replicas are bounded by a quota}]",
        Severity.WARNING,
    ),
    Code(
        "KR372",
        "invalid-tools-lock",
        "tools.lock is one mapping of Tools to what their MCP servers say of the tools listed; `kagent-render lock` "
        "writes it.\n\n    tools:\n      team/orders:\n      - name: find_order\n        description: Finds an order.\n"
        "        inputSchema: {type: object, properties: {id: {type: string}}}",
    ),
    Code(
        "KR373",
        "unlocked-tool",
        "There is a tools.lock, but it does not have a tool that an MCP server is to give to agents, so a model could "
        "be told what nobody has read. Run `kagent-render lock`, and read what it wrote.",
    ),
    Code(
        "KR374",
        "unusable-tool-schema",
        "The arguments of a locked tool have a schema that no model provider takes: they are not an object, a name has "
        "other characters than `A-Z a-z 0-9 _ . -` or more than 64, or it is not JSON Schema.\n\n"
        "    - name: find_order\n      inputSchema: {type: string}",
    ),
    Code(
        "KR375",
        "unused-locked-tool",
        "tools.lock has a Tool, or a tool of one, that the specs do not have any more. `kagent-render lock` takes it "
        "out.",
        Severity.WARNING,
    ),
    # KR38x Python files of tools
    Code(
        "KR380",
        "invalid-python",
        "The file of a python Tool is read as a syntax tree, and never run. It has to be Python in UTF-8, as it says "
        "itself, and every file beside it that it imports has to come with it.\n\n"
        "    python: {file: functions/capacity.py, function: forecast, imports: [functions/rates.py]}",
    ),
    Code(
        "KR381",
        "undefined-function",
        "The function is defined by `def` or `async def` at the top level of the file: not inside of something else, "
        "not imported, and not bound to something else later.",
    ),
    Code(
        "KR382",
        "unfit-signature",
        "A model gives arguments by name, and each is a single value: str, int, float, bool, or one of the texts of a "
        "Literal. What `parameters` declare has to be what the function takes; without `parameters` they are taken "
        "from the signature, and the model needs a description of each.\n\n"
        "    def forecast(cluster: str, size: Literal['s', 'm'] = 's') -> str:\n"
        '        """Forecast the nodes of a cluster.\n\n'
        "        Args:\n"
        "            cluster: Its name.\n"
        "            size: Of its nodes.\n"
        '        """',
    ),
    Code(
        "KR383",
        "hidden-module",
        "A file is imported by its name, after all that is installed: one that is called like a module of Python, of "
        "the runtime or of another tool would never be read, or would be read in place of the other.",
    ),
    Code(
        "KR384",
        "open-interpreter",
        "A command that `exec` may run is a shell, an interpreter or a program that runs others, and the model fills "
        "in some of its arguments: then it may run anything in the container. Write every argument out, or name the "
        "program that is meant.\n\n"
        '    commands: [["sh", "-c", "*"]]     # write: [["df", "-h"], ["cat", "/etc/nginx/*"]]',
        Severity.WARNING,
    ),
    Code(
        "KR387",
        "asked-without-a2a",
        "Agents ask each other over A2A, and the `interfaces` of the Platform leave it out: nobody would answer. List "
        "it, or leave `interfaces` away, which serves all.\n\n"
        "    kind: Platform\n    spec: {interfaces: [openai, a2a]}",
    ),
    # KR4xx templates
    Code(
        "KR401",
        "template-error",
        "A template failed: a syntax error, an undefined variable, or a result that "
        "is not one well-formed object. The shipped templates never do; report it.",
    ),
    Code(
        "KR402",
        "template-changes-identity",
        "A template of yours (`--templates`) changes what other objects find this one by: apiVersion, kind, name, "
        "namespace, or a selector. Labels, annotations and all the rest are yours to change.",
    ),
    Code(
        "KR403",
        "unknown-template",
        "A file in the folder of `--templates` has no shipped template of that name to stand in for, so it would "
        "be ignored in silence. `kagent-render templates` lists them.",
    ),
    Code(
        "KR404",
        "template-changes-shape",
        "A template of yours gives a list, a mapping or a text where Kubernetes wants another of the three, or "
        "leaves out a part that the object does not work without.",
    ),
    Code(
        "KR405",
        "template-against-schema",
        "A template of yours gives an object that the API server would refuse, by the schema of its kind, that of "
        "Kubernetes (`--kube-version`) or the CRD's, or by a rule that the schema cannot say.",
    ),
    Code(
        "KR406",
        "object-against-rules",
        "A rendered object is one that the API server would refuse, by the schema of its kind or by a rule that the "
        "schema cannot say: what a spec asks for does not go together, or it is a defect of ours; then report it.",
    ),
    Code(
        "KR407",
        "kind-not-served",
        "The Kubernetes version of `--kube-version` does not serve the API of a rendered object: it has been removed "
        "there, or is not there yet.",
    ),
    Code(
        "KR408",
        "kind-without-schema",
        "There is no schema for the kind of a rendered object, so nobody has checked that a cluster would take it.",
    ),
    Code(
        "KR409",
        "pod-not-restricted",
        "A rendered pod breaks the level `restricted` of the Pod Security Standards of the chosen Kubernetes version: "
        "a namespace that enforces it refuses the pod, while the Deployment looks well. No shipped template does.",
        Severity.WARNING,
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
        "ScaledObject over 54 characters, because its HPA is called `keda-hpa-<name>`; Knative calls the first "
        "Revision `<name>-00001`, which leaves 57.",
    ),
    # KR52x, KR53x what KEDA and Knative refuse
    Code(
        "KR520",
        "replica-bounds",
        "KEDA wants idleReplicas < minReplicas ≤ maxReplicas, and idleReplicas can only be 0.\n\n"
        "    scaling: {minReplicas: 6, maxReplicas: 5, triggers: [...]}",
    ),
    Code(
        "KR521",
        "no-way-from-zero",
        "CPU and memory are measured in pods. With minReplicas 0 and no other trigger nothing would ever start the "
        "first one, and KEDA refuses the ScaledObject.\n\n"
        "    scaling: {minReplicas: 0, triggers: [{type: cpu, utilization: 80}]}",
    ),
    Code(
        "KR522",
        "missing-request",
        "CPU and memory triggers count in percent of the container's request, so it must have one.\n\n"
        "    workload: {resources: {requests: {memory: 256Mi}}}    # and a trigger of type cpu",
    ),
    Code(
        "KR523",
        "useless-fallback",
        "A fallback is for when the source of a trigger does not answer. KEDA does not read CPU and memory itself, "
        "and refuses a fallback with nothing else.",
    ),
    Code(
        "KR524",
        "duplicate-trigger",
        "Trigger names must be unique in a ScaledObject, and a workload has one route for its requests, hence one "
        "trigger of type http.",
    ),
    Code(
        "KR525",
        "empty-cron-window",
        "KEDA refuses a cron trigger that starts and ends at the same time.\n\n"
        '    {type: cron, timezone: Europe/Berlin, start: "0 8 * * *", end: "0 8 * * *", desiredReplicas: 1}',
    ),
    Code(
        "KR526",
        "unroutable-http-trigger",
        "KEDA's HTTP add-on counts the requests of a workload by their Host header, so the workload needs hosts of "
        "its own, a namespace, and a metric: concurrency or requestRate.",
    ),
    Code(
        "KR527",
        "duplicate-host",
        "Two workloads have the same host, such as two agents of one name in different namespaces behind one ingress; "
        "all requests would go to one of them.",
    ),
    Code(
        "KR528",
        "two-autoscalers",
        "Knative scales its Services itself, and a ScaledObject must never target one. Use `knative`, or run the "
        "workload as a Deployment.\n\n    workload: {type: Knative, scaling: {triggers: [...]}}",
    ),
    Code(
        "KR529",
        "unused-knative",
        "The workload is a Deployment, so what `knative` says has no effect.\n\n    workload: {knative: {maxScale: 3}}",
    ),
    Code(
        "KR530",
        "knative-refuses",
        "Knative accepts only a part of a pod: one port, no placement, no sidecars of tools, no claims, read-only "
        "volumes, no variables of its own names. Its webhook would refuse the Service.\n\n"
        "    workload: {type: Knative, nodeSelector: {disk: ssd}}",
    ),
    Code(
        "KR531",
        "scale-bounds",
        "Knative wants minScale ≤ maxScale.\n\n    knative: {minScale: 6, maxScale: 5}",
    ),
    Code(
        "KR532",
        "state-lost-at-zero",
        "Conversations are kept in the pod (SQLite on an emptyDir). When the last pod is removed, they are gone. "
        "A database or a volume keeps them.\n\n"
        "    persistence: {volume: {size: 1Gi}}",
        Severity.WARNING,
    ),
    Code(
        "KR550",
        "invalid-certificate",
        "cert-manager would refuse the Certificate: valid for less than an hour, renewed less than five minutes "
        "before its end or before it begins, a key of a size that its algorithm does not have, or an issuer of a "
        "kind that there is not.",
    ),
    Code(
        "KR551",
        "unverifiable-backend",
        "The workloads serve TLS with certificates of your own issuer, and are reached through a Gateway, which "
        "cannot verify them without the issuer's CA. Name the ConfigMap that holds it in `tls.caConfigMap` "
        "(trust-manager keeps one in every namespace).",
    ),
    Code(
        "KR552",
        "gateway-without-certificate",
        "With `tls.mutual`, a Gateway is let in only with a client certificate, which HTTPRoute and "
        "BackendTLSPolicy cannot give it: set it in the Gateway itself (`spec.tls.backend`).",
        Severity.WARNING,
    ),
    Code(
        "KR553",
        "host-too-long",
        "The host `<name>.<domain>` is longer than the 253 characters that a host name may have.",
    ),
    Code(
        "KR554",
        "plain-proxy",
        "The workload would serve TLS, and what stands before it speaks plain HTTP: Knative, whose queue-proxy sits in "
        "the pod, or the HTTP interceptor of KEDA. With mutual TLS, the sidecar of Dapr has no certificate to show. "
        "No request would arrive.",
    ),
    Code(
        "KR560",
        "reserved-name",
        "The variable, volume or path is one that kagent-render sets itself: variables that start with `KAGENT_`, "
        "`POD_NAMESPACE`, and what lies below /etc/kagent, /etc/kagent-tls, /var/lib/kagent, /tmp or "
        "/var/run/secrets.",
    ),
    Code(
        "KR561",
        "ambiguous-source",
        "A variable or volume has exactly one source.\n\n    env:\n      - {name: A, value: a}\n      "
        "- {name: B, secretRef: {name: s, key: b}}",
    ),
    Code(
        "KR562",
        "invalid-image-lock",
        "images.lock is one mapping of image names to digests; `kagent-render images --lock` writes it.\n\n"
        "    images:\n      ghcr.io/team/agent:1.0: sha256:…",
    ),
    Code(
        "KR563",
        "unlocked-image",
        "There is an images.lock, but it has no digest for an image that is rendered, so what runs could change "
        "without a commit. Run `kagent-render images --lock` again.",
    ),
    # KR57x where conversations are kept
    Code(
        "KR570",
        "one-place-for-state",
        "Conversations are kept in a database or on a volume, not in both, and `persistence` has to say which.\n\n"
        "    persistence: {volume: {size: 1Gi}}",
    ),
    Code(
        "KR571",
        "volume-for-one-pod",
        "A volume with a SQLite file is for one pod: a second one could not mount it on another node, and must not "
        "write the same file. Several replicas need a database; Knative gives pods no volume to keep.\n\n"
        "    persistence: {volume: {size: 1Gi}}\n    workload: {replicas: 2}",
    ),
    Code(
        "KR572",
        "unreachable-database",
        "The URL of the database is in a Secret, so that the NetworkPolicy cannot know where it leads: the pods "
        "would not reach it.\n\n"
        "    persistence: {database: {urlSecretRef: {name: agents-db, key: url}}}",
        Severity.WARNING,
    ),
    # KR58x what a run may cost, and where tasks come from
    Code(
        "KR580",
        "cost-without-prices",
        "A limit of cost needs the prices of every model that the workload calls, those of selectors and "
        "orchestrators included.\n\n    limits: {cost: 0.5}   # and in each ModelConfig:\n"
        "    pricing: {inputPerMillionTokens: 2.5, outputPerMillionTokens: 10}",
    ),
    Code(
        "KR581",
        "mixed-currencies",
        "The prices of the models of one workload are in one currency, else their sum means nothing.\n\n"
        "    pricing: {inputPerMillionTokens: 2.5, outputPerMillionTokens: 10, currency: EUR}",
    ),
    Code(
        "KR585",
        "queue-without-memory",
        "A queue delivers a task more than once when a pod dies. That it is done once is known from the database of "
        "`persistence`, which also holds the results, and the tasks of a postgresql queue themselves.\n\n"
        "    queue: {type: postgresql}\n"
        "    persistence: {database: {urlSecretRef: {name: agents-db, key: url}, host: db.example.com}}",
    ),
    Code(
        "KR586",
        "no-queue-to-count",
        "A trigger of type `queue` counts the tasks in the workload's own `queue`.\n\n"
        "    queue: {type: redis-streams, address: redis.data.svc:6379}\n"
        "    scaling: {triggers: [{type: queue, tasksPerReplica: 5}]}",
    ),
    Code(
        "KR587",
        "tasks-nobody-takes",
        "With no pod running, only a trigger that counts the queue starts one for its tasks.\n\n"
        "    scaling: {minReplicas: 0, triggers: [{type: queue}]}",
    ),
    Code(
        "KR588",
        "queue-on-knative",
        "Knative starts and stops pods for requests; one that only works on tasks would be stopped in the middle, "
        "and never started.",
    ),
    Code(
        "KR589",
        "nameless-schema",
        "KEDA counts the tasks of a postgresql queue with a query, which names the workload's schema, and that has "
        "the namespace in its name. The compiler has to know it.\n\n    metadata: {name: triage, namespace: agents}",
    ),
    # KR54x observability and Dapr
    Code(
        "KR540",
        "scrape-timeout-too-long",
        "The Prometheus Operator drops a monitor whose scrapeTimeout is longer than its interval, in silence.\n\n"
        "    observability: {metrics: {interval: 10s, scrapeTimeout: 30s}}",
    ),
    Code(
        "KR541",
        "unlabelled-monitor",
        "A Prometheus takes the monitors that its podMonitorSelector or serviceMonitorSelector matches; "
        "kube-prometheus-stack wants `release: <name of the release>`. One without labels is only found when the "
        "selector is empty.",
        Severity.WARNING,
    ),
    Code(
        "KR542",
        "app-id-too-long",
        "Dapr's injector names a Service `<app id>-dapr`, and a Service's name has 63 characters at most.",
    ),
    Code(
        "KR543",
        "sidecar-outlives-pod",
        "The sidecar would still wait for its shutdown when the kubelet kills the pod: gracefulShutdownSeconds must "
        "not be longer than terminationGracePeriodSeconds.",
    ),
    Code(
        "KR544",
        "sidecar-port-clash",
        "A sidecar would listen on a port that the pod uses already: the agent's (8080, 8081), Dapr's own (3500, "
        "50001, 50002), that of another sidecar, or for Dapr's metrics with Knative one that its queue-proxy reserves "
        "(9090, 9091).",
    ),
    Code(
        "KR545",
        "inline-component-secret",
        "A Component's metadata field that holds a credential stands in the spec, and so in Git.\n\n"
        "    metadata: [{name: redisPassword, secretKeyRef: {name: redis, key: password}}]",
    ),
    Code(
        "KR546",
        "signal-path-in-endpoint",
        "`endpoint` is the collector's base URL; the exporter adds the path of the signal, `/v1/traces`, itself.",
    ),
    Code(
        "KR547",
        "grpc-port",
        "Traces are sent as OTLP over HTTP. Port 4317 is by convention that of OTLP over gRPC, where "
        "every export fails.",
        Severity.WARNING,
    ),
    Code(
        "KR590",
        "unauthenticated-route",
        "The workloads are reached from outside the cluster, and nobody has to say who they are: whoever finds the "
        "address spends your model's budget, has the tools called, and reads every conversation.\n\n"
        "    authentication: {type: Bearer, bearer: {tokensSecretRef: {name: agent-tokens, key: tokens}}}\n\n"
        "If the Gateway itself authenticates callers, that is enough; then every caller shares all sessions.",
        Severity.WARNING,
    ),
    Code(
        "KR591",
        "mismatched-authentication",
        "`authentication.type` says how callers are known, and the block of that name holds the details: `bearer` for "
        "Bearer, `oidc` for OIDC, which may have `bearer` too, for agents and programs. None has neither.",
    ),
    Code(
        "KR592",
        "agent-without-token",
        "Agents that ask each other are callers too, and an issuer gives tokens to people. Name a Secret with static "
        "tokens beside it; agents show the one named `agents`.\n\n"
        "    authentication: {type: OIDC, oidc: {…}, bearer: {tokensSecretRef: {name: agent-tokens, key: tokens}}}",
    ),
    Code(
        "KR593",
        "events-without-token",
        "With `authentication`, Dapr's sidecar delivers events only when it can show the token that it shares with the "
        "agent: a Secret that `dapr.appTokenSecret` names.",
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
    # KR7xx import
    Code(
        "KR701",
        "not-importable",
        "A resource of kagent's, or an operation of an OpenAPI document, cannot become a spec: something that it does "
        "has no counterpart here, or something that it needs is not among the files given. The field says which.",
    ),
    Code(
        "KR702",
        "not-carried-over",
        "The resource or operation was imported, but for this field; or it was, and there is something that only "
        "you can do.",
        Severity.WARNING,
    ),
    Code(
        "KR703",
        "unknown-kagent-field",
        "The field is not one of kagent's own API either. kagent drops such fields in silence, so the resource "
        "never did what it says.",
    ),
    Code(
        "KR704",
        "not-openapi",
        "The file is not an OpenAPI document of version 3.0 or 3.1, a `$ref` in it leads nowhere or into another "
        "document, or it does not have what was asked for.",
    ),
    # KR9xx
    Code("KR900", "internal-error", "A bug in kagent-render. Please report it with the text shown."),
)

CODES: dict[str, Code] = {code.id: code for code in _CODES}
BY_NAME: dict[str, Code] = {code.name: code for code in _CODES}
