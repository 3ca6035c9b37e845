"""Every mart of a landing zone, computed a second time."""

from tests.valid_extracts.recomputed import crime, needs, offenders, places, services
from tests.valid_extracts.recomputed.compare import Table
from tests.valid_extracts.recomputed.landed import Landed


def recompute(landed: Landed) -> dict[str, Table]:
    """Return each mart's rows by key."""
    return {
        **crime.recompute(landed),
        **offenders.recompute(landed),
        **needs.recompute(landed),
        **services.prisons(landed),
        **services.surveys(landed),
        "iom_cohort": services.cohort(landed),
        "youth_offenders": services.young_people(landed),
        "supported_accommodation": places.schemes(landed),
        "social_housing_stock": places.dwellings(landed),
    }
