"""Names of services and places that are no secret: police forces, prisons, counties.

Many places are surnames as well, so a force or a prison is known by its whole name only. A name
that is served is in the partnerships file. These are beside it, so that a message can name a force
or a prison that the warehouse does not serve yet.
"""

POLICE_FORCES = (
    "Avon and Somerset Constabulary", "Bedfordshire Police", "British Transport Police",
    "Cambridgeshire Constabulary", "Cheshire Constabulary", "City of London Police",
    "Cleveland Police", "Cumbria Constabulary", "Derbyshire Constabulary",
    "Devon & Cornwall Police", "Dorset Police", "Durham Constabulary", "Dyfed-Powys Police",
    "Essex Police", "Gloucestershire Constabulary", "Greater Manchester Police", "Gwent Police",
    "Hampshire Constabulary", "Hertfordshire Constabulary", "Humberside Police", "Kent Police",
    "Lancashire Constabulary", "Leicestershire Police", "Lincolnshire Police", "Merseyside Police",
    "Metropolitan Police Service", "Norfolk Constabulary", "North Wales Police",
    "North Yorkshire Police", "Northamptonshire Police", "Northumbria Police",
    "Nottinghamshire Police", "Police Service of Northern Ireland", "Police Scotland",
    "South Wales Police", "South Yorkshire Police", "Staffordshire Police", "Suffolk Constabulary",
    "Surrey Police", "Sussex Police", "Thames Valley Police", "Warwickshire Police",
    "West Mercia Police", "West Midlands Police", "West Yorkshire Police", "Wiltshire Police",
)  # fmt: skip
"""The police forces of the United Kingdom, as data.police.uk names them in 'Reported by'."""

PRISONS = (
    "Altcourse", "Ashfield", "Askham Grange", "Aylesbury", "Bedford", "Belmarsh", "Berwyn",
    "Birmingham", "Brinsford", "Bristol", "Brixton", "Bronzefield", "Buckley Hall", "Bullingdon",
    "Bure", "Cardiff", "Channings Wood", "Chelmsford", "Coldingley", "Cookham Wood", "Dartmoor",
    "Deerbolt", "Doncaster", "Dovegate", "Downview", "Drake Hall", "Durham", "East Sutton Park",
    "Eastwood Park", "Elmley", "Erlestoke", "Exeter", "Featherstone", "Feltham", "Five Wells",
    "Ford", "Forest Bank", "Fosse Way", "Foston Hall", "Frankland", "Full Sutton", "Garth",
    "Gartree", "Grendon", "Guys Marsh", "Hatfield", "Haverigg", "Hewell", "High Down", "Highpoint",
    "Hindley", "Hollesley Bay", "Holme House", "Hull", "Humber", "Huntercombe", "Isis",
    "Isle of Wight", "Kirkham", "Kirklevington Grange", "Lancaster Farms", "Leeds", "Leicester",
    "Lewes", "Leyhill", "Lincoln", "Lindholme", "Littlehey", "Liverpool", "Long Lartin", "Lowdham",
    "Lowdham Grange", "Low Newton", "Maidstone", "Manchester", "Moorland", "Morton Hall",
    "New Hall", "Northumberland", "North Sea Camp", "Norwich", "Nottingham", "Oakwood", "Onley",
    "Parc", "Pentonville", "Peterborough", "Portland", "Prescoed", "Preston", "Ranby", "Risley",
    "Rochester", "Rye Hill", "Send", "Spring Hill", "Stafford", "Standford Hill", "Stocken",
    "Stoke Heath", "Styal", "Sudbury", "Swaleside", "Swansea", "Swinfen Hall", "Thameside",
    "Thorn Cross", "Usk", "Verne", "Wakefield", "Wandsworth", "Warren Hill", "Wayland",
    "Wealstun", "Werrington", "Wetherby", "Whatton", "Whitemoor", "Winchester", "Woodhill",
    "Wormwood Scrubs", "Wymott",
)  # fmt: skip

AREAS = (
    "Aberdeenshire", "Bedfordshire", "Berkshire", "Buckinghamshire", "Cambridgeshire",
    "Carmarthenshire", "Derbyshire", "Flintshire", "Gloucestershire", "Hampshire", "Herefordshire",
    "Hertfordshire", "Humberside", "Huntingdonshire", "Lancashire", "Leicestershire",
    "Lincolnshire", "Merseyside", "Monmouthshire", "Northamptonshire", "Nottinghamshire",
    "Oxfordshire", "Pembrokeshire", "Rutland", "Shropshire", "Staffordshire", "Teesside",
    "Tyneside", "Warwickshire", "Wiltshire", "Worcestershire", "Yorkshire",
)  # fmt: skip
"""Counties that a service may be named after, and that are nobody's name."""
