"""Superset's settings: one machine, one file of figures, no network.

``serve`` names the folder in which Superset keeps what it makes: its own database, the key that
signs sessions, and the password.
"""

import os
from pathlib import Path

HOME = Path(os.environ["CSP_DASHBOARD_HOME"])

APP_NAME = "CSP Warehouse"
SECRET_KEY = (HOME / "secret.key").read_text(encoding="utf-8").strip()
SQLALCHEMY_DATABASE_URI = f"sqlite:///{HOME / 'superset.db'}"
DATA_DIR = str(HOME)

# Only pages that come from this machine. The defaults allow maps and counters of other hosts.
TALISMAN_ENABLED = True
TALISMAN_CONFIG = {
    "content_security_policy": {
        "base-uri": ["'self'"],
        "default-src": ["'self'"],
        "img-src": ["'self'", "blob:", "data:"],
        "worker-src": ["'self'", "blob:"],
        "connect-src": ["'self'"],
        "object-src": "'none'",
        "style-src": ["'self'", "'unsafe-inline'"],
        "font-src": ["'self'", "data:"],
        "script-src": ["'self'", "'strict-dynamic'"],
        "frame-ancestors": ["'none'"],
    },
    "content_security_policy_nonce_in": ["script-src"],
    "force_https": False,
    "session_cookie_secure": False,
}
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
AUTH_USER_REGISTRATION = False

# Nothing that a query answered is kept: the next one reads the release that is published then.
CACHE_CONFIG = {"CACHE_TYPE": "NullCache"}
DATA_CACHE_CONFIG = {"CACHE_TYPE": "NullCache"}
RATELIMIT_STORAGE_URI = "memory://"

LANGUAGES: dict[str, dict[str, str]] = {}
BABEL_DEFAULT_LOCALE = "en"
ROW_LIMIT = 10000
SQLLAB_TIMEOUT = 60

# The palette of the Government Analysis Function.
EXTRA_CATEGORICAL_COLOR_SCHEMES = [
    {
        "id": "analysisFunction",
        "description": "Palette of the Government Analysis Function",
        "label": "Analysis Function",
        "isDefault": True,
        "colors": ["#12436D", "#28A197", "#801650", "#F46A25", "#3D3D3D", "#A285D1"],
    }
]
