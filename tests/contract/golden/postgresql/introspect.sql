SELECT * FROM (
select id, name from orders
) AS pipekit_query WHERE 1 = 0
