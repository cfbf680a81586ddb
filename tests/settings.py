"""The project's settings on a cluster of the tests' own, with keys that everybody may read."""

import base64
import os
from pathlib import Path

for _name in ("DATABASE_URL", "OWNER_DATABASE_URL", "BROKER_URL", "YIQUAN_POOL", "HTTPS_HOSTS", "DEBUG"):
    os.environ.pop(_name, None)
os.environ["DATA_DIR"] = os.environ.get("TEST_DATA_DIR") or str(
    Path(__file__).resolve().parents[1] / ".data" / "test"
)
os.environ["SECRET_KEY"] = "tests only: everybody may read this, so nobody may use it"
os.environ["FIELD_KEYS"] = ",".join(
    f"{kid}:{base64.b64encode(kid.encode() * 16).decode()}" for kid in ("t2", "t1")
)
os.environ["LOOKUP_KEY"] = base64.b64encode(b"l" * 32).decode()
os.environ["TOKEN_KEYS"] = ",".join(f"{kid}:{base64.b64encode(bytes([kid]) * 32).decode()}" for kid in (2, 1))

from marketplace.config.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.MD5PasswordHasher"
]  # hundreds of sign-ins, none of them real
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_AUTOREFRESH = WHITENOISE_USE_FINDERS = True  # static files as they stand, nothing to collect first
