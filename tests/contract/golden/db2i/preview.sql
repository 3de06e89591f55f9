select id, name from orders
FETCH FIRST 20 ROWS ONLY
