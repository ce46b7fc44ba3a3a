"""GetMetricData: queries against the metric store, with paging and order.

Owns the rounding of times, retention by age, expressions and page tokens.
"""

from __future__ import annotations

import ast
import re
import time
from typing import Any

from .message import AwsError, Time
from .metrics import MetricStore, is_statistic, key_of

MAX_QUERIES = 500
MAX_DATAPOINTS = 100_800
HOUR, DAY = 3600, 86400
ID = re.compile(r"^[a-z][A-Za-z0-9_]*$")
Points = list[tuple[int, float]]


def invalid(message: str, code: str = "InvalidParameterValue") -> AwsError:
    # The service names this one differently in its two generations of protocols.
    names = {
        "InvalidParameterValue": "InvalidParameterValueException",
        "InvalidParameterCombination": "InvalidParameterCombinationException",
        "MissingParameter": "MissingRequiredParameterException",
        "ValidationError": "ValidationException",
    }
    return AwsError(names.get(code, code), message, 400, code)


def get_metric_data(store: MetricStore, params: dict[str, Any]) -> dict[str, Any]:
    queries = params.get("MetricDataQueries") or []
    _check(queries)
    start, end = _times(params)
    series: dict[str, Points] = {}
    labels: dict[str, str] = {}
    for query in queries:
        if "MetricStat" in query:
            labels[query["Id"]] = query["MetricStat"]["Metric"]["MetricName"]
            series[query["Id"]] = _read(store, query["MetricStat"], start, end)
    for query in queries:
        if query.get("Expression"):
            labels[query["Id"]] = query["Id"]
            series[query["Id"]] = evaluate(query["Expression"], series)
    shown = [q for q in queries if q.get("ReturnData", True)]
    newest_first = params.get("ScanBy", "TimestampDescending") != "TimestampAscending"
    return _page(shown, series, labels, newest_first, params)


def _check(queries: list[dict[str, Any]]) -> None:
    if not queries:
        raise invalid("The parameter MetricDataQueries is required.", "MissingParameter")
    if len(queries) > MAX_QUERIES:
        raise invalid(
            "The collection MetricDataQueries must not have a size greater than 500.",
            "ValidationError",
        )
    seen: set[str] = set()
    for query in queries:
        if not ID.match(query["Id"]):
            raise invalid(
                f"The value {query['Id']} for parameter Id does not match the pattern.",
                "ValidationError",
            )
        if query["Id"] in seen:
            raise invalid(
                f"The values for parameter id in MetricDataQueries are not unique: {query['Id']}.",
                "ValidationError",
            )
        seen.add(query["Id"])
        if ("MetricStat" in query) == bool(query.get("Expression")):
            raise invalid(
                "Exactly one of MetricStat and Expression must be given.", "ValidationError"
            )
        if "MetricStat" in query:
            _check_stat(query["MetricStat"])


def _check_stat(stat: dict[str, Any]) -> None:
    period = stat.get("Period") or 0
    if period not in (1, 5, 10, 20, 30) and (period < 60 or period % 60):
        raise invalid(
            f"The parameter Period must be a multiple of 60: {period}.", "ValidationError"
        )
    if not is_statistic(stat["Stat"]):
        raise invalid(
            f"The value {stat['Stat']} for parameter Stat is not supported.", "ValidationError"
        )


def _times(params: dict[str, Any]) -> tuple[int, int]:
    if "StartTime" not in params or "EndTime" not in params:
        raise invalid("The parameters StartTime and EndTime are required.", "MissingParameter")
    start, end = float(params["StartTime"]), float(params["EndTime"])
    if start >= end:
        raise invalid(
            "The parameter StartTime must be less than the parameter EndTime.", "ValidationError"
        )
    age = time.time() - start
    step = 60 if age < 15 * DAY else 300 if age < 63 * DAY else HOUR
    # Data lies on whole minutes, so an exclusive end within a minute includes its start.
    return int(start // step * step), int(-(-end // 1))


def _read(store: MetricStore, stat: dict[str, Any], start: int, end: int) -> Points:
    metric, period = stat["Metric"], int(stat["Period"])
    age = time.time() - start
    kept = 1 if age <= 3 * HOUR else 60 if age <= 15 * DAY else 300 if age <= 63 * DAY else HOUR
    if period % kept:
        return []
    dimensions = {d["Name"]: d["Value"] for d in metric.get("Dimensions") or []}
    key = key_of(metric["Namespace"], metric["MetricName"], dimensions)
    points = []
    for at, datum in store.query(key, start, end, period, stat.get("Unit")):
        value = datum.statistic(stat["Stat"])
        if value is not None:
            points.append((at, value))
    return points


def evaluate(expression: str, series: dict[str, Points]) -> Points:
    """Arithmetic, FILL and SUM over the other queries; anything else is refused."""
    try:
        tree = ast.parse(expression, mode="eval").body
        result = _evaluate(tree, series)
    except (SyntaxError, KeyError, TypeError, ValueError) as problem:
        raise invalid(f"Error in expression: {expression}: {problem}", "ValidationError") from None
    if isinstance(result, dict):
        return sorted(result.items())
    raise invalid(f"Error in expression: {expression}: not a time series", "ValidationError")


def _evaluate(node: ast.expr, series: dict[str, Points]) -> Any:
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
        return float(node.value)
    if isinstance(node, ast.Name):
        return dict(series[node.id])
    if isinstance(node, ast.List):
        return [_evaluate(item, series) for item in node.elts]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return _combine(ast.Mult(), -1.0, _evaluate(node.operand, series))
    if isinstance(node, ast.BinOp):
        return _combine(node.op, _evaluate(node.left, series), _evaluate(node.right, series))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return _function(node.func.id, [_evaluate(a, series) for a in node.args], series)
    raise ValueError("unsupported")


def _combine(operator: ast.operator, left: Any, right: Any) -> Any:
    if not isinstance(left, dict) and not isinstance(right, dict):
        return _calculate(operator, left, right)
    times = (
        set(left) & set(right)
        if isinstance(left, dict) and isinstance(right, dict)
        else (set(left) if isinstance(left, dict) else set(right))
    )
    values = {}
    for at in times:
        value = _calculate(
            operator,
            left[at] if isinstance(left, dict) else left,
            right[at] if isinstance(right, dict) else right,
        )
        if value is not None:
            values[at] = value
    return values


def _calculate(operator: ast.operator, left: float, right: float) -> float | None:
    if isinstance(operator, ast.Add):
        return left + right
    if isinstance(operator, ast.Sub):
        return left - right
    if isinstance(operator, ast.Mult):
        return left * right
    if isinstance(operator, ast.Div):
        return left / right if right else None
    raise ValueError("unsupported operator")


def _function(name: str, arguments: list[Any], series: dict[str, Points]) -> Any:
    if name == "METRICS" and not arguments:
        return [dict(points) for points in series.values()]
    if name == "FILL":
        times = {at for points in series.values() for at, _ in points}
        return {at: arguments[0].get(at, arguments[1]) for at in times}
    if name == "SUM":
        totals: dict[int, float] = {}
        for one in arguments[0]:
            for at, value in one.items():
                totals[at] = totals.get(at, 0.0) + value
        return totals
    raise ValueError(f"unsupported function {name}")


def _page(
    queries: list[dict[str, Any]],
    series: dict[str, Points],
    labels: dict[str, str],
    newest_first: bool,
    params: dict[str, Any],
) -> dict[str, Any]:
    limit = min(int(params.get("MaxDatapoints") or MAX_DATAPOINTS), MAX_DATAPOINTS)
    index, offset = _token(params.get("NextToken"), len(queries))
    results: list[dict[str, Any]] = []
    token = None
    while index < len(queries):
        query = queries[index]
        points = series[query["Id"]]
        points = points[::-1] if newest_first else points
        part = points[offset : offset + limit]
        limit -= len(part)
        complete = offset + len(part) == len(points)
        results.append(_result(query, labels, part, complete))
        if not complete:
            token = f"{index}:{offset + len(part)}"
            break
        index, offset = index + 1, 0
        if limit == 0 and index < len(queries):
            token = f"{index}:0"
            break
    answer: dict[str, Any] = {"MetricDataResults": results, "Messages": []}
    if token:
        answer["NextToken"] = token
    return answer


def _token(token: str | None, queries: int) -> tuple[int, int]:
    if not token:
        return 0, 0
    match = re.match(r"^(\d+):(\d+)$", token)
    if not match or int(match.group(1)) >= queries:
        raise invalid("Invalid nextToken", "InvalidNextToken")
    return int(match.group(1)), int(match.group(2))


def _result(
    query: dict[str, Any], labels: dict[str, str], points: Points, complete: bool
) -> dict[str, Any]:
    return {
        "Id": query["Id"],
        "Label": query.get("Label") or labels[query["Id"]],
        "Timestamps": [Time(at) for at, _ in points],
        "Values": [float(value) for _, value in points],
        "StatusCode": "Complete" if complete else "PartialData",
    }
