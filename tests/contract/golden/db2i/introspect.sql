select id, name from orders
FETCH FIRST 1 ROW ONLY
