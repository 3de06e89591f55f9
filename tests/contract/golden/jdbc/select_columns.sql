SELECT "id", "odd ""name""" FROM (
select id, name from orders
) pipekit_query
