"""What a Synapse for tests is told: loopback only, nothing leaves the machine, quick. It knows nothing of processes."""

import base64
import json
import os
from pathlib import Path
from typing import Any

SERVER_NAME = "matrix.test"
SECRET = "only-for-tests"  # noqa: S105 of a server that lives as long as the tests

_UNLIMITED = {"per_second": 1000, "burst_count": 1000}
RELAXED: dict[str, Any] = {
    **dict.fromkeys(
        (
            "rc_message",
            "rc_registration",
            "rc_registration_token_validity",
            "rc_joins_per_room",
            "rc_media_create",
            "rc_room_creation",
            "rc_admin_redaction",
            "rc_user_directory",
            "rc_profile",
            "rc_key_requests",
            "rc_delayed_event_mgmt",
            "rc_reports",
        ),
        _UNLIMITED,
    ),
    "rc_login": dict.fromkeys(("address", "account", "failed_attempts"), _UNLIMITED),
    "rc_joins": dict.fromkeys(("local", "remote"), _UNLIMITED),
    "rc_invites": dict.fromkeys(("per_room", "per_user", "per_issuer"), _UNLIMITED),
    "rc_presence": {"per_user": _UNLIMITED},
}
"""Every limit that Synapse has, out of the way."""


def write_settings(folder: Path, port: int, *, default_limits: bool) -> None:
    """Write what Synapse reads at its start: its settings, its way of logging, a signing key. JSON is YAML."""
    seed = base64.b64encode(os.urandom(32)).decode().rstrip("=")
    (folder / "signing.key").write_text(f"ed25519 a_test {seed}\n", encoding="utf-8")
    (folder / "log.yaml").write_text(json.dumps(_logging(folder)), encoding="utf-8")
    settings = _settings(folder, port) | ({} if default_limits else RELAXED)
    (folder / "homeserver.yaml").write_text(json.dumps(settings, indent=1), encoding="utf-8")


def _settings(folder: Path, port: int) -> dict[str, Any]:
    listener = {
        "type": "http",
        "port": port,
        "tls": False,
        "bind_addresses": ["127.0.0.1"],
        "resources": [{"names": ["client"], "compress": False}],
    }
    return {
        "server_name": SERVER_NAME,
        "public_baseurl": f"http://127.0.0.1:{port}/",
        "listeners": [listener],
        "pid_file": str(folder / "homeserver.pid"),
        "database": {"name": "sqlite3", "args": {"database": str(folder / "homeserver.db")}},
        "media_store_path": str(folder / "media"),
        "signing_key_path": str(folder / "signing.key"),
        "log_config": str(folder / "log.yaml"),
        "registration_shared_secret": SECRET,
        "macaroon_secret_key": SECRET,
        "form_secret": SECRET,
        "enable_registration": False,
        "report_stats": False,
        "bcrypt_rounds": 4,
        # Nothing leaves the machine.
        "trusted_key_servers": [],
        "suppress_key_server_warning": True,
        "federation_domain_whitelist": [],
        "url_preview_enabled": False,
        "presence": {"enabled": False},
        # Synapse answers a /sync that is asked again from a cache of two minutes: after a restart that is stale news.
        "caches": {"sync_response_cache_duration": "0s"},
    }


def _logging(folder: Path) -> dict[str, Any]:
    file = {"class": "logging.FileHandler", "formatter": "line", "filename": str(folder / "log")}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(request)s %(message)s"}},
        "handlers": {"file": file},
        "root": {"level": "WARNING", "handlers": ["file"]},
    }
