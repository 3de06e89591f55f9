BEGIN;
TRUNCATE TABLE public.orders;
INSERT INTO public.orders (order_id, ordered_on, customer_id, total)
SELECT order_no, day, customer, total FROM stage.orders;
COMMIT;
ANALYZE public.orders;
