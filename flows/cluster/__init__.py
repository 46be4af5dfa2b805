"""Work as tasks on a cluster that runs already: one small interface, and a module for each kind of cluster."""

from flows.cluster.cluster_tasks import Tasks, open_tasks
from flows.cluster.same_packages import differences, packages

__all__ = ["Tasks", "differences", "open_tasks", "packages"]
