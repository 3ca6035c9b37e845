"""Boundaries of areas, as GeoJSON geometries in longitude and latitude."""

import json

import numpy as np
import shapely

_LONGITUDES, _LATITUDES = (-9.0, 3.0), (49.0, 61.5)
"""Degrees (WGS 84) between which the United Kingdom lies, with some room."""

_DECIMALS = 5
"""Of a degree: about a metre, so that neighbours that share a point still share it."""

_POLYGONAL = (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)


class BoundaryError(ValueError):
    """A geometry is no boundary that can be used; the message says why."""


def boundary_text(geometry: object) -> str | None:
    """Return a GeoJSON geometry as the text of a MultiPolygon with five decimals of a degree.

    None where there is no geometry. Raises :class:`BoundaryError` for one that is no polygon, has
    no area, or whose coordinates are not longitude and latitude in the United Kingdom.
    """
    if geometry is None:
        return None
    try:
        shape = shapely.from_geojson(json.dumps(geometry))
    except shapely.GEOSException as error:
        raise BoundaryError("is not a geometry of GeoJSON") from error
    if shape is None or shape.is_empty:
        return None
    if shapely.get_type_id(shape) not in _POLYGONAL:
        raise BoundaryError("is not a polygon")
    if not _is_in_degrees(shape):
        raise BoundaryError("is not in longitude and latitude (WGS 84, EPSG:4326)")
    flat = shapely.transform(shapely.force_2d(shape), lambda points: np.round(points, _DECIMALS))
    if not shapely.area(flat):
        raise BoundaryError("encloses no area")
    polygons = shapely.multipolygons(shapely.get_parts(flat))
    return str(shapely.to_geojson(polygons))


def _is_in_degrees(shape: shapely.Geometry) -> bool:
    west, south, east, north = shapely.bounds(shape)
    return bool(
        _LONGITUDES[0] <= west <= east <= _LONGITUDES[1]
        and _LATITUDES[0] <= south <= north <= _LATITUDES[1]
    )
