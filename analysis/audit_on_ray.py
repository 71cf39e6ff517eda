"""An audit's parts written by the workers of a Ray cluster."""

import os
from collections.abc import Callable, Sequence

from analysis.audit_manifest import AuditError
from analysis.audit_parts import AuditPart, write_part


def write_parts_on_ray(parts: Sequence[AuditPart], address: str, on_progress: Callable[[int], None]) -> None:
    """Write `parts` on the Ray cluster at `address`; "local" starts one on this machine, a worker for each core.

    Every machine of the cluster needs this version of LesionLens and the same model, data and output paths, as a shared
    file system gives. A part whose worker dies is given to another. `on_progress` is told how many cases are done.
    Raises AuditError without Ray, and for whatever ends the work.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is told to any other host
    try:
        import ray
    except ImportError as error:
        raise AuditError("--ray-address needs Ray: pip install 'lesionlens[ray]'.") from error
    write, done = write_part, 0
    try:
        ray.init(address=address, include_dashboard=False if address == "local" else None, log_to_driver=False)
        ray.data.DataContext.get_current().enable_progress_bars = False
        numbers = ray.data.range(len(parts), override_num_blocks=len(parts))
        for row in numbers.map(lambda row: {"rows": write(parts[row["id"]], threads=1)}).iter_rows():
            done += row["rows"]
            on_progress(done)
    except ray.exceptions.RayError as error:
        raise AuditError(f"Ray ended the audit: {error}. The same command goes on where it stopped.") from error
    finally:
        ray.shutdown()
