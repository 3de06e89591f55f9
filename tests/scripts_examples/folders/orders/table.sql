CREATE TABLE stage.orders (order_no integer, customer integer, total numeric(12,2), day date);
CREATE TABLE public.orders (order_id integer PRIMARY KEY, ordered_on date, customer_id integer, total numeric(12,2));
