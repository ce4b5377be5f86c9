-- One table of many kinds of column with four indexes, and large objects of 100 kB. Variables: rows, objects.
CREATE TABLE visits (
  id bigint GENERATED ALWAYS AS IDENTITY, account integer NOT NULL, token uuid NOT NULL, action text NOT NULL, mail text,
  heading text, body text, detail jsonb NOT NULL, labels text[], amount numeric(14, 4), score double precision,
  live boolean NOT NULL, made timestamptz NOT NULL, changed timestamptz, address inet, checksum bytea);
INSERT INTO visits (account, token, action, mail, heading, body, detail, labels, amount, score, live, made, changed, address, checksum)
SELECT hashint8(n) & 4095, md5('t' || n)::uuid, (ARRAY['open', 'read', 'write', 'leave', 'fail'])[n % 5 + 1],
  'person' || (hashint8(n + 7) & 1048575) || '@mail' || n % 89 || '.example', initcap(translate(left(md5(n::text), 22), '0123456789', 'aeiou lnr ')),
  CASE WHEN n % 9 <> 0 THEN repeat(translate(md5(n::text), '0123456789', ' etaoin sh') || E' a\tb\\c "d"\n', n % 7 + 1) END,
  jsonb_build_object('code', md5((n % 20000)::text), 'count', n % 17, 'cost', n % 99999 / 100.0,
    'inner', jsonb_build_object('a', n % 6, 'list', ARRAY[n % 2, n % 3, n % 5], 'text', left(md5((n * 3)::text), 18)), 'fine', n % 3 = 0),
  CASE WHEN n % 4 <> 0 THEN ARRAY['l' || n % 40, 'm' || n % 11] END, (n * 6151 % 100000000) / 10000.0, ln(n + 1) * pi(), n % 5 <> 0,
  timestamptz '2023-01-01 00:00+00' + n * 17 % 63072000 * interval '1 second',
  CASE WHEN n % 2 = 0 THEN timestamptz '2024-01-01 00:00+00' + n % 31536000 * interval '1 second' END,
  ('10.' || n % 256 || '.' || n / 256 % 256 || '.' || n / 65536 % 256)::inet, sha224(n::text::bytea)
FROM generate_series(1::bigint, :rows) n;
ALTER TABLE visits ADD PRIMARY KEY (id);
CREATE INDEX visits_account ON visits (account, made);
CREATE INDEX visits_mail ON visits (mail);
CREATE UNIQUE INDEX visits_token ON visits (token);
SELECT count(lo_from_bytea(0, decode(repeat(md5(n::text), 3125), 'hex'))) FROM generate_series(1, :objects) n;
VACUUM ANALYZE;
