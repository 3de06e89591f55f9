SELECT pipekit_query."id", pipekit_query."odd ""name""" FROM (
select id, name from orders
) AS pipekit_query
