"""The published OpenAPI file of REST v2, as far as it judges one exchange."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema

Json = dict[str, Any]


class Contract:
    """Finds the operation of an exchange, and what the specification says against it."""

    def __init__(self, path: Path) -> None:
        """Read the file."""
        self._document: Json = json.loads(path.read_text(encoding="utf-8"))

    def operation(self, method: str, path: str) -> tuple[str, Json]:
        """``(template, operation)``; the most literal template wins.

        Raises:
            AssertionError: the specification has none.
        """
        found = [
            template
            for template, item in self._document["paths"].items()
            if method.lower() in item and re.fullmatch(re.sub(r"\{[^}]*\}", "[^/]+", template), path)
        ]
        assert found, f"the specification has no {method} {path}"
        template = min(found, key=lambda one: one.count("{"))
        return template, self._document["paths"][template][method.lower()]

    def request_problems(self, method: str, path: str, query: Json, body: Json | None) -> list[str]:
        """What is wrong with a request."""
        template, operation = self.operation(method, path)
        named = [self._resolved(one) for one in operation.get("parameters", [])]
        known = {one["name"] for one in named if one["in"] == "query"}
        problems = [f"{template}: unknown query parameter {name}" for name in query if name not in known]
        content = operation.get("requestBody")
        if content is None:
            return problems + ([f"{template}: a body is sent, and none is specified"] if body is not None else [])
        if body is None:
            return [*problems, f"{template}: a body is needed"]
        return problems + self._against(content["content"]["application/json"]["schema"], body)

    def answer_problems(self, method: str, path: str, status: int, content_type: str, body: bytes) -> list[str]:
        """What is wrong with an answer."""
        template, operation = self.operation(method, path)
        responses = operation["responses"]
        response = self._resolved(responses.get(str(status)) or responses["default"])
        content = response.get("content")
        if content is None:
            return [f"{template}: {status} has a body, and none is specified"] if body else []
        if content_type not in content:
            return [f"{template}: {status} is {content_type}, specified is {', '.join(content)}"]
        return self._against(content[content_type]["schema"], json.loads(body))

    def undocumented_headers(self, method: str, path: str, status: int, headers: set[str]) -> set[str]:
        """Of the rate-limit headers in ``headers``, those that the answer is not specified to carry."""
        responses = self.operation(method, path)[1]["responses"]
        response = self._resolved(responses.get(str(status)) or responses["default"])
        limits = {"RateLimit", "RateLimit-Policy", "Retry-After"}
        return (headers & limits) - set(response.get("headers", {}))

    def _resolved(self, node: Json) -> Json:
        while "$ref" in node:
            target: Any = self._document
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            node = target
        return node

    def _against(self, schema: Json, value: Any) -> list[str]:
        whole = {**schema, "components": self._document["components"]}
        checker = jsonschema.Draft202012Validator(whole, format_checker=jsonschema.FormatChecker())
        return [f"{error.json_path}: {error.message[:200]}" for error in checker.iter_errors(value)]
