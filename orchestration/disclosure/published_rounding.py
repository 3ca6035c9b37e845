"""The roundings of the builds that were published, which the next one is attacked beside.

Restricted: they hold the true counts. A reader of several builds knows what each of them shows, so
a count that has not changed is shown as it was before, and the attack takes all builds together.
"""

import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from orchestration.disclosure.rounding_cube import Changes


@dataclass(frozen=True)
class PublishedRounding:
    """A published build: the true value of each count, and of inner ones what readers know.

    ``shown`` is the rounded value, also of those that only totals hold; ``bounds`` the least and
    greatest value that it leaves open; ``groups`` the counts that were rounded together;
    ``changes`` what the attack asked for.
    """

    values: Mapping[str, int]
    shown: Mapping[str, int]
    bounds: Mapping[str, tuple[int, int]]
    groups: Mapping[str, str]
    changes: Changes = field(default_factory=Changes)

    def as_bytes(self) -> bytes:
        """Return the rounding as compressed text, for :func:`from_bytes`."""
        told = {
            "values": dict(self.values),
            "shown": dict(self.shown),
            "bounds": dict(self.bounds),
            "groups": dict(self.groups),
            "changes": {name: sorted(keys) for name, keys in vars(self.changes).items()},
        }
        return zlib.compress(json.dumps(told, separators=(",", ":")).encode())


def from_bytes(written: bytes) -> PublishedRounding:
    """Return the rounding that :meth:`PublishedRounding.as_bytes` wrote."""
    told = json.loads(zlib.decompress(written))
    return PublishedRounding(
        told["values"],
        told["shown"],
        {key: (least, most) for key, (least, most) in told["bounds"].items()},
        told["groups"],
        Changes(**{name: set(keys) for name, keys in told["changes"].items()}),
    )


def changes_before(
    earlier: Iterable[PublishedRounding], values: Mapping[str, int], inner: Iterable[str]
) -> Changes:
    """Return the changes with which counts are shown as in the last build that had them so.

    Only of ``inner`` counts whose value is the same as it was.
    """
    latest: dict[str, PublishedRounding] = {}
    for build in earlier:
        latest |= dict.fromkeys(build.shown, build)
    changes = Changes()
    for key in inner:
        if key not in latest or latest[key].values[key] != values[key]:
            continue
        build = latest[key]
        for name, keys in vars(build.changes).items():
            if key in keys:
                getattr(changes, name).add(key)
        if build.shown[key] > values[key]:
            changes.up.add(key)
            changes.down.discard(key)
        elif build.shown[key] < values[key]:
            changes.down.add(key)
            changes.up.discard(key)
    return changes
