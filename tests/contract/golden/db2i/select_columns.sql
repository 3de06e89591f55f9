SELECT "id", "odd ""name""" FROM (
select id, name from orders
) AS pipekit_query
