"""The shop's API: what each path answers."""

import json
import uuid
from urllib.parse import parse_qs, urlsplit

from pool import Unavailable

METHODS = "GET, POST, OPTIONS"
ALLOWED_HEADERS = "Content-Type, Authorization, X-Request-Id"

PRODUCTS = """
SELECT id, sku, name, name_ko, price, attributes FROM products ORDER BY id LIMIT %s OFFSET %s
"""
PRODUCT = """
SELECT p.id, p.sku, p.name, p.name_ko, p.price, p.attributes, s.sold
FROM products p LEFT JOIN product_sales s ON s.product_id = p.id WHERE p.id = %s
"""
# One statement, so that an order and its line come or stay away together. No row: there is no such product.
ORDER = """
WITH p AS (SELECT id, price FROM products WHERE id = %(product)s),
     o AS (INSERT INTO orders (client_id, status, total, note, details)
           SELECT %(id)s, 'paid', p.price * %(quantity)s, %(note)s, jsonb_build_object('channel', 'web') FROM p
           RETURNING id, created_at),
     i AS (INSERT INTO order_items (order_id, line, product_id, quantity, price)
           SELECT o.id, 1, p.id, %(quantity)s, p.price FROM o, p)
SELECT id, created_at FROM o
"""
FIND_ORDER = """
SELECT o.id, o.client_id, o.status, o.total, o.note, o.created_at,
       coalesce((SELECT jsonb_agg(jsonb_build_object('product', i.product_id, 'quantity', i.quantity) ORDER BY i.line)
                 FROM order_items i WHERE i.order_id = o.id), '[]'::jsonb)
FROM orders o WHERE o.client_id = %s ORDER BY o.id LIMIT 1
"""


class Refused(Exception):
    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


class Shop:
    def __init__(self, settings, pool):
        self.settings, self.pool = settings, pool

    def handle(self, method, target, headers, body):
        url = urlsplit(target)
        out = [("Content-Type", "application/json"), ("Cache-Control", "no-store"), ("Vary", "Origin")]
        origin = headers.get("origin")
        allowed = origin in self.settings.origins
        if allowed:
            out += [("Access-Control-Allow-Origin", origin), ("Access-Control-Allow-Credentials", "true")]
        if method == "OPTIONS":
            if allowed:
                out += [
                    ("Access-Control-Allow-Methods", METHODS),
                    ("Access-Control-Allow-Headers", ALLOWED_HEADERS),
                    ("Access-Control-Max-Age", str(self.settings.cors_max_age)),
                ]
            return 204, out, b""
        try:
            status, answer = self.route(method, url, body)
        except Refused as error:
            status, answer = error.status, {"error": str(error)}
        except Unavailable as error:
            status, answer = 503, {"error": "the database is not available", "detail": str(error)}
            out.append(("Retry-After", "1"))
        return status, out, json.dumps(answer, ensure_ascii=False, default=str).encode() + b"\n"

    def route(self, method, url, body):
        path = [part for part in url.path.split("/") if part]
        read = method in ("GET", "HEAD")
        match path:
            case ["healthz"] if read:
                self.pool.run(lambda cursor: cursor.execute("SELECT 1"))
                return 200, {"status": "ok"}
            case ["api", "products"] if read:
                return self.products(url.query)
            case ["api", "products", number] if read:
                return self.product(number)
            case ["api", "orders"] if method == "POST":
                return self.place(body)
            case ["api", "orders", client_id] if read:
                return self.order(client_id)
            case ["healthz"] | ["api", "products", *_] | ["api", "orders", *_]:
                raise Refused(405, "not with this method")
            case _:
                raise Refused(404, "no such path")

    def products(self, query):
        page = number(parse_qs(query).get("page", ["1"])[0], "page", 1, 1_000_000)
        size = self.settings.page_size
        rows = self.fetch(PRODUCTS, (size, (page - 1) * size))
        return 200, {"page": page, "products": [product(row) for row in rows]}

    def product(self, text):
        rows = self.fetch(PRODUCT, (number(text, "product", 1, 2**31 - 1),))
        if not rows:
            raise Refused(404, "no such product")
        return 200, {**product(rows[0]), "sold": rows[0][6] or 0}

    def place(self, body):
        try:
            wish = json.loads(body)
            client_id = str(uuid.UUID(wish["id"]))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise Refused(400, 'expected {"id": uuid, "product": number, "quantity": number, "note": text}') from None
        note = wish.get("note")
        if note is not None and (not isinstance(note, str) or len(note) > 2000 or "\0" in note):
            raise Refused(400, "note: expected a text of at most 2000 characters")
        order = {
            "id": client_id,
            "product": number(wish.get("product"), "product", 1, 2**31 - 1),
            "quantity": number(wish.get("quantity", 1), "quantity", 1, 1000),
            "note": note,
        }
        rows = self.fetch(ORDER, order)  # returns after COMMIT
        if not rows:
            raise Refused(404, "no such product")
        return 201, {"order": rows[0][0], "id": client_id, "created_at": rows[0][1].isoformat()}

    def order(self, text):
        try:
            client_id = str(uuid.UUID(text))
        except ValueError:
            raise Refused(400, "not a uuid") from None
        rows = self.fetch(FIND_ORDER, (client_id,))
        if not rows:
            raise Refused(404, "no such order")
        row = rows[0]
        return 200, {
            "order": row[0], "id": row[1], "status": row[2], "total": row[3], "note": row[4],
            "created_at": row[5].isoformat(), "items": row[6],
        }

    def fetch(self, sql, values):
        def work(cursor):
            cursor.execute(sql, values)
            return cursor.fetchall()

        return self.pool.run(work)


def product(row):
    return {"id": row[0], "sku": row[1], "name": row[2], "name_ko": row[3], "price": row[4], "attributes": row[5]}


def number(value, name, low, high):
    try:
        found = int(value) if isinstance(value, (int, str)) and not isinstance(value, bool) else None
    except ValueError:
        found = None
    if found is None or not low <= found <= high:
        raise Refused(400, f"{name}: expected a whole number from {low} to {high}")
    return found
