"""Records -> charts: inline SVG, drawn from numbers. Pure.

Failed requests are never left out: they lie at infinity in the distribution and on a line of their own above the
time series. Limits are drawn in and labelled.
"""

import math
from collections.abc import Sequence

import numpy as np

from go_live.judge import attribution
from go_live.judge.attribution import Parts, Split
from go_live.judge.band import Band, band
from go_live.judge.percentiles import percentile
from go_live.report import svg, text
from go_live.report.figures import Series
from go_live.report.model import Chart
from go_live.report.svg import BOTTOM, LEFT, RIGHT, TOP
from go_live.table import Floats, Table

HEIGHT = 222
DRAWN_SINGLY = 3000
"""Up to so many requests are drawn one by one; more are binned, and the caption says so."""
FEW = 400
"""Up to so many dots are drawn larger."""
BINS = 240

PARTS = (
    ("execution", "c-exec", "execution"),
    ("queue", "c-queue", "queue"),
    ("client", "c-lag", "client wait"),
    ("network", "c-rest", "network"),
)
"""The parts of a request's time (:class:`go_live.judge.attribution.Parts`) as they are stacked: class, name."""


def charts(series: Series, key: str) -> tuple[Chart, ...]:
    """All charts of one level or soak; what was not recorded is not drawn."""
    drawn = [distribution(series, key), over_time(series, key)]
    if so_far := p95_so_far(series, key):
        drawn.append(so_far)
    if series.attribution and splittable(series):
        drawn.append(split_over_time(series, key))
    if series.phase == "soak" and series.seconds:
        drawn.append(throughput(series, key))
    return tuple(drawn)


def distribution(series: Series, key: str) -> Chart:
    """The share of due requests answered within a time (ECDF), and the areas it must stay out of."""
    totals = np.sort(series.records.total_ms)
    limits = _limits(series)
    across = svg.value_axis(totals, limits.values(), LEFT, RIGHT)
    up = svg.Axis(low=0, high=100, start=HEIGHT - BOTTOM, end=TOP)
    marks = [(q, percentile(totals, q)) for q in (50, 95)]
    parts = [
        _forbidden(limits, across, up),
        svg.y_ticks(up, " %"),
        svg.x_ticks(across, up.at(0), _axis_name("total time, ms", across)),
        *(svg.line(across.at(bound), TOP, across.at(bound), up.at(0), "lim") for bound in limits.values()),
        _limit_labels(limits, across),
        svg.polyline(_steps(totals, across, up), "ln"),
        *(_percentile_mark(q, value, across, up) for q, value in marks if math.isfinite(value)),
    ]
    said = ", ".join(f"p{q} {text.ms(value)}" for q, value in marks)
    misses = f"; {series.failed:,} without a right answer: the curve ends below 100 %" if series.failed else ""
    rule = " The curve must stay out of the shaded area." if limits else ""
    caption = f"{said} (n = {series.n:,}{misses}).{rule}"
    title = f"{series.title}: share of requests answered within a time"
    return Chart(
        title="Latency distribution", caption=caption, svg=svg.drawing(f"{key}-dist", title, caption, HEIGHT, parts)
    )


def _forbidden(limits: dict[int, float], across: svg.Axis, up: svg.Axis) -> str:
    """The area right of a limit and below its percentile, for all limits as one shape; the curve may not enter it."""
    if not limits:
        return ""
    corners, reached = [(float(RIGHT), up.at(0))], 0
    for q, bound in sorted(limits.items(), key=lambda pair: pair[1]):
        corners += [(across.at(bound), up.at(reached)), (across.at(bound), up.at(max(q, reached)))]
        reached = max(q, reached)
    return svg.area([*corners, (RIGHT, up.at(reached))], "no")


def over_time(series: Series, key: str) -> Chart:
    """Each request's total time, in the order in which the requests were due."""
    totals = series.records.total_ms
    limits = _limits(series)
    across, name = _time_axis(series)
    up = svg.value_axis(totals, limits.values(), HEIGHT - BOTTOM, TOP)
    at = _positions(series, across)
    over = limits.get(95, math.inf)
    parts = [
        svg.y_ticks(up, taken=[up.at(bound) for bound in limits.values()]),
        svg.x_ticks(across, HEIGHT - BOTTOM, name),
        svg.label(_axis_name("total time, ms", up), LEFT, 11, cls="tx ax"),
        *_requests(at, totals, up, over),
        _limit_lines(limits, up),
    ]
    caption = _time_caption(series, totals, over)
    title = f"{series.title}: total time of each request"
    return Chart(title="Over time", caption=caption, svg=svg.drawing(f"{key}-time", title, caption, HEIGHT, parts))


def _limit_lines(limits: dict[int, float], up: svg.Axis) -> str:
    """Each limit as a line, with its figure on the left and its percentile on the right."""
    drawn, lowest = "", math.inf
    for q, bound in sorted(limits.items(), key=lambda pair: pair[1]):
        y = up.at(bound)
        words = min(y + 4, lowest - svg.LINE)
        drawn += svg.line(LEFT, y, RIGHT, y, "lim")
        drawn += svg.label(text.number(bound), LEFT - 5, words, cls="tx limtx", anchor="end")
        drawn += svg.label(f"p{q}", RIGHT + 3, words, cls="tx limtx")
        lowest = words
    return drawn


def _requests(at: Floats, totals: Floats, up: svg.Axis, over: float) -> list[str]:
    """Dots for answered requests (those over the p95 limit set apart), crosses for the others."""
    answered = np.isfinite(totals)
    failed = [(x, TOP - 8.0) for x in np.unique(np.round(at[~answered], 1)).tolist()]
    drawn = (
        [svg.crosses(failed, "x"), svg.label(text.NO_ANSWER, RIGHT, 11, cls="tx bad", anchor="end")] if failed else []
    )
    if len(totals) > DRAWN_SINGLY:
        return [*_binned(at[answered], totals[answered], up), *drawn]
    size = "pt" if len(totals) > FEW else "pt big"
    points = list(zip(at[answered].tolist(), totals[answered].tolist(), strict=True))
    near = [(x, up.at(value)) for x, value in points if value <= over]
    far = [(x, up.at(value)) for x, value in points if value > over]
    return [svg.dots(near, size), svg.dots(far, f"{size} over"), *drawn]


def _binned(at: Floats, totals: Floats, up: svg.Axis) -> list[str]:
    """For each of many columns: the range from fastest to slowest, and a line through the medians."""
    width = (RIGHT - LEFT) / BINS
    column = ((at - LEFT) / width).astype(np.int64)
    middles = [(LEFT + (one + 0.5) * width, np.sort(totals[column == one])) for one in np.unique(column).tolist()]
    ranges = "".join(f"M{x:.1f} {up.at(values[0]):.1f}V{up.at(values[-1]):.1f}" for x, values in middles)
    medians = svg.polyline([(x, up.at(percentile(values, 50))) for x, values in middles], "ln")
    return [svg.tag("path", d=ranges, cls="range"), medians] if middles else []


def _time_caption(series: Series, totals: Floats, over: float) -> str:
    """What the time series shows, in words."""
    slow = int(((totals > over) & np.isfinite(totals)).sum())
    said = [f"{series.n:,} due requests"]
    if series.n > DRAWN_SINGLY:
        said.append(f"in {BINS} columns, each from its fastest to its slowest, with a line through the medians")
    if math.isfinite(over):
        said.append(f"{slow:,} over {text.ms(over)}")
    said.append(f"{series.failed:,} without a right answer" + (" (crosses)" if series.failed else ""))
    unknown = "" if series.timed else " Times of day were not recorded: requests in the order of the file."
    return ", ".join(said) + "." + unknown


def p95_so_far(series: Series, key: str) -> Chart | None:
    """The p95 over the course of a soak, in the band in which it lies at whatever moment one looks.

    None for what is no soak, and where there is no limit on p95 or no confidence is known.
    """
    limit, confidence = _limits(series).get(95), series.limits.get("confidence")
    if series.phase != "soak" or limit is None or not confidence:
        return None
    found = band(series.records.total_ms, q=95, confidence=confidence)
    across, name = _time_axis(series)
    bounded = np.isfinite(found.upper)
    shown = bounded if bounded.any() else np.ones_like(bounded)
    up = _near_axis(np.concatenate([found.measured[shown], found.lower[shown], found.upper[shown], [limit]]))
    at = _positions(series, across)[found.n - 1].tolist()
    lower, measured, upper = (
        [(x, up.at(y)) for x, y in zip(at, values.tolist(), strict=True)]
        for values in (found.lower, found.measured, found.upper)
    )
    parts = [
        svg.y_ticks(up, taken=[up.at(limit)]),
        svg.x_ticks(across, HEIGHT - BOTTOM, name),
        svg.label(_axis_name("p95 of the total time so far, ms", up), LEFT, 11, cls="tx ax"),
        svg.area([*upper, *reversed(lower)], "band"),
        svg.polyline(measured, "ln"),
        _limit_lines({95: limit}, up),
    ]
    caption = _band_caption(found, confidence, limit)
    title = f"{series.title}: p95 so far, and what it can be"
    return Chart(
        title="p95 so far, and what it can be",
        caption=caption,
        svg=svg.drawing(f"{key}-band", title, caption, HEIGHT, parts),
    )


def _near_axis(values: Floats) -> svg.Axis:
    """An axis about the finite ``values`` above 0, which need not begin at 0: what counts is how far apart they lie."""
    known = values[(values > 0) & np.isfinite(values)]
    low, high = float(known.min()), float(known.max())
    log = high / low >= svg.LOG_FROM
    return svg.Axis(low=low * 0.96, high=high * 1.04, start=HEIGHT - BOTTOM, end=TOP, log=log)


def _band_caption(found: Band, confidence: float, limit: float) -> str:
    """The p95 at the end and its band, in one sentence."""
    n, measured, lower, upper = int(found.n[-1]), found.measured[-1], found.lower[-1], found.upper[-1]
    figure = text.ms(measured) if math.isfinite(measured) else text.NO_ANSWER
    if not math.isfinite(lower):
        ends = "beyond any time"
    elif not math.isfinite(upper):
        ends = f"{text.ms(lower)} or more" if lower else "anywhere"
    else:
        ends = f"{text.ms(lower)} to {text.ms(upper)}"
    side = "above the limit" if lower > limit else "within the limit" if upper <= limit else "not clear of the limit"
    open_ = ", which reaches the top while there is no upper bound," if np.isinf(found.upper).any() else ""
    return (
        f"p95 {figure} (n = {n:,}); with {confidence * 100:g} % confidence, however often one looks, the true p95 of "
        f"independent requests is in the shaded band{open_} and by now {ends}: {side}."
    )


def splittable(series: Series) -> bool:
    """Whether the platform's own times are known for the answered requests."""
    return bool(np.isfinite(series.records.exec_ms).any())


def split(series: Series, records: Table | None = None) -> Split | None:
    """Where the time of ``records`` (None: all of the series) went; None when nothing says what adds up."""
    due = series.records if records is None else records
    return None if series.attribution is None else attribution.split(attribution.times(due), series.attribution)


def split_over_time(series: Series, key: str) -> Chart:
    """Mean queue and execution time (and what is neither), stacked, over the course of a level."""
    across, name = _time_axis(series)
    bins = max(1, min(48, series.n // 4))
    place = (_positions(series, across) - LEFT) / (RIGHT - LEFT) * bins
    column = np.minimum(place.astype(np.int64), bins - 1)
    means = [_mean(split(series, series.records.take(column == one))) for one in range(bins)]
    highest = max((found.total for found in means if found), default=1.0)
    up = svg.Axis(low=0, high=highest * 1.08, start=HEIGHT - BOTTOM, end=TOP)
    width = (RIGHT - LEFT) / bins
    parts = [svg.y_ticks(up), svg.x_ticks(across, HEIGHT - BOTTOM, name)]
    parts += [_stack(found, LEFT + index * width, width, up) for index, found in enumerate(means) if found]
    parts.append(_legend(svg.LEFT, 11))
    parts.append(svg.label("mean, ms", LEFT, 25, cls="tx ax"))
    caption = _split_caption(split(series))
    title = f"{series.title}: queue against execution time over the course of the level"
    return Chart(
        title="Queue against execution", caption=caption, svg=svg.drawing(f"{key}-split", title, caption, HEIGHT, parts)
    )


def _mean(found: Split | None) -> Parts | None:
    """The mean parts of all attributed requests."""
    return found.all.mean if found and found.all else None


def _split_caption(found: Split | None) -> str:
    """The means in words; what could not be attributed is named."""
    if found is None:
        return ""
    said = [f"Not shown: {count:,}, for {reason}." for reason, count in found.unattributed.items()]
    if found.all is None:
        return " ".join(["No answered request has parts that add up to its total.", *said])
    mean = found.all.mean
    whole = (
        f"Mean of {found.all.n:,} answered requests: queue {text.ms(mean.queue)}, execution {text.ms(mean.execution)}, "
        f"client wait {text.ms(mean.client)}, network {text.ms(mean.network)}."
    )
    return " ".join([whole, *said])


def _stack(found: Parts, left: float, width: float, up: svg.Axis) -> str:
    """One column of the stack."""
    drawn, base = "", 0.0
    for name, cls, _ in PARTS:
        top = base + max(getattr(found, name), 0.0)
        if up.at(base) - up.at(top) >= 0.25:  # noqa: PLR2004 - a quarter of a pixel is not seen
            drawn += svg.rect(left, up.at(top), left + max(width - 0.8, 0.5), up.at(base), cls)
        base = top
    return drawn


def time_budget(groups: Sequence[Series], key: str = "budget") -> Chart | None:
    """Where the time goes, level by level: mean of all attributed requests, and of the slowest twentieth of them."""
    rows: list[tuple[str, str, Parts]] = []
    for series in groups:
        found = split(series)
        if found and found.all and found.slowest:
            rows += [(series.title, "all", found.all.mean), (series.title, "slowest 5 %", found.slowest.mean)]
    if not rows:
        return None
    across = svg.Axis(low=0, high=max(mean.total for _, _, mean in rows) * 1.02, start=LEFT + 84, end=RIGHT - 46)
    height = 34 + 22 * len(rows) + BOTTOM
    parts = [_legend(8, 11)]
    for index, (title, words, mean) in enumerate(rows):
        y = 28.0 + 22 * index
        parts.append(svg.label(f"{title}, {words}" if words == "all" else words, LEFT + 78, y + 11, anchor="end"))
        parts.append(_bar(mean, y, across))
        parts.append(svg.label(text.number(round(mean.total)), across.at(mean.total) + 4, y + 11))
    parts.append(svg.x_ticks(across, height - BOTTOM, "mean time, ms"))
    caption = "Mean of all answered requests, and of the slowest twentieth of them: what a slow request waited for."
    drawn = svg.drawing(key, "Where the time goes, level by level", caption, height, parts)
    return Chart(title="Where the time goes", caption=caption, svg=drawn)


def _bar(found: Parts, y: float, across: svg.Axis) -> str:
    """One horizontal bar."""
    drawn, base = "", 0.0
    for name, cls, _ in PARTS:
        end = base + max(getattr(found, name), 0.0)
        drawn += svg.rect(across.at(base), y, across.at(end), y + 15, cls)
        base = end
    return drawn


def throughput(series: Series, key: str) -> Chart:
    """Right answers per unit of time over the course of a soak, in equal parts of its duration."""
    span = series.seconds or 1.0
    bins = max(4, min(30, series.n // 20))
    ends = (series.at + series.records.total_ms / 1000)[series.records.ok]
    counts = np.bincount(np.minimum((ends / span * bins).astype(np.int64), bins - 1), minlength=bins).tolist()
    scale, unit = (1.0, "s") if series.n >= span else (60.0, "min")
    rates = [count * bins / span * scale for count in counts]
    across, name = _time_axis(series)
    up = svg.Axis(low=0, high=max(*rates, 1e-9) * 1.15, start=HEIGHT - BOTTOM, end=TOP)
    width = (RIGHT - LEFT) / bins
    middle = percentile(rates, 50)
    parts = [
        svg.y_ticks(up),
        svg.x_ticks(across, HEIGHT - BOTTOM, name),
        svg.label(f"right answers / {unit}", LEFT, 11, cls="tx ax"),
        *(
            svg.rect(LEFT + index * width, up.at(rate), LEFT + (index + 1) * width - 0.8, up.at(0), "c-exec")
            for index, rate in enumerate(rates)
        ),
        svg.line(LEFT, up.at(middle), RIGHT, up.at(middle), "mid"),
    ]
    least, most = min(rates), max(rates)
    caption = (
        f"Median {text.number(round(middle, 2))} right answers / {unit}, least {text.number(round(least, 2))}, "
        f"most {text.number(round(most, 2))}, over {bins} parts of {text.duration(span / bins)} each."
    )
    drawn = svg.drawing(f"{key}-rate", f"{series.title}: throughput", caption, HEIGHT, parts)
    return Chart(title="Throughput", caption=caption, svg=drawn)


def _limits(series: Series) -> dict[int, float]:
    """The limits on total time, by percentile."""
    found = {50: series.limits.get("total_ms_p50"), 95: series.limits.get("total_ms_p95")}
    return {q: bound for q, bound in found.items() if bound}


def _axis_name(name: str, axis: svg.Axis) -> str:
    """The axis' name, with its scale where it is not the usual one."""
    return f"{name} (log scale)" if axis.log else name


def _time_axis(series: Series) -> tuple[svg.Axis, str]:
    """Time since the first request was due; the number of the request where no times were recorded."""
    if not series.timed:
        return svg.Axis(low=0, high=max(series.n, 1), start=LEFT, end=RIGHT), "request, in the order of the file"
    span = _span(series)
    unit, seconds = ("min", 60.0) if span >= 180 else ("s", 1.0)  # noqa: PLR2004 - three minutes
    return svg.Axis(low=0, high=span / seconds, start=LEFT, end=RIGHT), f"due, {unit} after the first request"


def _positions(series: Series, across: svg.Axis) -> Floats:
    """The x of each request."""
    share = series.at / _span(series) if series.timed else (np.arange(series.n) + 0.5) / max(series.n, 1)
    return across.start + share * (across.end - across.start)


def _span(series: Series) -> float:
    """Seconds from the first due time to the last answer, or to the last due time when nothing was answered."""
    return series.seconds or float(series.at[-1])


def _steps(ranked: Floats, across: svg.Axis, up: svg.Axis) -> list[tuple[float, float]]:
    """The corners of the empirical distribution of ``ranked``; what is infinite is never reached.

    Of more requests than can be told apart on the page, every k-th is drawn.
    """
    corners = [(across.at(across.low), up.at(0))]
    finite = int(np.isfinite(ranked).sum())
    every = max(1, len(ranked) // DRAWN_SINGLY)
    for rank in [*range(every, finite, every), *([finite] if finite else [])]:
        x = across.at(float(ranked[rank - 1]))
        corners += [(x, corners[-1][1]), (x, up.at(rank * 100 / len(ranked)))]
    return [*corners, (RIGHT, corners[-1][1])]


def _percentile_mark(q: int, value: float, across: svg.Axis, up: svg.Axis) -> str:
    """A dot on the curve, with the figure beside it on the side that has room."""
    x, y = across.at(value), up.at(q)
    left = x > (LEFT + RIGHT) / 2
    words = svg.label(
        f"p{q} {text.ms(value)}", x - 7 if left else x + 7, y + 4, cls="tx fig", anchor="end" if left else "start"
    )
    return svg.dots([(x, y)], "pq") + words


def _limit_labels(limits: dict[int, float], across: svg.Axis) -> str:
    """The limits' names above the chart: the lower one to the left of its line, the higher one to the right."""
    drawn = ""
    for q, bound in limits.items():
        words, x = f"p{q} ≤ {text.ms(bound)}", across.at(bound)
        drawn += svg.label(words, x, 12 if q == 50 else 25, cls="tx limtx", anchor="end" if x > WIDE else "start")  # noqa: PLR2004 - the median
    return drawn


WIDE = RIGHT - 84
"""Right of here a label no longer fits to the right of its point."""


def _legend(x: float, y: float) -> str:
    """Colours and names of the parts of a request's time."""
    drawn = ""
    for _, cls, words in PARTS:
        drawn += svg.rect(x, y - 9, x + 10, y + 1, cls) + svg.label(words, x + 14, y)
        x += 27 + 5.6 * len(words)
    return drawn
