"""Force areas of England and Wales with their districts, by the codes of the ONS lookups."""

from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Partnership:
    """A partnership of one district or several."""

    csp: str
    name: str
    districts: tuple[str, ...]
    code: str | None = None


@dataclass(frozen=True)
class Force:
    """A force area, with all its districts, whichever of them have a partnership."""

    code: str
    name: str
    area_name: str
    districts: dict[str, str]
    partnerships: tuple[Partnership, ...] = ()
    named_youth_services: dict[str, tuple[str, ...]] = field(default_factory=dict)
    named_prisons: dict[str, str | None] = field(default_factory=dict)
    """Prisons with their groups; the first sends the returns."""
    towns: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Towns of the survey by district."""

    def serving(self, *partnerships: Partnership) -> "Force":
        return replace(self, partnerships=partnerships)

    @property
    def youth_services(self) -> dict[str, tuple[str, ...]]:
        """Those that are named, or one of the first district and one of the others."""
        if self.named_youth_services:
            return self.named_youth_services
        first, *others = self.districts
        name = f"{self.area_name} Youth Justice Service"
        return {f"{name} 1": (first,)} | ({f"{name} 2": tuple(others)} if others else {})

    @property
    def prisons(self) -> dict[str, str | None]:
        return self.named_prisons or {f"HMP {self.area_name}": None}


CAMBRIDGESHIRE = Force(
    "E23000023",
    "Cambridgeshire Constabulary",
    "Cambridgeshire and Peterborough",
    {
        "E07000008": "Cambridge",
        "E07000009": "East Cambridgeshire",
        "E07000010": "Fenland",
        "E07000011": "Huntingdonshire",
        "E07000012": "South Cambridgeshire",
        "E06000031": "Peterborough",
    },
    named_youth_services={
        "Cambridgeshire": ("E07000008", "E07000009", "E07000010", "E07000011", "E07000012"),
        "Peterborough": ("E06000031",),
    },
    named_prisons={
        "HMP Peterborough": None,
        "HMP Bedford": "Other local prisons",
        "HMP Littlehey": "Other local prisons",
        "HMP Whitemoor": "Other local prisons",
    },
    towns={
        "E07000008": ("Cambridge",),
        "E07000009": ("Ely", "Littleport", "Soham"),
        "E07000010": ("Chatteris", "March", "Whittlesey", "Wisbech"),
        "E07000011": ("Huntingdon", "Ramsey", "St Ives", "St Neots"),
        "E07000012": ("Cambourne", "Northstowe", "Sawston"),
        "E06000031": ("Peterborough",),
    },
)
NORFOLK = Force(
    "E23000024",
    "Norfolk Constabulary",
    "Norfolk",
    {"E07000146": "King's Lynn and West Norfolk", "E07000149": "South Norfolk"},
    named_youth_services={"Norfolk": ("E07000146", "E07000149")},
    named_prisons={"HMP Norwich": None, "HMP Bure": None},
    towns={"E07000146": ("Downham Market", "Hunstanton")},
)
SUFFOLK = Force(
    "E23000025",
    "Suffolk Constabulary",
    "Suffolk",
    {
        "E07000200": "Babergh",
        "E07000202": "Ipswich",
        "E07000203": "Mid Suffolk",
        "E07000244": "East Suffolk",
        "E07000245": "West Suffolk",
    },
)
AVON_AND_SOMERSET = Force(
    "E23000036",
    "Avon and Somerset Constabulary",
    "Avon and Somerset",
    {
        "E06000066": "Somerset",
        "E06000022": "Bath and North East Somerset",
        "E06000023": "Bristol, City of",
        "E06000024": "North Somerset",
        "E06000025": "South Gloucestershire",
    },
)
HERTFORDSHIRE = Force(
    "E23000027",
    "Hertfordshire Constabulary",
    "Hertfordshire",
    {
        "E07000240": "St Albans",
        "E07000095": "Broxbourne",
        "E07000096": "Dacorum",
        "E07000098": "Hertsmere",
        "E07000099": "North Hertfordshire",
        "E07000102": "Three Rivers",
        "E07000103": "Watford",
        "E07000241": "Welwyn Hatfield",
        "E07000242": "East Hertfordshire",
        "E07000243": "Stevenage",
    },
)
GWENT = Force(
    "W15000002",
    "Gwent Police",
    "Gwent",
    {
        "W06000018": "Caerphilly",
        "W06000019": "Blaenau Gwent",
        "W06000020": "Torfaen",
        "W06000021": "Monmouthshire",
        "W06000022": "Newport",
    },
)
OTHERS = (SUFFOLK, AVON_AND_SOMERSET, HERTFORDSHIRE, GWENT)
"""Force areas beside Cambridgeshire of which landing zones are drawn."""
_BOROUGHS = (
    "Barking and Dagenham", "Barnet", "Bexley", "Brent", "Bromley", "Camden", "Croydon", "Ealing",
    "Enfield", "Greenwich", "Hackney", "Hammersmith and Fulham", "Haringey", "Harrow", "Havering",
    "Hillingdon", "Hounslow", "Islington", "Kensington and Chelsea", "Kingston upon Thames",
    "Lambeth", "Lewisham", "Merton", "Newham", "Redbridge", "Richmond upon Thames", "Southwark",
    "Sutton", "Tower Hamlets", "Waltham Forest", "Wandsworth", "Westminster",
)  # fmt: skip
LONDON = Force(
    "E23000001",
    "Metropolitan Police Service",
    "Metropolitan Police",
    {f"E09{number:06d}": name for number, name in enumerate(_BOROUGHS, start=2)},
)
