-- Some 200 MB of data, the same rows every time: values come from the row's number, by hashing, never from random().
\set ON_ERROR_STOP on
SET client_min_messages = warning;
SET synchronous_commit = off;
SET TimeZone = 'UTC';
SET work_mem = '64MB';

-- A number from 0 to n-1 that looks random, for row i and purpose p.
CREATE FUNCTION pg_temp.pick(i bigint, p int, n int) RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (hashint8extended(i, p) & 2147483647)::int % n;

INSERT INTO customers (email, name, address, tags, born, created_at)
SELECT 'customer' || i || '@example.org',
       (ARRAY['김', '이', '박', '최', '정', 'Smith ', 'Müller ', 'O''Neil '])[1 + pg_temp.pick(i, 1, 8)]
           || (ARRAY['민준', '서연', '지우', '하준', 'Anna', 'José'])[1 + pg_temp.pick(i, 2, 6)],
       jsonb_build_object('city', (ARRAY['서울', '부산', 'Berlin', 'São Paulo'])[1 + pg_temp.pick(i, 3, 4)],
                          'zip', lpad(pg_temp.pick(i, 4, 100000)::text, 5, '0'), 'lines', jsonb_build_array(md5(i::text), NULL)),
       CASE WHEN i % 3 = 0 THEN ARRAY['vip', 'news "letter"'] WHEN i % 7 = 0 THEN ARRAY['', NULL] ELSE '{}' END,
       CASE WHEN i % 5 > 0 THEN date '1950-01-01' + pg_temp.pick(i, 5, 20000) END,
       timestamptz '2021-01-01' + i * interval '1 hour'
FROM generate_series(1, 40000) AS i;

INSERT INTO products (sku, name, name_ko, description, price, weight_kg, attributes)
SELECT 'SKU-' || lpad(i::text, 6, '0'),
       (ARRAY['Shirt', 'Lamp', 'Chair', 'Mug', 'Bag', 'Notebook'])[1 + pg_temp.pick(i, 1, 6)] || ' ' || i,
       (ARRAY['셔츠', '램프', '의자', '머그잔', '가방', '공책'])[1 + pg_temp.pick(i, 1, 6)] || ' ' || i,
       repeat('A good thing. 좋은 물건. ', 5 + pg_temp.pick(i, 2, 30)),
       (900 + pg_temp.pick(i, 3, 90000)) / 10.0,
       CASE i % 50 WHEN 0 THEN 'NaN'::float8 WHEN 1 THEN NULL ELSE pg_temp.pick(i, 4, 10000) / 999.0 END,
       jsonb_build_object('colour', (ARRAY['red', 'blue', '초록'])[1 + pg_temp.pick(i, 5, 3)], 'stock', pg_temp.pick(i, 6, 500))
FROM generate_series(1, 3000) AS i;

INSERT INTO orders (client_id, customer_id, status, total, note, details, created_at)
SELECT md5('order ' || i)::uuid,
       CASE WHEN i % 9 > 0 THEN 1 + pg_temp.pick(i, 1, 40000) END,
       (enum_range(NULL::order_status))[1 + pg_temp.pick(i, 2, 5)],
       (1000 + pg_temp.pick(i, 3, 900000)) / 100.0,
       CASE i % 11 WHEN 0 THEN '문 앞에 놓아 주세요' WHEN 1 THEN E'ring twice\n\ttab, back\\slash' WHEN 2 THEN '' END,
       jsonb_build_object('channel', (ARRAY['web', 'app', 'phone'])[1 + pg_temp.pick(i, 4, 3)], 'ip', '203.0.113.' || i % 255,
                          'trace', md5(i::text)),
       timestamptz '2025-01-01' + i * interval '3 minutes'
FROM generate_series(1, 160000) AS i;

INSERT INTO order_items (order_id, line, product_id, quantity, price)
SELECT i, line, 1 + pg_temp.pick(i, line, 3000), 1 + pg_temp.pick(i, 10 + line, 4), (900 + pg_temp.pick(i, 20 + line, 90000)) / 10.0
FROM generate_series(1, 160000) AS i, generate_series(1, 1 + pg_temp.pick(i, 7, 3)) AS line;

INSERT INTO events (at, kind, session, data, took)
SELECT timestamptz '2025-01-01' + i * interval '105 seconds',
       (ARRAY['view', 'search', 'basket', 'login'])[1 + pg_temp.pick(i, 1, 4)],
       md5('session ' || i / 12)::uuid,
       jsonb_build_object('path', '/products/' || pg_temp.pick(i, 2, 180), 'agent', 'Mozilla/5.0 (X11)', 'ms', pg_temp.pick(i, 3, 900)),
       CASE WHEN i % 4 > 0 THEN pg_temp.pick(i, 4, 90000) * interval '1 ms' END
FROM generate_series(1, 320000) AS i;

INSERT INTO audit (at, who, action, order_id, before, after)
SELECT timestamptz '2025-01-01' + i * interval '3 minutes', 'shop', 'INSERT', i, NULL,
       jsonb_build_object('status', 'new', 'order', i, 'trace', md5(i::text))
FROM generate_series(1, 120000) AS i;
-- Rows that are quite alike, as a table without a key may hold.
INSERT INTO audit (at, who, action, order_id) SELECT '2025-06-01', 'shop', 'IMPORT', 1 FROM generate_series(1, 5);

INSERT INTO attachments (id, order_id, name, media_type, content)
SELECT md5('attachment ' || i)::uuid, 1 + pg_temp.pick(i, 1, 160000), '영수증 ' || i || '.pdf', 'application/pdf',
       (SELECT string_agg(sha512(int8send(i * 100000 + part)), '') FROM generate_series(1, 100 + pg_temp.pick(i, 2, 1100)) AS part)
FROM generate_series(1, 700::bigint) AS i;

INSERT INTO documents VALUES
    ('terms.pdf', lo_from_bytea(0, (SELECT string_agg(sha512(int8send(part)), '') FROM generate_series(1, 40000::bigint) AS part))),
    ('이용 약관.txt', lo_from_bytea(0, convert_to(repeat('이용 약관. ', 5000), 'UTF8')));

INSERT INTO settings VALUES ('currency', 'KRW', '2025-01-01'), ('가게 이름', '데모 상점', '2025-01-01'), ('empty', '', NULL), ('none', NULL, NULL);
