-- What PostgreSQL 15 can declare, once each at least. Made by a superuser in the database of role "torturer", who owns all
-- that a role without superuser can own.
CREATE EXTENSION IF NOT EXISTS pgcrypto;
CREATE EXTENSION IF NOT EXISTS btree_gist;
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS hstore;
CREATE EXTENSION IF NOT EXISTS citext;
COMMENT ON EXTENSION hstore IS 'key and value';
SET ROLE torturer;
COMMENT ON SCHEMA public IS 'the usual place';

-- schemas
CREATE SCHEMA plain;
CREATE SCHEMA "가게 Ünïcode ""q"" -- Name: x; Type: TABLE";
CREATE SCHEMA crypt AUTHORIZATION torturer;
COMMENT ON SCHEMA plain IS E'line\nbreak ; it''s \\ 한글';
GRANT USAGE ON SCHEMA plain TO tortured WITH GRANT OPTION;
SET search_path = plain, public;

-- types
CREATE TYPE mood AS ENUM ('sad', 'ok', 'it''s "fine"', '행복');
CREATE TYPE point3 AS (x double precision, y double precision, z double precision);
CREATE TYPE nested AS (p point3, moods mood[], note text COLLATE "C");
CREATE DOMAIN positive AS integer CHECK (VALUE > 0);
CREATE DOMAIN email AS text NOT NULL DEFAULT 'a@b' CONSTRAINT has_at CHECK (VALUE ~ '@');
CREATE DOMAIN deep AS positive CONSTRAINT small CHECK (VALUE < 1000000);
CREATE TYPE price_range AS RANGE (subtype = numeric);
CREATE TYPE stamp_range AS RANGE (subtype = timestamptz, multirange_type_name = stamp_ranges);
COMMENT ON TYPE mood IS 'how it is';
COMMENT ON DOMAIN positive IS 'above zero';
COMMENT ON CONSTRAINT small ON DOMAIN deep IS 'not too big';
GRANT USAGE ON TYPE mood TO tortured;
REVOKE USAGE ON TYPE positive FROM PUBLIC;

-- collations and text search
CREATE COLLATION german (provider = icu, locale = 'de-u-co-phonebk');
CREATE COLLATION blind (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE COLLATION copied FROM "C";
COMMENT ON COLLATION german IS 'as in the telephone book';
CREATE TEXT SEARCH DICTIONARY short (TEMPLATE = simple, STOPWORDS = english);
CREATE TEXT SEARCH CONFIGURATION shorts (COPY = simple);
ALTER TEXT SEARCH CONFIGURATION shorts ALTER MAPPING FOR asciiword, word WITH short, simple;
COMMENT ON TEXT SEARCH CONFIGURATION shorts IS 'short words';
COMMENT ON TEXT SEARCH DICTIONARY short IS 'short';

-- sequences
CREATE SEQUENCE lonely INCREMENT -3 MINVALUE -1000 MAXVALUE 5 START 2 CACHE 7 CYCLE;
CREATE SEQUENCE tiny AS smallint;
CREATE SEQUENCE unused AS integer START 77;
CREATE SEQUENCE "번호 Seq";
COMMENT ON SEQUENCE lonely IS 'downwards';
GRANT USAGE, SELECT ON SEQUENCE tiny TO tortured;
SELECT nextval('lonely'), nextval('lonely'), nextval('tiny'), setval('"번호 Seq"', 4242);

-- functions of every kind
CREATE FUNCTION add(a integer, b integer DEFAULT 7) RETURNS integer LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 3 AS 'SELECT a + b';
CREATE FUNCTION add(a text, VARIADIC rest text[]) RETURNS text LANGUAGE sql IMMUTABLE AS $f$ SELECT a || array_to_string(rest, $$;$$) $f$;
CREATE FUNCTION atomic(a integer) RETURNS integer LANGUAGE sql STABLE RETURN a * 2;
CREATE FUNCTION body(a integer) RETURNS SETOF integer LANGUAGE sql BEGIN ATOMIC SELECT g FROM generate_series(1, a) g; END;
CREATE FUNCTION many(OUT a integer, OUT b text) LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog SET work_mem = '8MB' AS $$
--
-- Name: not an entry; Type: TABLE; Schema: plain; Owner: torturer
--
BEGIN a := 1; b := 'x;' || E'\'' || $q$ -- $q$; END $$;
CREATE FUNCTION rows_of(n integer) RETURNS TABLE (id integer, at timestamptz) LANGUAGE plpgsql ROWS 10 AS 'BEGIN RETURN QUERY SELECT n, now(); END';
CREATE FUNCTION poly(a anyelement, b anyarray) RETURNS anyelement LANGUAGE sql AS 'SELECT a';
CREATE FUNCTION "weird ""Name"""("인자" text) RETURNS text LANGUAGE sql AS 'SELECT $1';
CREATE PROCEDURE proceed(INOUT a integer) LANGUAGE plpgsql AS 'BEGIN a := a + 1; END';
CREATE FUNCTION sum_state(state integer, next integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT coalesce(state, 0) + coalesce(next, 0)';
CREATE AGGREGATE total(integer) (SFUNC = sum_state, STYPE = integer, INITCOND = '0', COMBINEFUNC = sum_state, PARALLEL = safe);
CREATE FUNCTION gather(state text[], next text) RETURNS text[] LANGUAGE sql IMMUTABLE AS 'SELECT state || next';
CREATE FUNCTION first_of(state text[]) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT state[1]';
CREATE AGGREGATE ordered(ORDER BY text) (SFUNC = gather, STYPE = text[], INITCOND = '{}', FINALFUNC = first_of);
COMMENT ON FUNCTION add(integer, integer) IS 'adds';
COMMENT ON PROCEDURE proceed(integer) IS 'goes on';
COMMENT ON AGGREGATE total(integer) IS 'in all';
REVOKE EXECUTE ON FUNCTION atomic(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION atomic(integer) TO tortured;
GRANT EXECUTE ON PROCEDURE proceed(integer) TO tortured;

-- operators and casts
CREATE FUNCTION same_mood(a mood, b mood) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT a::text = b::text';
CREATE OPERATOR === (LEFTARG = mood, RIGHTARG = mood, FUNCTION = same_mood, COMMUTATOR = ===, RESTRICT = eqsel, JOIN = eqjoinsel);
CREATE FUNCTION square(a integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT a * a';
CREATE OPERATOR @@@ (RIGHTARG = integer, FUNCTION = square);
COMMENT ON OPERATOR === (mood, mood) IS 'the same';
CREATE FUNCTION mood_of(a integer) RETURNS mood LANGUAGE sql IMMUTABLE AS $$ SELECT CASE WHEN a > 0 THEN 'ok'::plain.mood ELSE 'sad' END $$;
CREATE CAST (integer AS mood) WITH FUNCTION mood_of(integer) AS ASSIGNMENT;
CREATE CAST (mood AS point3) WITH INOUT;

-- tables
CREATE TABLE kinds (
  id bigint GENERATED ALWAYS AS IDENTITY (START 10 INCREMENT 5) PRIMARY KEY,
  by_default integer GENERATED BY DEFAULT AS IDENTITY,
  serial_ bigserial, m mood NOT NULL DEFAULT 'ok', n nested, p positive, e email, d deep, r price_range, rs stamp_ranges,
  small smallint, money_ money, num numeric(20, 5), free numeric, f4 real, f8 double precision, b boolean, c char(5), v varchar(20),
  t text COLLATE german, ci citext, bin bytea, day date, at time, atz timetz, ts timestamp(3), tstz timestamptz, iv interval,
  u uuid DEFAULT gen_random_uuid(), j json, jb jsonb, x xml, ip inet, net cidr, mac macaddr, mac8 macaddr8, bits bit(8), varbits varbit,
  pt point, ln line, seg lseg, bx box, pa path, po polygon, ci2 circle, tsv tsvector, tsq tsquery, hs hstore,
  arr integer[][], texts text[] DEFAULT ARRAY['a', 'b"c'], moods mood[], composites point3[], reg regclass, o oid, i4 int4range, i8 int8multirange,
  doubled numeric GENERATED ALWAYS AS (num * 2) STORED, lowered text GENERATED ALWAYS AS (lower(v)) STORED,
  CONSTRAINT named CHECK (small < 100 OR small IS NULL), UNIQUE (by_default, serial_), CONSTRAINT "Nulls Equal" UNIQUE NULLS NOT DISTINCT (small, v));
COMMENT ON TABLE kinds IS 'every kind of column';
COMMENT ON COLUMN kinds.jb IS '"quoted" $$ body $$';
COMMENT ON CONSTRAINT named ON kinds IS 'below a hundred';
ALTER TABLE kinds ALTER t SET STORAGE EXTERNAL, ALTER bin SET COMPRESSION pglz, ALTER v SET STATISTICS 500, ALTER f8 SET (n_distinct = -0.5);
ALTER TABLE kinds SET (fillfactor = 80, autovacuum_enabled = false, toast.autovacuum_enabled = false);
ALTER TABLE kinds DROP COLUMN IF EXISTS nothing;
CREATE TABLE dropped (a integer, gone text, b integer, also_gone mood, c text NOT NULL);
ALTER TABLE dropped DROP COLUMN gone, DROP COLUMN also_gone;
CREATE TABLE empty_of_columns ();
CREATE UNLOGGED TABLE scratch (id integer PRIMARY KEY, v text);
CREATE TABLE of_type OF point3 (x WITH OPTIONS NOT NULL, PRIMARY KEY (x));
CREATE TABLE toasted (id integer PRIMARY KEY, big text, raw bytea);
CREATE TABLE without_key (a integer, b text);
ALTER TABLE without_key REPLICA IDENTITY FULL;
CREATE TABLE by_index (a integer NOT NULL, b text);
CREATE UNIQUE INDEX by_index_a ON by_index (a);
ALTER TABLE by_index REPLICA IDENTITY USING INDEX by_index_a;
CREATE TABLE clustered (a integer PRIMARY KEY, b integer);
CREATE INDEX clustered_b ON clustered (b);
ALTER TABLE clustered CLUSTER ON clustered_b;
CREATE TABLE owns (id integer PRIMARY KEY, n integer);
ALTER SEQUENCE "번호 Seq" OWNED BY owns.n;
CREATE TABLE "표 Täble ""x"" ON a.b" ("열 A" integer PRIMARY KEY, "select" text, "a.b" text, "back\slash" text);
CREATE TABLE "가게 Ünïcode ""q"" -- Name: x; Type: TABLE"."재고; Type: VIEW" ("번호" integer PRIMARY KEY, "이름" text UNIQUE);
CREATE TABLE crypt.secrets (id integer PRIMARY KEY, owner_name name NOT NULL, body text);

-- keys
CREATE TABLE parent (a integer, b text, c integer UNIQUE, PRIMARY KEY (a, b));
CREATE TABLE child (id integer PRIMARY KEY, a integer, b text, c integer REFERENCES parent (c) ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED,
  self integer REFERENCES child ON UPDATE CASCADE, FOREIGN KEY (a, b) REFERENCES parent MATCH FULL ON DELETE CASCADE);
CREATE TABLE ring_a (id integer PRIMARY KEY, b integer);
CREATE TABLE ring_b (id integer PRIMARY KEY, a integer REFERENCES ring_a);
ALTER TABLE ring_a ADD FOREIGN KEY (b) REFERENCES ring_b NOT VALID;
ALTER TABLE ring_a ADD CONSTRAINT later CHECK (id > 0) NOT VALID;
CREATE TABLE bookings (room integer, during tstzrange, kind text, EXCLUDE USING gist (room WITH =, during WITH &&) WHERE (kind <> 'draft') DEFERRABLE);
CREATE TABLE late_unique (a integer UNIQUE DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE no_inherit (a integer, CONSTRAINT alone CHECK (a > 0) NO INHERIT);

-- inheritance and partitions
CREATE TABLE base (id integer PRIMARY KEY, what text DEFAULT 'base');
CREATE TABLE derived (more text) INHERITS (base);
CREATE TABLE twice (other integer) INHERITS (derived, no_inherit);
CREATE TABLE events (id bigint, at date NOT NULL, kind text NOT NULL, PRIMARY KEY (id, at, kind)) PARTITION BY RANGE (at);
CREATE TABLE events_2023 PARTITION OF events FOR VALUES FROM ('2023-01-01') TO ('2024-01-01');
CREATE TABLE events_2024 PARTITION OF events (CONSTRAINT kind_set CHECK (kind IS NOT NULL)) FOR VALUES FROM ('2024-01-01') TO ('2025-01-01') PARTITION BY LIST (kind);
CREATE TABLE events_2024_a PARTITION OF events_2024 FOR VALUES IN ('a', '가');
CREATE TABLE events_2024_rest PARTITION OF events_2024 DEFAULT;
CREATE TABLE events_rest PARTITION OF events DEFAULT;
CREATE TABLE hashed (id integer NOT NULL, v text) PARTITION BY HASH (id);
CREATE TABLE hashed_0 PARTITION OF hashed FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE hashed_1 PARTITION OF hashed FOR VALUES WITH (MODULUS 2, REMAINDER 1) WITH (fillfactor = 70);
CREATE TABLE by_expression (a text, b integer) PARTITION BY RANGE (lower(a) COLLATE "C", b);
CREATE TABLE by_expression_1 PARTITION OF by_expression FOR VALUES FROM (MINVALUE, MINVALUE) TO ('m', MAXVALUE);
CREATE INDEX events_kind ON events (kind) INCLUDE (id);
CREATE INDEX events_2023_own ON events_2023 (kind, at DESC);
CREATE TABLE of_event (id integer PRIMARY KEY, event bigint, at date, kind text, FOREIGN KEY (event, at, kind) REFERENCES events);
CREATE TABLE from_partition (id integer, ref integer REFERENCES owns, PRIMARY KEY (id)) PARTITION BY RANGE (id);
CREATE TABLE from_partition_1 PARTITION OF from_partition FOR VALUES FROM (0) TO (1000);

-- indexes
CREATE INDEX kinds_partial ON kinds (lower(v)) WHERE b;
CREATE INDEX kinds_covering ON kinds (m, p DESC NULLS LAST) INCLUDE (small, num);
CREATE INDEX kinds_brin ON kinds USING brin (tstz) WITH (pages_per_range = 16);
CREATE INDEX kinds_gin ON kinds USING gin (jb jsonb_path_ops);
CREATE INDEX kinds_trgm ON kinds USING gin (v gin_trgm_ops) WITH (fastupdate = off);
CREATE INDEX kinds_gist ON kinds USING gist (i4);
CREATE INDEX kinds_spgist ON kinds USING spgist (ip inet_ops);
CREATE INDEX kinds_hash ON kinds USING hash (u);
CREATE INDEX kinds_expression ON kinds ((num + 1), (v || 'x'), add(small, 1));
CREATE UNIQUE INDEX kinds_collated ON kinds (v COLLATE "C" text_pattern_ops);
ALTER INDEX kinds_expression ALTER COLUMN 1 SET STATISTICS 321;
COMMENT ON INDEX kinds_gin IS 'paths';
CREATE INDEX "색인 ON x.y" ON "표 Täble ""x"" ON a.b" ("select", "a.b");
CREATE INDEX stocked ON "가게 Ünïcode ""q"" -- Name: x; Type: TABLE"."재고; Type: VIEW" ("이름" varchar_pattern_ops);
CREATE STATISTICS kinds_stats (ndistinct, dependencies, mcv) ON small, p, v FROM kinds;
CREATE STATISTICS kinds_expr ON (small + 1), lower(v) FROM kinds;
ALTER STATISTICS kinds_stats SET STATISTICS 200;
COMMENT ON STATISTICS kinds_stats IS 'together';

-- views
CREATE VIEW simple AS SELECT id, m, v FROM kinds WHERE b;
CREATE VIEW checked WITH (security_barrier, security_invoker = true) AS SELECT a, b FROM parent WHERE a > 0 WITH LOCAL CHECK OPTION;
CREATE VIEW grouped AS SELECT owns.*, count(child.id) AS children FROM owns LEFT JOIN child ON child.id = owns.n GROUP BY owns.id;
CREATE RECURSIVE VIEW numbers (n) AS SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 10;
CREATE VIEW twisted AS SELECT 1 AS a, 'x'::text AS b;
CREATE FUNCTION of_view() RETURNS SETOF twisted LANGUAGE sql AS 'SELECT * FROM plain.twisted';
CREATE OR REPLACE VIEW twisted AS SELECT a, b FROM of_view() LIMIT 0;
CREATE OR REPLACE VIEW twisted AS SELECT 1 AS a, 'x'::text AS b;
ALTER VIEW simple ALTER COLUMN v SET DEFAULT 'from the view';
COMMENT ON VIEW simple IS 'plain';
COMMENT ON COLUMN simple.m IS 'mood';
CREATE MATERIALIZED VIEW kept AS SELECT m, count(*) AS n FROM kinds GROUP BY m WITH DATA;
CREATE UNIQUE INDEX kept_m ON kept (m);
CREATE MATERIALIZED VIEW kept_twice AS SELECT sum(n) AS n FROM kept;
CREATE MATERIALIZED VIEW kept_empty AS SELECT 1 AS one WITH NO DATA;
COMMENT ON MATERIALIZED VIEW kept IS 'counted';
GRANT SELECT ON simple, kept TO tortured;
GRANT SELECT (id, v), UPDATE (v) ON kinds TO tortured;
GRANT INSERT, SELECT ON parent TO tortured WITH GRANT OPTION;

-- triggers and rules
CREATE TABLE log (id bigserial, what text);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO plain.log (what) VALUES (TG_NAME || TG_OP); RETURN coalesce(NEW, OLD); END $$;
CREATE FUNCTION note_all() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO plain.log (what) SELECT 'all ' || count(*) FROM fresh; RETURN NULL; END $$;
CREATE TRIGGER before_row BEFORE INSERT OR UPDATE OF b ON parent FOR EACH ROW WHEN (NEW.a > 5) EXECUTE FUNCTION note();
CREATE TRIGGER after_all AFTER INSERT ON parent REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION note_all();
CREATE TRIGGER on_truncate AFTER TRUNCATE ON toasted EXECUTE FUNCTION note();
CREATE CONSTRAINT TRIGGER deferred AFTER UPDATE ON child FROM parent DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note('an', 'argument');
CREATE TRIGGER instead INSTEAD OF INSERT ON simple FOR EACH ROW EXECUTE FUNCTION note();
CREATE TRIGGER on_partitioned AFTER INSERT ON events FOR EACH ROW EXECUTE FUNCTION note();
CREATE TRIGGER off BEFORE DELETE ON owns FOR EACH ROW EXECUTE FUNCTION note();
ALTER TABLE owns DISABLE TRIGGER off;
CREATE TRIGGER always BEFORE DELETE ON owns FOR EACH ROW EXECUTE FUNCTION note();
ALTER TABLE owns ENABLE ALWAYS TRIGGER always;
COMMENT ON TRIGGER before_row ON parent IS 'above five';
CREATE RULE shadow AS ON INSERT TO without_key WHERE NEW.a < 0 DO ALSO INSERT INTO plain.log (what) VALUES ('below');
CREATE RULE nothing AS ON DELETE TO of_type DO INSTEAD NOTHING;
COMMENT ON RULE shadow ON without_key IS 'noted';

-- row security
ALTER TABLE crypt.secrets ENABLE ROW LEVEL SECURITY;
ALTER TABLE crypt.secrets FORCE ROW LEVEL SECURITY;
CREATE POLICY own_only ON crypt.secrets USING (owner_name = current_user) WITH CHECK (owner_name = current_user);
CREATE POLICY read_some ON crypt.secrets AS RESTRICTIVE FOR SELECT TO tortured USING (id % 2 = 0);
COMMENT ON POLICY own_only ON crypt.secrets IS 'each his own';

-- publications, default privileges
CREATE PUBLICATION a_few FOR TABLE parent, TABLE child (id, a) WHERE (id > 0) WITH (publish = 'insert, update');
COMMENT ON PUBLICATION a_few IS 'a few';
ALTER DEFAULT PRIVILEGES IN SCHEMA plain GRANT SELECT ON TABLES TO tortured;
ALTER DEFAULT PRIVILEGES FOR ROLE torturer GRANT EXECUTE ON FUNCTIONS TO tortured WITH GRANT OPTION;
ALTER DEFAULT PRIVILEGES FOR ROLE torturer REVOKE USAGE ON TYPES FROM PUBLIC;

-- rows
INSERT INTO kinds (m, n, p, e, d, r, rs, small, money_, num, free, f4, f8, b, c, v, t, ci, bin, day, at, atz, ts, tstz, iv, j, jb, x, ip, net,
  mac, mac8, bits, varbits, pt, ln, seg, bx, pa, po, ci2, tsv, tsq, hs, arr, moods, composites, reg, o, i4, i8)
SELECT (ARRAY['sad', 'ok', 'it''s "fine"', '행복'])[g % 4 + 1]::mood, ROW(ROW(g, 'NaN', '-Infinity'), ARRAY['ok']::mood[], E'tab\t')::nested, g, g || '@x', g,
  price_range(g, NULL), stamp_ranges(stamp_range('2024-01-01', '2024-02-01'), stamp_range('2025-01-01', NULL)), g % 90, g, g / 3.0, 'Infinity', 1e-30 * g, 'NaN', g % 2 = 0,
  'c' || g, 'V' || g, E'줄\n바꿈\r\\N \\. ' || g, 'Ci' || g, decode(md5(g::text), 'hex'), '0044-03-15 BC'::date + g, '24:00', '12:00+05:30', '2024-01-01 00:00:00.123',
  'infinity', '1 year -2 days 3.5 s', '{"a" : 1,  "a":2}', '{"k": [1.10, null, "v\"\u1100"]}', '<a b="c">d</a>', '10.0.0.1/8', 'fe80::/10', '08:00:2b:01:02:03', '08:00:2b:01:02:03:04:05',
  '10101010', '101', '(1,2)', '{1,2,3}', '[(1,2),(3,4)]', '(1,1),(0,0)', '[(1,1),(2,2)]', '((1,1),(2,2),(3,1))', '<(1,1),2>',
  'a:1 b:2A', 'a & !b', 'k=>v, "x y"=>NULL', ARRAY[[1, 2], [3, NULL]], ARRAY['ok', NULL]::mood[], ARRAY[ROW(1, 2, 3)::point3], 'plain.parent', 42, '[1,10)', '{[1,3), [5,)}'
FROM generate_series(1, 300) g;
INSERT INTO kinds DEFAULT VALUES;
INSERT INTO dropped SELECT g, g * 2, 'c' || g FROM generate_series(1, 500) g;
INSERT INTO scratch SELECT g, 'v' FROM generate_series(1, 50) g;
INSERT INTO of_type SELECT g, g, g FROM generate_series(1, 20) g;
INSERT INTO toasted SELECT g, repeat(md5(g::text), 4000), decode(repeat(md5(g::text), 3000), 'hex') FROM generate_series(1, 30) g;
INSERT INTO without_key SELECT g % 10 - 2, NULL FROM generate_series(1, 100) g;
INSERT INTO by_index SELECT g, 'b' FROM generate_series(1, 10) g;
INSERT INTO clustered SELECT g, 100 - g FROM generate_series(1, 100) g;
INSERT INTO owns SELECT g, nextval('"번호 Seq"') FROM generate_series(1, 20) g;
INSERT INTO "표 Täble ""x"" ON a.b" SELECT g, 's', 'ab', E'\\N' FROM generate_series(1, 20) g;
INSERT INTO "가게 Ünïcode ""q"" -- Name: x; Type: TABLE"."재고; Type: VIEW" SELECT g, '이름 ' || g FROM generate_series(1, 20) g;
INSERT INTO parent SELECT g, 'b' || g, g FROM generate_series(1, 100) g;
INSERT INTO child SELECT g, g, 'b' || g, g, nullif(g / 2, 0) FROM generate_series(1, 100) g;
INSERT INTO ring_a VALUES (1, NULL); INSERT INTO ring_b VALUES (1, 1);
INSERT INTO bookings SELECT g, tstzrange('2024-01-01', '2024-01-02'), 'x' FROM generate_series(1, 20) g;
INSERT INTO late_unique SELECT g FROM generate_series(1, 20) g;
INSERT INTO base VALUES (1), (2); INSERT INTO derived VALUES (3, 'd', 'm'); INSERT INTO twice VALUES (4, 't', 'm', 5, 6);
INSERT INTO events SELECT g, '2023-06-01'::date + g * 3, (ARRAY['a', '가', 'z'])[g % 3 + 1] FROM generate_series(1, 400) g;
INSERT INTO hashed SELECT g, 'h' || g FROM generate_series(1, 100) g;
INSERT INTO by_expression VALUES ('Abc', 1);
INSERT INTO of_event SELECT id, id, at, kind FROM events WHERE id <= 20;
INSERT INTO from_partition SELECT g, g FROM generate_series(1, 20) g;
SELECT lo_from_bytea(5001, decode(repeat('ab', 600000), 'hex')), lo_from_bytea(5002, ''), lo_create(5003);
GRANT SELECT ON LARGE OBJECT 5001 TO tortured; GRANT UPDATE ON LARGE OBJECT 5002 TO tortured WITH GRANT OPTION;
COMMENT ON LARGE OBJECT 5003 IS 'nothing in it';
REFRESH MATERIALIZED VIEW kept; REFRESH MATERIALIZED VIEW kept_twice;
ALTER DATABASE torture SET search_path TO plain, public;
ALTER ROLE torturer IN DATABASE torture SET work_mem TO '9MB';
RESET ROLE;
INSERT INTO crypt.secrets SELECT g, 'torturer', 'secret ' || g FROM generate_series(1, 10) g;

-- what only a superuser can declare
CREATE FUNCTION plain.on_ddl() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
ALTER FUNCTION plain.on_ddl() OWNER TO torturer;
CREATE EVENT TRIGGER watch_ddl ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION plain.on_ddl();
CREATE EXTENSION IF NOT EXISTS postgres_fdw;
CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'nowhere.invalid', dbname 'x');
CREATE USER MAPPING FOR torturer SERVER elsewhere OPTIONS (user 'u', password 'p');
CREATE FOREIGN TABLE plain.far (id integer, v text OPTIONS (column_name 'w')) SERVER elsewhere OPTIONS (table_name 't');
CREATE OPERATOR FAMILY plain.abs_ops USING btree;
CREATE OPERATOR CLASS plain.backwards FOR TYPE integer USING btree FAMILY plain.abs_ops AS
  OPERATOR 1 > , OPERATOR 2 >= , OPERATOR 3 = , OPERATOR 4 <= , OPERATOR 5 < , FUNCTION 1 btint4cmp(integer, integer);
CREATE TEXT SEARCH TEMPLATE plain.templated (LEXIZE = dsimple_lexize);
CREATE PUBLICATION everything FOR ALL TABLES;
