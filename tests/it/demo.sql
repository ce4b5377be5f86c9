CREATE EXTENSION IF NOT EXISTS pgcrypto;
CREATE SCHEMA "창고 Stock";
ALTER SCHEMA "창고 Stock" OWNER TO shop;
ALTER DATABASE shop SET work_mem TO '8MB';
ALTER ROLE shop SET search_path TO "$user", public;
SET ROLE shop;
CREATE TYPE state AS ENUM ('new', 'paid', '배송');
CREATE DOMAIN price AS numeric(12,2) CHECK (VALUE >= 0);
CREATE TYPE span AS (low int, high int);
CREATE TABLE products (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL UNIQUE, price price NOT NULL,
  tags jsonb NOT NULL DEFAULT '{}', picture bytea, total numeric GENERATED ALWAYS AS (price * 2) STORED, free numeric, spans span[]);
CREATE SEQUENCE order_numbers START 1000;
CREATE TABLE orders (id bigserial PRIMARY KEY, client_id uuid NOT NULL, product bigint NOT NULL REFERENCES products ON DELETE CASCADE,
  number bigint DEFAULT nextval('order_numbers'), state state NOT NULL DEFAULT 'new', note text, placed timestamptz NOT NULL DEFAULT now());
CREATE INDEX orders_client ON orders (client_id);
CREATE INDEX orders_note ON orders (lower(note)) WHERE note IS NOT NULL;
CREATE TABLE audit (what text NOT NULL, at timestamptz NOT NULL DEFAULT now());
CREATE FUNCTION audited() RETURNS trigger LANGUAGE plpgsql AS $$
--
-- Name: not an entry; Type: TABLE; Schema: public; Owner: shop
--
BEGIN INSERT INTO public.audit VALUES (TG_OP || ' ' || coalesce(NEW.id, OLD.id)); RETURN coalesce(NEW, OLD); END $$;
CREATE TRIGGER orders_audit AFTER INSERT OR UPDATE OR DELETE ON orders FOR EACH ROW EXECUTE FUNCTION audited();
CREATE TABLE events (id bigint NOT NULL, at date NOT NULL, body text, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE events_2024 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE events_rest PARTITION OF events DEFAULT;
CREATE TABLE "Weird ""Name"" x" ("Key One" text, "k'2" int, "값" text, "select" boolean, PRIMARY KEY ("Key One", "k'2"));
CREATE TABLE "창고 Stock"."재고" ("번호" int PRIMARY KEY, "이름" text);
CREATE TABLE tree (id int PRIMARY KEY, parent int REFERENCES tree, label text UNIQUE);
CREATE TABLE nothing ();
CREATE VIEW dear AS SELECT id, name FROM products WHERE price > 100;
CREATE MATERIALIZED VIEW sold AS SELECT product, count(*) AS n FROM orders GROUP BY product;
CREATE UNIQUE INDEX sold_product ON sold (product);
COMMENT ON TABLE products IS '상품; it''s \ here';
GRANT SELECT ON products TO reader;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO reader;
INSERT INTO products (name, price, tags, picture, free, spans) SELECT '상품 ' || g, g, jsonb_build_object('n', g, '키', 'v\"' || g),
  decode(md5(g::text), 'hex'), g / 3.0, ARRAY[ROW(g, g + 1)::span] FROM generate_series(1, 3000) g;
INSERT INTO orders (client_id, product, note, state) SELECT md5(g::text)::uuid, g % 3000 + 1,
  CASE WHEN g % 3 = 0 THEN E'줄\n바꿈\t\\ ' || g END, (ARRAY['new','paid','배송'])[g % 3 + 1]::state FROM generate_series(1, 8000) g;
INSERT INTO events SELECT g, '2024-01-01'::date + g % 700, 'e' || g FROM generate_series(1, 5000) g;
INSERT INTO "Weird ""Name"" x" SELECT 'k' || g, g, '값' || g, g % 2 = 0 FROM generate_series(1, 500) g;
INSERT INTO "창고 Stock"."재고" SELECT g, '이름 ' || g FROM generate_series(1, 100) g;
INSERT INTO tree SELECT g, nullif(g / 2, 0), 'l' || g FROM generate_series(1, 200) g;
SELECT lo_from_bytea(4242, decode(repeat('ab', 700000), 'hex'));
REFRESH MATERIALIZED VIEW sold;
RESET ROLE;
