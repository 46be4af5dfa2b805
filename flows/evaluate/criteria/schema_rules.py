"""What jsonschema leaves to its users: ECMA-262 patterns, wrappers of schemas, and schemas without effect.

Two of its rules are replaced: `multipleOf`, which is exact here for decimals (19.99 is a multiple of 0.01), and
`uniqueItems`, which takes linear time.
"""

import json
from collections.abc import Iterator, Mapping
from fractions import Fraction
from functools import cache
from typing import Any

from flows.evaluate.criteria import ecma_pattern, time_limit
from flows.evaluate.criteria.schema_formats import FORMATS

_TYPES = {"array", "boolean", "null", "number", "object", "string"}
_LIMITS = (
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "pattern"),
    *("minItems", "maxItems", "uniqueItems", "contains", "minProperties", "maxProperties", "required"),
    *("dependentRequired", "dependencies", "oneOf", "$ref", "$dynamicRef", "$recursiveRef"),
)
_NO_EFFECT: tuple[Any, ...] = ([], {}, 0, False)
_ONE_SCHEMA = ("additionalProperties", "unevaluatedProperties", "propertyNames", "items", "additionalItems")
_LISTS = ("prefixItems", "allOf", "items")
_BY_NAME = ("properties", "patternProperties", "dependentSchemas")


def unwrapped(schema: Any) -> Any:
    """The schema in the wrappers of APIs: OpenAI's `{name, strict, schema}`, `{type: json_schema, json_schema: {...}}`
    and functions, the tools of others, and `responseSchema`.
    """
    found = schema
    while isinstance(found, dict) and not _LIMITS_AND_MORE.intersection(found):
        inner = next((found[key] for key in _WRAPPERS if isinstance(found.get(key), dict)), None)
        if inner is None:
            break
        found = inner
    is_one = isinstance(found, dict) and (found.get("type") in (*_TYPES, "integer") or _LIMITS_AND_MORE & found.keys())
    return found if is_one else schema


_WRAPPERS = (
    *("response_format", "json_schema", "text", "format", "function", "generationConfig", "generation_config"),
    *("schema", "parameters", "input_schema", "inputSchema", "responseSchema", "response_schema"),
    *("responseJsonSchema", "response_json_schema"),
)
# `type` is not among them: a wrapper has it as well.
_LIMITS_AND_MORE = {*_LIMITS, *_ONE_SCHEMA, *_LISTS, *_BY_NAME, "anyOf", "enum", "const", "not", "if"}


def constrains(schema: Any) -> bool:
    """Whether some JSON value may be invalid under a schema. References count as a constraint."""
    if not isinstance(schema, Mapping):
        return schema is False
    types = schema.get("type", [])
    if types and not _TYPES.issubset([types] if isinstance(types, str) else types):
        return True
    if any(key in schema and schema[key] not in _NO_EFFECT for key in _LIMITS):
        return True
    if (
        "enum" in schema
        or "const" in schema
        or (isinstance(schema.get("not"), Mapping | bool) and schema["not"] is not False)
    ):
        return True
    if schema.get("format") in FORMATS:
        return True
    parts = [schema[key] for key in (*_ONE_SCHEMA, *(("then", "else") if "if" in schema else ())) if key in schema]
    parts += [part for key in _LISTS if isinstance(schema.get(key), list) for part in schema[key]]
    parts += [part for key in _BY_NAME if isinstance(schema.get(key), Mapping) for part in schema[key].values()]
    any_of = schema.get("anyOf")
    return any(map(constrains, parts)) or (isinstance(any_of, list) and bool(any_of) and all(map(constrains, any_of)))


@cache
def pattern_checker() -> Any:
    """The check of patterns while a schema is read; jsonschema's own knows Python's syntax only."""
    from jsonschema import FormatChecker  # noqa: PLC0415 - imported late: only some criteria need it

    checker = FormatChecker(formats=())

    @checker.checks("regex", raises=ValueError)
    def is_pattern(text: object) -> bool:
        if isinstance(text, str):
            _translated(text)  # raises ValueError if it is none
        return True

    return checker


def validator_for(schema: Mapping[str, Any]) -> Any:
    """jsonschema's validator of the schema's draft, with ECMA-262 patterns under a time limit."""
    from jsonschema import validators  # noqa: PLC0415 - imported late: only some criteria need it

    return _with_patterns(validators.validator_for(schema))


@cache
def _with_patterns(validator: Any) -> Any:
    from jsonschema import validators  # noqa: PLC0415 - imported late: only some criteria need it

    usual = validator.VALIDATORS["additionalProperties"]

    def additional(validator: Any, rule: Any, value: Any, schema: Mapping[str, Any]) -> Iterator[Any]:
        patterns = schema.get("patternProperties", {})
        if patterns and validator.is_type(value, "object"):
            value = {key: item for key, item in value.items() if not any(_matches(one, key) for one in patterns)}
            schema = {key: item for key, item in schema.items() if key != "patternProperties"}
        yield from usual(validator, rule, value, schema) or ()

    return validators.extend(  # type: ignore[no-untyped-call]  # jsonschema does not type it
        validator,
        {
            "pattern": _pattern,
            "patternProperties": _pattern_properties,
            "additionalProperties": additional,
            "multipleOf": _multiple_of,
            "uniqueItems": _unique_items,
        },
    )


def _multiple_of(validator: Any, divisor: Any, value: Any, schema: Mapping[str, Any]) -> Iterator[Any]:
    from jsonschema import ValidationError  # noqa: PLC0415 - as above

    if validator.is_type(value, "number") and (Fraction(str(value)) / Fraction(str(divisor))).denominator != 1:
        yield ValidationError(f"{value!r} is not a multiple of {divisor!r}")


def _unique_items(validator: Any, is_wanted: Any, value: Any, schema: Mapping[str, Any]) -> Iterator[Any]:
    from jsonschema import ValidationError  # noqa: PLC0415 - as above

    if not is_wanted or not validator.is_type(value, "array"):
        return
    if len({json.dumps(_plain(item), sort_keys=True) for item in value}) < len(value):
        yield ValidationError(f"{value!r} has non-unique elements")


def _plain(value: Any) -> Any:
    """A value in which numbers that are equal are the same: 1.0 is 1; true is not."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _pattern(validator: Any, pattern: str, value: Any, schema: Mapping[str, Any]) -> Iterator[Any]:
    from jsonschema import ValidationError  # noqa: PLC0415 - as above

    if validator.is_type(value, "string") and not _matches(pattern, value):
        yield ValidationError(f"{value!r} does not match {pattern!r}")


def _pattern_properties(
    validator: Any, rules: Mapping[str, Any], value: Any, schema: Mapping[str, Any]
) -> Iterator[Any]:
    if validator.is_type(value, "object"):
        for pattern, rule in rules.items():
            for key, item in value.items():
                if _matches(pattern, key):
                    yield from validator.descend(item, rule, path=key, schema_path=pattern)


def _matches(pattern: str, text: str) -> bool:
    return time_limit.search(_translated(pattern), text) is not None


@cache
def _translated(pattern: str) -> str:
    return ecma_pattern.translated(pattern)
