"""The settings: environment over /app/.env over config/application.yaml."""

import os
from dataclasses import dataclass

import yaml

HOME = os.environ.get("APP_HOME", os.path.dirname(os.path.abspath(__file__)))


@dataclass(frozen=True)
class Settings:
    dsn: dict
    origins: frozenset
    cors_max_age: int
    pool_size: int
    pool_wait: float
    page_size: int
    name: str


def read_dotenv(path):
    """KEY=value lines; `export` and one pair of quotes are dropped, # begins a comment line."""
    found = {}
    try:
        with open(path, encoding="utf-8") as lines:
            for line in lines:
                line = line.strip().removeprefix("export ")
                if not line or line.startswith("#") or "=" not in line:
                    continue
                key, value = (part.strip() for part in line.split("=", 1))
                if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
                    value = value[1:-1]
                found[key] = value
    except FileNotFoundError:
        pass
    return found


def load():
    with open(os.path.join(HOME, "config", "application.yaml"), encoding="utf-8") as text:
        file = yaml.safe_load(text) or {}
    outer = {**read_dotenv(os.path.join(HOME, ".env")), **os.environ}
    database, cors, pool = (file.get(room) or {} for room in ("database", "cors", "pool"))

    dsn = {
        "host": outer.get("DB_HOST") or database.get("host", "localhost"),
        "port": int(outer.get("DB_PORT") or database.get("port", 5432)),
        "dbname": outer.get("DB_NAME") or database.get("name", "shop"),
        "user": outer.get("DB_USER") or database.get("user", "shop"),
        "password": outer.get("DB_PASSWORD") or str(database.get("password", "")),
        "sslmode": outer.get("DB_SSLMODE") or database.get("sslmode", "prefer"),
        "connect_timeout": 2,
        "application_name": outer.get("APP_NAME", "shop"),
        # A server that vanished without a word is noticed within seconds, not hours.
        "keepalives_idle": 5,
        "keepalives_interval": 2,
        "keepalives_count": 2,
        "tcp_user_timeout": 5000,
    }
    if outer.get("DB_SSLROOTCERT"):
        dsn["sslrootcert"] = outer["DB_SSLROOTCERT"]
    origins = outer.get("CORS_ALLOWED_ORIGINS")
    origins = origins.split(",") if origins else cors.get("allowed-origins") or []
    return Settings(
        dsn=dsn,
        origins=frozenset(origin.strip() for origin in origins),
        cors_max_age=int(cors.get("max-age", 600)),
        pool_size=int(outer.get("POOL_SIZE") or pool.get("size", 10)),
        pool_wait=float(pool.get("wait-seconds", 2)),
        page_size=int(outer.get("PAGE_SIZE", 20)),
        name=outer.get("APP_NAME", "shop"),
    )
