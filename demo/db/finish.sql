-- What is quicker to make once the data is there: keys, indexes, foreign keys, views, the trigger.
\set ON_ERROR_STOP on
SET client_min_messages = warning;
SET maintenance_work_mem = '128MB';

ALTER TABLE order_items ADD PRIMARY KEY (order_id, line);
ALTER TABLE events ADD PRIMARY KEY (id, at);

CREATE UNIQUE INDEX customers_email ON customers (lower(email));
CREATE INDEX products_search ON products USING gin (search);
CREATE INDEX products_attributes ON products USING gin (attributes jsonb_path_ops);
CREATE INDEX orders_client_id ON orders (client_id);
CREATE INDEX orders_customer ON orders (customer_id, created_at DESC);
CREATE INDEX orders_day ON orders ((timezone('UTC', created_at)::date));
CREATE INDEX orders_channel ON orders ((details ->> 'channel')) WHERE status <> 'returned';
CREATE INDEX order_items_product ON order_items (product_id) INCLUDE (quantity);
CREATE INDEX events_at ON events USING brin (at);
CREATE INDEX audit_order ON audit (order_id);

ALTER TABLE orders ADD FOREIGN KEY (customer_id) REFERENCES customers;
ALTER TABLE order_items ADD FOREIGN KEY (order_id) REFERENCES orders ON DELETE CASCADE, ADD FOREIGN KEY (product_id) REFERENCES products;
ALTER TABLE attachments ADD FOREIGN KEY (order_id) REFERENCES orders;

CREATE FUNCTION audit_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO audit (action, order_id, before, after)
    VALUES (TG_OP, coalesce(NEW.id, OLD.id),
            CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END, CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END);
    RETURN NULL;
END $$;
CREATE TRIGGER audit_orders AFTER INSERT OR UPDATE OR DELETE ON orders FOR EACH ROW EXECUTE FUNCTION audit_order();

CREATE VIEW open_orders AS
SELECT o.id, o.client_id, o.status, o.total, c.name AS customer
FROM orders o LEFT JOIN customers c ON c.id = o.customer_id
WHERE o.status IN ('new', 'paid', 'packed');

CREATE MATERIALIZED VIEW product_sales AS
SELECT product_id, sum(quantity) AS sold, sum(amount) AS amount FROM order_items GROUP BY product_id;
CREATE UNIQUE INDEX product_sales_product ON product_sales (product_id);
