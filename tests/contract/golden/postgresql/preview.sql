SELECT * FROM (
select id, name from orders
) AS pipekit_query LIMIT 20
