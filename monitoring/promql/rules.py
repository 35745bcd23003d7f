"""What rules ask: no variables, a fixed window, and every job that exposes the metric."""

import re
from collections.abc import Sequence

from monitoring.promql.text import CatalogError, braced, family, histogram_quantile, over, quoted, sum_by


def counted(name: str, by: Sequence[str], function: str, window: str, *matchers: str) -> str:
    """Take a counter's ``rate`` or ``increase``, which is the ``function``, in a window."""
    return sum_by(family(name, "counter"), by, over(function, name + braced(*matchers), window))


def gauged(name: str, by: Sequence[str], function: str, window: str) -> str:
    """Take a gauge's ``avg_over_time`` or the like in a window, summed over the processes."""
    return sum_by(family(name, "gauge"), by, over(function, name, window))


def observed(name: str, by: Sequence[str], function: str, window: str, *matchers: str) -> str:
    """Count the observations of a histogram."""
    return sum_by(family(name, "histogram"), by, over(function, f"{name}_count{braced(*matchers)}", window))


def observed_total(name: str, by: Sequence[str], function: str, window: str) -> str:
    """Sum the observations of a histogram."""
    return sum_by(family(name, "histogram"), by, over(function, f"{name}_sum", window))


def longer(name: str, bound_s: float, by: Sequence[str], function: str, window: str) -> str:
    """Count the observations above ``bound_s``, which must be a bound of the buckets. Raises CatalogError."""
    metric = family(name, "histogram")
    if bound_s not in metric.buckets:
        raise CatalogError(f"expected a bound of the buckets of {name}, one of {metric.buckets!r}, got {bound_s!r}")
    within = sum_by(metric, by, over(function, f'{name}_bucket{{le="{float(bound_s)}"}}', window))
    return f"({observed(name, by, function, window)} - {within})"


def quantile(q: float, name: str, by: Sequence[str], window: str) -> str:
    """Estimate the q-quantile of a histogram's observations in a window; no answer where there were none."""
    buckets = over("rate", f"{name}_bucket", window)
    return histogram_quantile(q, sum_by(family(name, "histogram"), by, buckets, buckets=True))


def difference_or_zero(part: str, less: str) -> str:
    """Subtract, down to zero."""
    return f"clamp_min({part} - {less}, 0)"


def sum_of(one: str, other: str) -> str:
    """Add two vectors of the same labels; where only one has a value, take that."""
    return f"({one} + {other} or {one} or {other})"


def ratio(part: str, whole: str) -> str:
    """Divide, on lines of their own; no answer where the whole is 0."""
    return f"{part}\n/\n({whole} > 0)"


def all_of(*conditions: str) -> str:
    """Require all conditions."""
    return "\nand\n".join(conditions)


def nothing_sent(active: str, least: float, *sent: str) -> str:
    """Find at least so many active streams for which none of the counters increased."""
    return "\nunless\n".join([f"{active} >= {least}", *(f"{each} > 0" for each in sent)])


def untrusted(trust: str, window: str) -> tuple[str, str]:
    """Find jobs with a run in the window whose trust is below 2; and the same for one job, as a template's query."""
    last = over("last_over_time", trust, window)
    of_job = over("last_over_time", f"{trust}{{job=%q}}", window)
    return f"min by (job) ({last}) < 2", f'printf "{of_job} < 2" $labels.job'


def names_one_job(jobs: str) -> bool:
    """Tell a job's name from a regular expression."""
    return re.fullmatch(r"[\w-]+", jobs) is not None


def none_up(jobs: str) -> str:
    """Find jobs none of whose targets is up, or that have none."""
    up = _up(jobs)
    return f"sum by (job) ({up}) == 0\nor\nabsent({up})"


def some_down(jobs: str) -> str:
    """Find targets that are down while another of their job is up."""
    up = _up(jobs)
    return f"{up} == 0\nand on (job)\nsum by (job) ({up}) > 0"


def _up(jobs: str) -> str:
    return f"up{{job{'=' if names_one_job(jobs) else '=~'}{quoted(jobs)}}}"
